import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type Digest, type Identity, identityFromSeed, silentLog } from '@model-rtc/protocol';
import { loadIdentity } from '@model-rtc/registry';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import type { Beat } from '../../src/core/beats/beat.ts';
import { signHead } from '../../src/core/catalog/head.ts';
import { makeInvite, nextRoster, parseInvite, signMembership } from '../../src/core/index.ts';
import { createMesh } from '../../src/index.ts';
import { StoredMeshView } from '../../src/node/records/stored-view.ts';
import { type JoinedMesh, joinedMesh } from '../../src/node/state/mesh-folders.ts';
import type { RecordCache } from '../../src/node/state/record-cache.ts';
import { memoryCache } from '../support/memory-cache.ts';
import { identityOf, keyTextOf, seedOf } from '../support/people.ts';

const MINUTE_MS = 60_000;
const EVERY = { beatEveryMs: 5 * MINUTE_MS };
const digest = 'ab'.repeat(32) as Digest;
const model = { digest, modelId: 'abababab', name: 'mouse', type: 'llama', sizeBytes: 1, source: 'hub' as const };
const OWN = {
  ...{ name: 'anna', role: 'worker' as const, tags: [], properties: {}, urls: [] },
  models: [{ ...model, capabilities: [], tags: [] }],
};

let nowMs = 0;
let joined: JoinedMesh;
let identity: Identity;

beforeEach(async () => {
  const root = await temporaryFolder();
  await createMesh({ root, name: 'lab', nodeName: 'anna', signalingUrls: [] });
  joined = await joinedMesh(root, 'lab');
  identity = await loadIdentity(`${root}/keys`);
  nowMs = Date.now();
  jest.spyOn(Date, 'now').mockImplementation(() => nowMs);
});
afterEach(() => {
  jest.restoreAllMocks();
});

/** The machine itself, or another one that only listens. */
async function openView(
  as: 'itself' | 'other' = 'itself',
  cache: RecordCache = memoryCache(),
): Promise<StoredMeshView> {
  const who = as === 'itself' ? identity : identityFromSeed(seedOf(77));
  const view = new StoredMeshView({ joined, cache, identity: who, authority: undefined, log: silentLog });
  await view.open();
  return view;
}

async function hear(from: StoredMeshView, to: readonly StoredMeshView[], names: readonly string[]): Promise<void> {
  for (const view of to) {
    for (const name of names) await view.accept(from.bytesOf(name) as Uint8Array, from.ownKey);
    for (const hash of view.missingParts(9)) await view.acceptPart(from.part(hash) as Uint8Array);
  }
}

/** Its beat, if one is due, reaches the others. */
async function beatTo(from: StoredMeshView, to: readonly StoredMeshView[]): Promise<number> {
  const beat = await from.beatSelf();
  if (beat === undefined) return 0;
  for (const view of to) await view.acceptBeats([beat]);
  return beat.index;
}

describe('a node that goes on without a change', () => {
  it('is known to be there by its beats, by who starts again as well', async () => {
    const cache = memoryCache();
    const [anna, ben] = [await openView(), await openView('other', cache)];
    await hear(anna, [ben], await anna.announceSelf(OWN, EVERY));
    const beganAtMs = nowMs;
    expect(await beatTo(anna, [ben])).toBe(0);
    for (let i = 0; i < 13; i++) {
      nowMs += MINUTE_MS;
      await beatTo(anna, [ben]);
    }
    expect(ben.aliveAtMs(anna.ownKey)).toBe(beganAtMs + 10 * MINUTE_MS);
    await ben.reload();
    expect((await openView('other', cache)).aliveAtMs(anna.ownKey)).toBe(beganAtMs + 10 * MINUTE_MS);
    expect(anna.needsHead).toBe(false);
  });

  it('signs a new head when its chain has ended, and when its clock was set back', async () => {
    const anna = await openView();
    await anna.announceSelf(OWN, EVERY);
    nowMs += 6 * 60 * MINUTE_MS;
    expect(await beatTo(anna, [])).toBe(72);
    nowMs += 5 * MINUTE_MS;
    expect([await beatTo(anna, []), anna.needsHead]).toEqual([0, true]);
    await anna.announceSelf(OWN, EVERY);
    nowMs += 20 * MINUTE_MS;
    expect([await beatTo(anna, []), anna.needsHead]).toEqual([4, false]);
    nowMs -= 10 * MINUTE_MS;
    expect([await beatTo(anna, []), anna.needsHead]).toEqual([0, true]);
  });

  it('is asked for its head by who hears of that by its anchor, whether the member was heard before or not', async () => {
    const anna = await openView();
    const unheard = await openView('other');
    const [name = ''] = await anna.announceSelf(OWN, EVERY);
    const heard = await openView('other');
    await hear(anna, [heard], [name]);
    nowMs += 1;
    await anna.announceSelf(OWN, 'goodbye');
    const mark = anna.beatOf(anna.ownKey.slice(0, 16));
    expect(mark?.index).toBe(0);
    for (const view of [heard, unheard]) {
      const { want, news } = await view.acceptBeats([mark as Beat]);
      expect({ want, news }).toEqual({ want: [name], news: [] });
      await hear(anna, [view], [name]);
      expect((await view.acceptBeats([mark as Beat])).want).toEqual([]);
    }
  });

  it('says nothing after its goodbye', async () => {
    const anna = await openView();
    await anna.announceSelf(OWN, EVERY);
    await anna.announceSelf(OWN, 'goodbye');
    nowMs += 10 * MINUTE_MS;
    expect([await beatTo(anna, []), anna.needsHead]).toEqual([0, false]);
  });
});

describe('two machines with one key', () => {
  it('say so both, and everyone else does, until one is stopped', async () => {
    const [first, second, ben] = [await openView(), await openView(), await openView('other')];
    const key = first.ownKey;
    await hear(first, [second, ben], await first.announceSelf(OWN, EVERY));
    nowMs += 1000;
    await hear(second, [first, ben], await second.announceSelf(OWN, EVERY));
    expect(first.problemOf(key)).toMatch('Two machines announce with this key');
    expect([second.problemOf(key), ben.problemOf(key)]).toEqual([undefined, undefined]);
    expect(ben.modelsOf(key)).toHaveLength(1);
    for (let i = 0; i < 10; i++) {
      nowMs += MINUTE_MS;
      await beatTo(first, [second, ben]);
      await beatTo(second, [first, ben]);
    }
    for (const view of [first, second, ben]) expect(view.problemOf(key)).toMatch('Two machines announce with this key');
    for (const view of [first, second, ben]) expect(view.modelsOf(key)).toEqual([]);
    // From now on only one is there.
    expect(first.needsHead).toBe(true);
    await hear(first, [ben], await first.announceSelf(OWN, EVERY));
    for (let i = 0; i < 10; i++) {
      nowMs += MINUTE_MS;
      await beatTo(first, [ben]);
      for (const view of [first, ben]) view.tidy();
    }
    for (const view of [first, ben]) expect(view.problemOf(key)).toBeUndefined();
    expect(ben.modelsOf(key)).toHaveLength(1);
    expect(first.needsHead).toBe(false);
  });

  it('are noticed by others where beats come every few seconds', async () => {
    const [first, second, ben] = [await openView(), await openView(), await openView('other')];
    const often = { beatEveryMs: 5_000 };
    await hear(first, [second, ben], await first.announceSelf(OWN, often));
    nowMs += 1000;
    await hear(second, [first, ben], await second.announceSelf(OWN, often));
    for (let i = 0; i < 30; i++) {
      nowMs += 5_000;
      if (first.needsHead) break;
      await beatTo(first, [second, ben]);
      await beatTo(second, [first, ben]);
    }
    for (const view of [first, second, ben])
      expect(view.problemOf(first.ownKey)).toMatch('Two machines announce with this key');
  });

  it('are told apart by every process of a machine that heard of both', async () => {
    const cache = memoryCache();
    const [first, second, ben] = [await openView(), await openView(), await openView('other', cache)];
    await hear(first, [ben], await first.announceSelf(OWN, EVERY));
    nowMs += 1000;
    await hear(second, [ben], await second.announceSelf(OWN, EVERY));
    nowMs += 9 * MINUTE_MS;
    await beatTo(first, [ben]);
    const command = await openView('other', cache);
    expect(command.problemOf(first.ownKey)).toMatch('Two machines');
    expect(command.modelsOf(first.ownKey)).toEqual([]);
  });

  it('let the other announce itself at once when one says goodbye', async () => {
    const [first, second] = [await openView(), await openView()];
    await first.announceSelf(OWN, EVERY);
    nowMs += 1000;
    await second.announceSelf(OWN, EVERY);
    await hear(second, [first], await second.announceSelf(OWN, 'goodbye'));
    expect(first.needsHead).toBe(true);
  });

  it('are not suspected where a command has lost its cache, or a node starts again', async () => {
    const [anna, ben] = [await openView(), await openView('other')];
    const names = await anna.announceSelf(OWN, EVERY);
    await hear(anna, [ben], names);
    nowMs += 10 * MINUTE_MS;
    await beatTo(anna, [ben]);
    const command = await openView();
    await hear(ben, [command], names);
    expect(command.problemOf(anna.ownKey)).toBeUndefined();
    nowMs += 1000;
    const again = await openView();
    await hear(again, [ben], await again.announceSelf(OWN, EVERY));
    nowMs += 10 * MINUTE_MS;
    await beatTo(again, [ben]);
    expect(ben.problemOf(anna.ownKey)).toBeUndefined();
  });
});

describe('what a node keeps', () => {
  it('counts for a member whose invite was revoked with another one that came with it', async () => {
    const { authorityKeyFile } = joined;
    const authority = identityFromSeed(Buffer.from((await readFile(authorityKeyFile, 'utf8')).trim(), 'hex'));
    const invited = { meshName: 'lab', scopes: ['read' as const], urls: [], members: [], epoch: 0, nowMs };
    const { record, seed } = parseInvite(makeInvite(authority, { ...invited, seed: seedOf(9) }).text);
    const cache = memoryCache();
    const anna = await openView('itself', cache);
    const [ben, cleo] = [identityOf(1), identityOf(2)];
    for (const node of [ben, cleo])
      await anna.accept(signMembership({ invite: record, inviteSeed: seed, node, name: 'x', nowMs }).bytes, '');
    const [benKey, cleoKey] = [keyTextOf(1), keyTextOf(2)];
    const announced = { meshId: joined.mesh.id, own: OWN, sequence: 1, nowMs, ttlMs: 300_000 };
    const head = signHead(ben, announced);
    await anna.accept(head.record.bytes, benKey);
    for (const { bytes } of head.parts) await anna.acceptPart(bytes);
    await anna.acceptRoster(nextRoster(anna.membership, { meshName: 'lab', remove: [cleoKey] }, authority, nowMs));
    // As on a machine that is not the authority's: the roster comes from the cache as well.
    await rm(join(joined.folder, 'roster.json'));
    const command = await openView('other', cache);
    expect(command.members().map(({ key }) => key)).toContain(benKey);
    expect(command.modelsOf(benKey)).toMatchObject([{ name: 'mouse' }]);
    expect(command.scopesOf(cleoKey)).toBeUndefined();
  });

  it('has no parts that nobody names any more', async () => {
    const ben = await openView('other');
    const anna = await openView();
    await hear(anna, [ben], await anna.announceSelf(OWN, EVERY));
    const [hash = ''] = ben.catalogOf(anna.ownKey)?.parts ?? [];
    expect(ben.part(hash)).toBeDefined();
    nowMs += 1000;
    await hear(anna, [ben], await anna.announceSelf({ ...OWN, models: [] }, EVERY));
    expect(ben.part(hash)).toBeUndefined();
  });
});
