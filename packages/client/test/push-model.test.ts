import { mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { acquireLock } from '@model-rtc/files';
import { ModelRtcError } from '@model-rtc/protocol';
import { toModelEntry } from '@model-rtc/registry';
import type { ModelProgress } from '../src/index.ts';
import {
  ChunkHold,
  cutAfter,
  failure,
  gate,
  importBytes,
  openLab,
  openTestRegistry,
  seededBytes,
} from './support/lab.ts';

const MEBI = 1024 * 1024;
const BYTES = seededBytes(3 * MEBI + 1000, 1);

describe('pushModel', () => {
  it('brings a model to the worker, byte for byte, and does nothing when it is there', async () => {
    const { client, here, there } = await openLab();
    const model = await importBytes(here, BYTES, { alias: 'mouse' });
    const pushed = await client.pushModel('mouse');
    expect(pushed).toMatchObject({
      outcome: 'pushed',
      transferredBytes: BYTES.length,
      reusedBytes: 0,
      resumedBytes: 0,
      entry: { digest: model.digest, alias: 'mouse', source: 'client-upload' },
    });
    const { localPath } = (await there.resolve('mouse')).entry;
    expect((await readFile(join(localPath, 'weights.pt'))).equals(BYTES)).toBe(true);
    expect(await client.pushModel(model.original)).toMatchObject({ outcome: 'already_there', transferredBytes: 0 });
  });

  it('tells the worker nothing of where the model is on this machine', async () => {
    const { client, here, there } = await openLab();
    await importBytes(here, BYTES, { alias: 'mouse', copy: false });
    const { entry } = await client.pushModel('mouse');
    const kept = JSON.stringify(await there.list({ filters: {}, sort: 'date', limit: 1 }));
    expect(JSON.stringify(entry) + kept).not.toContain(here.paths.root);
  });

  it('sends of a fine-tune only what the worker does not have', async () => {
    const { client, here } = await openLab();
    await importBytes(here, BYTES, { alias: 'base' });
    await importBytes(here, Buffer.concat([BYTES.subarray(0, 3 * MEBI), seededBytes(5000, 2)]), { alias: 'tuned' });
    await client.pushModel('base');
    expect(await client.pushModel('tuned')).toMatchObject({ transferredBytes: 5000, reusedBytes: 3 * MEBI });
  });

  it('says not_found_locally for what is not here, with exit code 4', async () => {
    const { client } = await openLab();
    expect(await failure(client.pushModel('mouse'))).toMatchObject({ code: 'not_found_locally', exitCode: 4 });
  });

  it('refuses a model that is damaged here, and reads a linked one again that changed', async () => {
    const { client, here, there } = await openLab();
    const copied = await importBytes(here, BYTES, { alias: 'copied' });
    await writeFile(join(copied.localPath, 'weights.pt'), 'other');
    const damaged = await failure(client.pushModel('copied'));
    expect(damaged).toMatchObject({ code: 'verification_failed', exitCode: 6 });
    expect(damaged.message).toContain('on this machine');
    const linked = await importBytes(here, seededBytes(2000, 2), { alias: 'linked', copy: false });
    await writeFile(linked.original, seededBytes(3000, 3));
    const changed: unknown[] = [];
    const push = async () => await client.pushModel('linked', { onChangedFiles: ({ digest }) => changed.push(digest) });
    const { entry } = await push();
    expect(entry.digest).not.toBe(linked.digest);
    await push();
    expect(changed).toEqual([entry.digest]);
    expect((await there.resolve('linked')).entry.size).toBe(3000);
  });
});

describe('a worker that is pushed to', () => {
  it('refuses a manifest that is not of the model that is named', async () => {
    const { here, there, peer } = await openLab();
    const model = await importBytes(here, BYTES, { alias: 'mouse' });
    const other = await importBytes(here, seededBytes(10, 2));
    const params = { manifest: await here.manifest(other.digest), entry: toModelEntry(model) };
    const error = await failure((await peer()).request('push_model', params));
    expect(error).toMatchObject({ code: 'invalid_model', exitCode: 6 });
    expect((await there.list({ filters: {}, sort: 'date', limit: 1 })).total).toBe(0);
  });
});

describe('the alias of a pushed model', () => {
  it('stays what it is at the worker, unless another was asked for', async () => {
    const { client, here } = await openLab();
    const { id } = await importBytes(here, BYTES, { alias: 'mine' });
    expect((await client.pushModel('mine', { alias: 'theirs' })).entry.alias).toBe('theirs');
    expect((await client.pushModel('mine')).entry.alias).toBe('theirs');
    expect((await client.pushModel('mine', { ifExists: 'overwrite' })).entry.alias).toBe('theirs');
    expect((await client.pushModel(id, { alias: 'ours' })).entry.alias).toBe('ours');
    expect((await here.resolve(id)).entry.alias).toBe('mine');
  });

  it('is refused before a byte is sent when another model there has it, and taken over with overwrite', async () => {
    const { client, here, there, connections } = await openLab();
    const owner = await importBytes(there, seededBytes(10, 2), { alias: 'mouse' });
    const { digest } = await importBytes(here, BYTES, { alias: 'mouse' });
    const error = await failure(client.pushModel('mouse'));
    expect(error).toMatchObject({ code: 'alias_taken', exitCode: 8, details: { owner: { id: owner.id } } });
    expect(error.message).toMatch(/^At the worker the alias "mouse" .*"mouse-2"/);
    expect(connections[0]?.lanes[0].stats().sentBytes).toBeLessThan(10_000);
    expect((await client.pushModel('mouse', { ifExists: 'overwrite' })).entry.alias).toBe('mouse');
    expect((await there.resolve('mouse')).entry.digest).toBe(digest);
  });
});

describe('a push of a model that the worker has from its owner', () => {
  const SAID = { name: 'Theirs', tags: ['owned'], notes: 'By the owner.' };

  it('changes nothing that the owner said of it, whatever is asked for', async () => {
    const { client, here, there, peer } = await openLab();
    const owned = await importBytes(there, BYTES, { alias: 'theirs', ...SAID });
    const mine = await importBytes(here, BYTES, { alias: 'mine', name: 'Mine', tags: ['taken'] });
    const before = (await there.resolve('theirs')).entry;
    for (const ifExists of ['skip', 'overwrite'] as const) {
      expect(await client.pushModel('mine', { ifExists })).toMatchObject({ outcome: 'already_there' });
      const renaming = await failure(client.pushModel('mine', { ifExists, alias: 'ours' }));
      expect(renaming).toMatchObject({ code: 'refused', message: expect.stringContaining('only its owner') });
      const entry = {
        ...toModelEntry(mine),
        name: 'Evil',
        license: 'none',
        tags: ['evil'],
        lineage: { parents: ['x'] },
      };
      await (await peer()).request('push_model', { manifest: await here.manifest(owned.digest), entry, ifExists });
    }
    expect((await there.resolve(owned.id)).entry).toEqual(before);
  });

  it('brings its files where they are damaged, and leaves what is said of it', async () => {
    const { client, here, there } = await openLab();
    const { localPath, id, digest } = await importBytes(there, BYTES, { alias: 'theirs', ...SAID });
    await importBytes(here, BYTES, { alias: 'mine', name: 'Mine', tags: ['taken'] });
    await writeFile(join(localPath, 'weights.pt'), 'damaged');
    expect(await client.pushModel('mine')).toMatchObject({ outcome: 'pushed', entry: { alias: 'theirs', ...SAID } });
    expect((await there.resolve(id)).entry).toMatchObject({ source: 'local-import', alias: 'theirs', ...SAID });
    expect((await there.check(digest)).valid).toBe(true);
  });
});

describe('a push whose connection is lost', () => {
  it('goes on over a new one, and counts what all of them brought', async () => {
    const { client, here, connections } = await openLab({
      onConnection: ({ lanes }, number) => number <= 2 && cutAfter(lanes[0], 1.3 * MEBI),
    });
    await importBytes(here, BYTES, { alias: 'mouse' });
    const seen: ModelProgress[] = [];
    const report = await client.pushModel('mouse', { onProgress: (progress) => seen.push(progress) });
    expect(report).toMatchObject({ outcome: 'pushed', transferredBytes: BYTES.length, resumedBytes: 0 });
    expect(connections).toHaveLength(3);
    expect(seen.filter(({ type }) => type === 'reconnecting')).toHaveLength(2);
  });

  it('says pushed when only the answer was lost', async () => {
    const lab = await openLab({
      onConnection: ({ lanes }, number) => {
        if (number > 1) return;
        lanes[1].faults.damage((message) => {
          if (!Buffer.from(message).includes('installed')) return message;
          lanes[1].faults.cut();
          return undefined;
        });
      },
    });
    await importBytes(lab.here, BYTES, { alias: 'mouse' });
    const report = await lab.client.pushModel('mouse');
    expect(report).toMatchObject({
      outcome: 'pushed',
      transferredBytes: BYTES.length,
      reusedBytes: 0,
      resumedBytes: 0,
    });
    expect(lab.connections).toHaveLength(2);
  });

  it('is not made again when the session was revoked', async () => {
    const lab = await openLab();
    await importBytes(lab.here, BYTES, { alias: 'mouse' });
    const pushing = lab.client.pushModel('mouse', {
      onProgress: () => void lab.connections[0]?.worker.close(new ModelRtcError('token_revoked', 'It was revoked.')),
    });
    expect(await failure(pushing)).toMatchObject({ code: 'token_revoked', exitCode: 8 });
    expect(lab.connections).toHaveLength(1);
  });
});

describe('what a client serves', () => {
  it('is nothing but the model that it pushes, and only while it does', async () => {
    const { client, here, there, connections } = await openLab();
    const pushed = await importBytes(here, BYTES, { alias: 'pushed' });
    const other = await importBytes(here, seededBytes(2000, 2), { alias: 'other' });
    const worker = connections[0]?.worker;
    const ask = async (model: typeof pushed) => {
      const { chunks } = await here.manifest(model.digest);
      const wanted = { digest: model.digest, chunks: [{ index: 0, digest: chunks[0]?.digest as typeof model.digest }] };
      return await failure(worker?.request('get_chunks', wanted) ?? Promise.reject());
    };
    expect(await ask(pushed)).toMatchObject({ code: 'refused' });
    const asked: Promise<unknown>[] = [];
    await client.pushModel('pushed', { onProgress: () => asked.length === 0 && asked.push(ask(other)) });
    expect(await asked[0]).toMatchObject({ code: 'refused' });
    expect(await ask(pushed)).toMatchObject({ code: 'refused' });
    expect((await there.find(pushed.digest))?.alias).toBe('pushed');
  });
});

describe('a push of a model that changes while it is sent', () => {
  it('begins again with the new content, and says which file of this machine changed', async () => {
    const lab = await openLab();
    const model = await importBytes(lab.here, BYTES, { alias: 'mouse', copy: false });
    const changed = Buffer.concat([BYTES.subarray(0, 3 * MEBI), seededBytes(2000, 5)]);
    const seen: ModelProgress[] = [];
    let isChanged: Promise<void> | undefined;
    const lock = await acquireLock(await stagingLock(lab.there.paths.staging, model.digest));
    const { entry } = await lab.client.pushModel('mouse', {
      onProgress: (progress) => {
        seen.push(progress);
        // The worker waits for its staging folder: nothing was sent yet.
        isChanged ??= writeFile(model.original, changed).then(() => lock.release());
      },
    });
    await isChanged;
    const reasons = seen.flatMap((progress) => (progress.type === 'source_changed' ? [progress.reason] : []));
    expect(reasons).toEqual([expect.stringContaining(lab.here.paths.models)]);
    expect((await lab.there.resolve('mouse')).entry.digest).toBe(entry.digest);
    expect(entry.size).toBe(changed.length);
  });

  it('ends when it is no link that could be read again', async () => {
    const lab = await openLab();
    const model = await importBytes(lab.here, BYTES, { alias: 'mouse' });
    const lock = await acquireLock(await stagingLock(lab.there.paths.staging, model.digest));
    const touched = gate();
    const pushing = lab.client.pushModel('mouse', {
      onProgress: () => touched.open(),
    });
    const failed = failure(pushing);
    await touched.opened;
    await utimes(join(model.localPath, 'weights.pt'), 1, 1);
    await lock.release();
    expect(await failed).toMatchObject({ code: 'verification_failed', exitCode: 6 });
  });
});

describe('pushes of one model by two clients at once', () => {
  it('send it once, and both have it there', async () => {
    const { client, here, there, connect } = await openLab();
    const elsewhere = await openTestRegistry();
    for (const registry of [here, elsewhere]) await importBytes(registry, BYTES, { alias: 'mouse' });
    const other = await connect(elsewhere);
    const reports = await Promise.all([client.pushModel('mouse'), other.pushModel('mouse')]);
    expect(reports.map(({ outcome }) => outcome).sort()).toEqual(['already_there', 'pushed']);
    expect(reports.reduce((sum, { transferredBytes }) => sum + transferredBytes, 0)).toBe(BYTES.length);
    expect(await readdir(there.paths.staging)).toEqual([]);
  });

  it('let the one that waits be cancelled, and the same command be run again at once', async () => {
    const { client, here, there } = await openLab();
    const model = await importBytes(here, BYTES, { alias: 'mouse' });
    const lock = await acquireLock(await stagingLock(there.paths.staging, model.digest));
    const waiting = gate();
    const stopped = new AbortController();
    const pushing = client.pushModel('mouse', {
      signal: stopped.signal,
      onProgress: (progress) => {
        if (progress.type === 'remote' && progress.reason === 'waiting_for_lock') waiting.open();
      },
    });
    // The worker says what it waits for.
    await waiting.opened;
    stopped.abort();
    expect(await failure(pushing)).toMatchObject({ code: 'cancelled', exitCode: 130 });
    await lock.release();
    expect(await client.pushModel('mouse')).toMatchObject({ outcome: 'pushed' });
  });
});

describe('a push that is cancelled', () => {
  it('ends at the worker too, which keeps what came and goes on from there', async () => {
    const clientHold = new ChunkHold(1);
    const lab = await openLab({ clientHold });
    await importBytes(lab.here, BYTES, { alias: 'mouse' });
    const stopped = new AbortController();
    const pushing = lab.client.pushModel('mouse', {
      signal: stopped.signal,
      onProgress: (progress) => progress.type === 'remote' && progress.doneBytes >= MEBI && stopped.abort(),
    });
    expect(await failure(pushing)).toMatchObject({ code: 'cancelled' });
    clientHold.release();
    const again = await lab.client.pushModel('mouse');
    expect(again.outcome).toBe('pushed');
    expect(again.resumedBytes).toBeGreaterThanOrEqual(MEBI);
    expect(again.transferredBytes).toBe(BYTES.length - again.resumedBytes);
  });
});

describe('a push to a worker that lies', () => {
  it('fails when the worker says that it has another model now', async () => {
    const lab = await openLab({
      handlers: {
        push_model: async ({ entry }) => ({
          entry: { ...entry, digest: other.digest },
          outcome: 'installed' as const,
          transferredBytes: 0,
          reusedBytes: 0,
          resumedBytes: 0,
        }),
      },
    });
    await importBytes(lab.here, BYTES, { alias: 'mouse' });
    const other = await importBytes(lab.here, seededBytes(10, 2));
    expect(await failure(lab.client.pushModel('mouse'))).toMatchObject({ code: 'verification_failed' });
  });
});

async function stagingLock(staging: string, digest: string): Promise<string> {
  await mkdir(join(staging, digest), { recursive: true });
  return join(staging, digest, 'lock');
}
