import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import {
  type Digest,
  MAX_FOLLOWED_BYTES,
  MAX_FOLLOWED_PLACES,
  type Manifest,
  sha256Digest,
  silentLog,
} from '@model-rtc/protocol';
import { type Registry, toModelEntry } from '@model-rtc/registry';
import { receiveModel } from '@model-rtc/transfer';
import { createMemoryLanes, createPeer, type Peer } from '@model-rtc/transport';
import { asBits, asPlaces } from '../../src/handlers/follow-chunks.ts';
import { createHandlers, FreshModels } from '../../src/index.ts';
import { afterTest, failure, openTestRegistry } from '../support/registry.ts';

const MEBI = 1024 * 1024;
const BYTES = Buffer.alloc(4 * MEBI, 'not the same in any two mebibytes').map((byte, i) => byte ^ (i >> 20));

async function connectTo(registry: Registry, capabilities: readonly string[]): Promise<Peer> {
  const { handlersFor, close } = createHandlers({
    registry,
    fresh: new FreshModels(registry, silentLog),
    log: silentLog,
  });
  const handlers = handlersFor({ scopes: ['read'] });
  afterTest(close);
  const [here, there] = createMemoryLanes();
  const [client, worker] = await Promise.all([
    createPeer({
      lane: here,
      hello: { role: 'client', name: 'laptop', version: '1', capabilities },
      authority: { scopes: [] },
      handlers: {},
    }),
    createPeer({
      lane: there,
      hello: { role: 'worker', name: 'gpu', version: '1' },
      authority: { scopes: ['read', 'write'] },
      handlers,
    }),
  ]);
  afterTest(async () => await Promise.all([client.close(), worker.close()]));
  return client;
}

/** A worker that is fetching a model: two chunks come at once, the others when they are let. */
async function fetching() {
  const [source, registry] = [await openTestRegistry(), await openTestRegistry()];
  const folder = await mkdtemp(join(tmpdir(), 'model-rtc-partial-'));
  afterTest(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'weights.pt'), BYTES);
  const imported = await source.importModel(join(folder, 'weights.pt'), { copy: true, alias: 'mouse' as never });
  const digest = imported.entry.digest as Digest;
  const manifest = await source.manifest(digest);
  const [let_, stop] = [deferred(), new AbortController()];
  let given = 0;
  const two = deferred();
  const received = receiveModel({
    ...{ registry, ifExists: 'skip', source: 'worker-pull', signal: stop.signal },
    entry: toModelEntry(imported.entry),
    contents: { ...manifest, digest },
    sources: [
      {
        name: 'source',
        async fetch(chunks, { onPiece }) {
          for (const { index, digest: chunk } of chunks) {
            if (given++ >= 2) await let_.promise;
            onPiece(index, 0, await (await source.openModel(digest)).readChunk(chunk as never), true);
          }
        },
      },
    ],
    onProgress: ({ transferredBytes }) => transferredBytes >= 2 * MEBI && two.resolve(),
  });
  received.catch(() => {});
  await two.promise;
  return { registry, digest, manifest, received, finish: let_.resolve, stop: () => stop.abort() };
}

function deferred() {
  let resolve = (): void => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve: () => resolve() };
}

async function getChunks(peer: Peer, digest: Digest, chunks: readonly { digest: Digest }[]) {
  const bytes = new Map<number, number>();
  const result = await peer.request(
    'get_chunks',
    { digest, chunks: chunks.map((chunk, index) => ({ index, digest: chunk.digest })) },
    { onChunk: ({ index, payload }) => bytes.set(index, (bytes.get(index) ?? 0) + payload.length) },
  );
  return { got: [...bytes], missing: result.missing ?? [] };
}

describe('a worker that is still fetching a model', () => {
  it('lists it as partial, and gives its manifest and the chunks that are there', async () => {
    const { registry, digest, manifest, finish, received } = await fetching();
    const client = await connectTo(registry, ['partial']);
    const { models, total } = await client.request('list_models', {});
    expect([total, models]).toEqual([1, [expect.objectContaining({ digest, alias: 'mouse', partialBytes: 2 * MEBI })]]);
    for (const ref of ['mouse', digest.slice(0, 8), digest])
      expect((await client.request('get_model_info', { ref })).entry.digest).toBe(digest);
    expect((await client.request('get_manifest', { digest })).manifest).toEqual(manifest);
    const before = await getChunks(client, digest, manifest.chunks);
    expect([before.got.length, before.missing.length]).toEqual([2, 2]);
    finish();
    await received;
    const after = await getChunks(client, digest, manifest.chunks);
    expect([after.got.length, after.missing]).toEqual([4, []]);
    expect((await client.request('get_model_info', { ref: 'mouse' })).entry.partialBytes).toBeUndefined();
  });

  it('gives a list that is full a further page', async () => {
    const { registry, finish, received } = await fetching();
    const client = await connectTo(registry, ['partial']);
    const folder = await mkdtemp(join(tmpdir(), 'model-rtc-partial-'));
    afterTest(() => rm(folder, { recursive: true }));
    await writeFile(join(folder, 'other.pt'), 'other');
    await registry.importModel(join(folder, 'other.pt'), { copy: true });
    const first = await client.request('list_models', { limit: 1 });
    const second = await client.request('list_models', { limit: 1, cursor: first.nextCursor });
    expect([first, second].map(({ total, models }) => [total, models[0]?.partialBytes])).toEqual([
      [2, undefined],
      [2, 2 * MEBI],
    ]);
    expect(second.nextCursor).toBeUndefined();
    finish();
    await received;
  });

  it('tells nobody of it who would not know what that is', async () => {
    const { registry, finish, received } = await fetching();
    const client = await connectTo(registry, []);
    expect(await client.request('list_models', {})).toMatchObject({ models: [], total: 0 });
    expect(await failure(client.request('get_model_info', { ref: 'mouse' }))).toMatchObject({ code: 'not_found' });
    finish();
    await received;
  });

  it('has it no more when it gives up', async () => {
    const { registry, digest, manifest, stop, received } = await fetching();
    const client = await connectTo(registry, ['partial']);
    await getChunks(client, digest, manifest.chunks);
    stop();
    await failure(received);
    expect(await client.request('list_models', {})).toMatchObject({ total: 0 });
    expect(await failure(getChunks(client, digest, manifest.chunks))).toMatchObject({ code: 'not_found' });
  });
});

/** The SHA-256 of a manifest's list, as docs/protocol.md says. */
function listOf({ files, chunks }: Manifest): Digest {
  const lines = [
    ...files.map(({ size, path }) => `${size} ${path}\n`),
    ...chunks.map((c) => `${c.digest} ${c.size}\n`),
  ];
  return sha256Digest(Buffer.from(lines.join('')));
}

describe('follow_chunks', () => {
  it('tells which chunks are there, each that comes, and when the model is whole', async () => {
    const { registry, digest, manifest, finish, received } = await fetching();
    const client = await connectTo(registry, ['partial']);
    const has = new Set<number>();
    const first = deferred();
    const following = client.request(
      'follow_chunks',
      { digest, list: listOf(manifest) },
      {
        onEvent({ from = 0, bits = new Uint8Array(), places = [] }) {
          for (let place = 0; place < 8 * bits.length; place++)
            if (((bits[place >> 3] ?? 0) >> (place & 7)) & 1) has.add(from + place);
          for (const place of places) has.add(place);
          first.resolve();
        },
      },
    );
    await first.promise;
    expect([...has]).toEqual([0, 1]);
    finish();
    await received;
    expect(await following).toEqual({ whole: true });
    expect(await client.request('follow_chunks', { digest, list: listOf(manifest) })).toEqual({ whole: true });
  });

  it('says when the machine gave up, and refuses other lists, other models and too many at once', async () => {
    const { registry, digest, manifest, stop, received } = await fetching();
    const client = await connectTo(registry, []);
    const follow = (list = listOf(manifest), model = digest) =>
      client.request('follow_chunks', { digest: model, list });
    expect(await failure(follow('0'.repeat(64) as Digest))).toMatchObject({ code: 'bad_argument' });
    expect(await failure(follow(listOf(manifest), '0'.repeat(64) as Digest))).toMatchObject({ code: 'not_found' });
    const all = Array.from({ length: 16 }, () => follow());
    expect(await failure(follow())).toMatchObject({ code: 'busy' });
    stop();
    await failure(received);
    expect(await Promise.all(all)).toEqual(all.map(() => ({ whole: false })));
  });

  it('puts every chunk into events that are short enough', () => {
    const has = Uint8Array.from({ length: 380_000 }, (_, place) => (place % 3) & 1);
    const heard = new Uint8Array(has.length);
    for (const { from = 0, bits = new Uint8Array() } of asBits(has)) {
      expect(bits.length).toBeLessThanOrEqual(MAX_FOLLOWED_BYTES);
      for (let i = 0; i < 8 * bits.length && from + i < has.length; i++)
        heard[from + i] = ((bits[i >> 3] ?? 0) >> (i & 7)) & 1;
    }
    expect(Buffer.compare(heard, has)).toBe(0);
    const more = [...asPlaces(has, new Uint8Array(has.length))].flatMap(({ places = [] }) => [places.length]);
    expect(Math.max(...more)).toBeLessThanOrEqual(MAX_FOLLOWED_PLACES);
    expect(more.reduce((sum, count) => sum + count)).toBe(has.filter((there) => there === 1).length);
  });
});

describe('plan_push', () => {
  it('says what a push would move, and stores nothing', async () => {
    const { registry, digest, manifest, finish, received } = await fetching();
    const client = await connectTo(registry, []);
    const nothing = { reusedBytes: 0, resumedBytes: 2 * MEBI, transferBytes: 2 * MEBI, exists: false };
    expect(await client.request('plan_push', { manifest })).toEqual(nothing);
    finish();
    await received;
    expect(await client.request('plan_push', { manifest })).toMatchObject({ transferBytes: 0, exists: true });
    expect((await registry.check(digest)).valid).toBe(true);
  });
});
