import { readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type Digest, ModelRtcError } from '@model-rtc/protocol';
import type { ModelProgress } from '../src/index.ts';
import {
  afterChunkBytes,
  ChunkHold,
  cutAfter,
  failure,
  gate,
  importBytes,
  openLab,
  seededBytes,
} from './support/lab.ts';

const MEBI = 1024 * 1024;
/** Three chunks of 1 MiB and a rest. */
const BYTES = seededBytes(3 * MEBI + 1000, 1);

async function weights(localPath: string): Promise<Buffer> {
  return await readFile(join(localPath, 'weights.pt'));
}

describe('pullModel', () => {
  it('brings a model by alias, id, digest and the start of a digest, byte for byte', async () => {
    const { client, there, here } = await openLab();
    const model = await importBytes(there, BYTES, { alias: 'mouse' });
    const pulled = await client.pullModel('mouse');
    expect(pulled).toMatchObject({
      outcome: 'pulled',
      transferredBytes: BYTES.length,
      reusedBytes: 0,
      resumedBytes: 0,
      entry: { digest: model.digest, alias: 'mouse', source: 'worker-pull', linked: false },
      lanes: [{ kind: 'memory' }],
    });
    expect((await weights(pulled.entry.localPath)).equals(BYTES)).toBe(true);
    expect(await readdir(here.paths.staging)).toEqual([]);
    for (const ref of [model.id, model.digest, model.digest.slice(0, 7)]) {
      expect(await client.pullModel(ref)).toMatchObject({ outcome: 'already_there', transferredBytes: 0 });
    }
  });

  it('fetches of a fine-tune only what its base does not have', async () => {
    const { client, there } = await openLab();
    const tuned = Buffer.concat([BYTES.subarray(0, 3 * MEBI), seededBytes(5000, 2)]);
    await importBytes(there, BYTES, { alias: 'base' });
    await importBytes(there, tuned, { alias: 'tuned' });
    await client.pullModel('base');
    const { entry, ...report } = await client.pullModel('tuned');
    expect(report).toMatchObject({ transferredBytes: 5000, reusedBytes: 3 * MEBI });
    expect((await weights(entry.localPath)).equals(tuned)).toBe(true);
  });

  it('says not_found for what the worker does not have, with exit code 3 and the names that may be meant', async () => {
    const { client, there } = await openLab();
    await importBytes(there, BYTES, { alias: 'mouse' });
    const error = await failure(client.pullModel('mouze'));
    expect(error).toMatchObject({ code: 'not_found', exitCode: 3 });
    expect(error.message).toContain('"mouse"');
    const { localPath } = (await there.resolve('mouse')).entry;
    expect(await failure(client.pullModel(localPath))).toMatchObject({ code: 'not_found' });
  });

  it('tells what is damaged at the worker before a byte is sent', async () => {
    const { client, there } = await openLab();
    const { localPath } = await importBytes(there, BYTES, { alias: 'mouse', copy: true });
    await writeFile(join(localPath, 'weights.pt'), seededBytes(BYTES.length, 9));
    const told: unknown[] = [];
    await failure(client.pullModel('mouse', { onModel: ({ incomplete }) => told.push(incomplete) }));
    expect(told[0]).toEqual([{ path: 'weights.pt', problem: 'is damaged: it was changed since it was hashed' }]);
  });

  it('names the file that is missing at the worker, before a byte is sent', async () => {
    const { client, there } = await openLab();
    const { original } = await importBytes(there, BYTES, { alias: 'mouse', copy: false });
    await rm(original);
    const error = await failure(client.pullModel('mouse'));
    expect(error).toMatchObject({ code: 'not_found', details: { file: 'weights.pt' } });
    expect(error.message).toContain('weights.pt, its main file, is missing there');
  });

  it('fetches what is damaged here', async () => {
    const { client, there } = await openLab();
    await importBytes(there, BYTES, { alias: 'mouse' });
    const { entry } = await client.pullModel('mouse');
    const path = join(entry.localPath, 'weights.pt');
    const damaged = Buffer.from(BYTES);
    damaged[10] = 1 + (damaged[10] as number);
    await writeFile(path, damaged);
    await utimes(path, new Date(0), new Date(0));
    expect(await client.pullModel('mouse')).toMatchObject({ outcome: 'pulled' });
    expect((await weights(entry.localPath)).equals(BYTES)).toBe(true);
  });
});

describe('the alias of a pulled model', () => {
  it('is the one that was asked for, else the one at the worker', async () => {
    const { client, there } = await openLab();
    await importBytes(there, BYTES, { alias: 'mouse' });
    expect((await client.pullModel('mouse', { alias: 'mine' })).entry.alias).toBe('mine');
    expect((await client.pullModel('mouse')).entry.alias).toBe('mine');
    expect((await client.pullModel('mouse', { alias: 'ours' })).entry.alias).toBe('ours');
  });

  it('is kept when a model that is here is repaired or verified, unless another is asked for', async () => {
    const { client, there, here } = await openLab();
    await importBytes(there, BYTES, { alias: 'theirs' });
    const { entry } = await client.pullModel('theirs', { alias: 'mine' });
    await importBytes(here, seededBytes(10, 3), { alias: 'theirs' });
    const verified = await client.pullModel('theirs', { ifExists: 'overwrite' });
    expect(verified).toMatchObject({ outcome: 'pulled', entry: { alias: 'mine' }, reusedBytes: BYTES.length });
    await utimes(join(entry.localPath, 'weights.pt'), new Date(0), new Date(0));
    expect((await client.pullModel('theirs')).entry.alias).toBe('mine');
  });

  it('is refused when another model has it, before a byte or even the manifest is asked for', async () => {
    const asked: string[] = [];
    const { client, there, here } = await openLab({
      handlers: {
        get_manifest: async () => {
          asked.push('get_manifest');
          throw new ModelRtcError('unexpected', 'It is not to be asked for.');
        },
      },
    });
    await importBytes(there, BYTES, { alias: 'mouse' });
    const owner = await importBytes(here, seededBytes(10, 2), { alias: 'mouse' });
    for (const options of [{}, { alias: 'mouse' }]) {
      const error = await failure(client.pullModel('mouse', options));
      expect(error).toMatchObject({ code: 'alias_taken', exitCode: 8, details: { owner: { id: owner.id } } });
      expect(error.message).toContain('mouse-2');
    }
    expect(asked).toEqual([]);
  });

  it('is taken over with overwrite', async () => {
    const { client, there, here } = await openLab();
    await importBytes(there, BYTES, { alias: 'mouse' });
    const owner = await importBytes(here, seededBytes(10, 2), { alias: 'mouse' });
    const { entry } = await client.pullModel('mouse', { ifExists: 'overwrite' });
    expect((await here.resolve('mouse')).entry.digest).toBe(entry.digest);
    expect((await here.find(owner.digest))?.alias).toBeUndefined();
  });

  it('of the worker does not stand in the way of a model that is here without one', async () => {
    const { client, there, here } = await openLab();
    const model = await importBytes(there, BYTES, { alias: 'mouse' });
    await importBytes(here, BYTES);
    await importBytes(here, seededBytes(10, 2), { alias: 'mouse' });
    const { entry, outcome } = await client.pullModel('mouse');
    expect({ outcome, digest: entry.digest, alias: entry.alias }).toEqual({
      outcome: 'already_there',
      digest: model.digest,
      alias: undefined,
    });
  });
});

describe('pullModel from a worker that lies', () => {
  it('refuses a manifest that is not of the model', async () => {
    const lab = await openLab({
      handlers: { get_manifest: async () => ({ manifest: await lab.there.manifest(other.digest) }) },
    });
    await importBytes(lab.there, BYTES, { alias: 'mouse' });
    const other = await importBytes(lab.there, seededBytes(10, 2));
    expect(await failure(lab.client.pullModel('mouse'))).toMatchObject({ code: 'verification_failed', exitCode: 6 });
    expect((await lab.here.list({ filters: {}, sort: 'date', limit: 1 })).total).toBe(0);
  });

  it('refuses another model than the one whose digest was given', async () => {
    const lab = await openLab({
      handlers: {
        get_model_info: async () => ({ entry: { ...other, alias: undefined }, resolvedBy: 'digest' as const }),
      },
    });
    const asked = await importBytes(lab.there, BYTES);
    const other = await importBytes(lab.there, seededBytes(10, 2));
    for (const ref of [asked.digest, asked.digest.slice(0, 9).toUpperCase(), asked.id])
      expect(await failure(lab.client.pullModel(ref))).toMatchObject({ code: 'verification_failed' });
  });

  it('refuses chunks that are not what the manifest says, and names the file', async () => {
    const lab = await openLab({
      handlers: {
        get_chunks: async ({ chunks }, context) => {
          for (const { index } of chunks) await context.sendChunk(index, seededBytes(MEBI, 9).subarray(0, 1000));
          return {};
        },
      },
    });
    await importBytes(lab.there, seededBytes(1000, 1), { alias: 'mouse' });
    const error = await failure(lab.client.pullModel('mouse'));
    expect(error).toMatchObject({ code: 'verification_failed', details: { file: 'weights.pt' } });
    expect(await readdir(lab.here.paths.models)).toEqual(['registry.json']);
  });

  it('gives up after some tries when the worker tells of a model and does not give it', async () => {
    const lab = await openLab({
      handlers: {
        get_manifest: async () => {
          throw new ModelRtcError('not_found', 'The worker does not have it.');
        },
      },
    });
    await importBytes(lab.there, BYTES, { alias: 'mouse' });
    const seen: ModelProgress[] = [];
    const error = await failure(lab.client.pullModel('mouse', { onProgress: (progress) => seen.push(progress) }));
    expect(error).toMatchObject({ code: 'source_changed', exitCode: 6 });
    expect(seen.filter(({ type }) => type === 'source_changed')).toHaveLength(3);
  });
});

describe('a pull whose connection is lost', () => {
  it('goes on over a new one, and counts what all of them brought', async () => {
    const { client, there, connections } = await openLab({
      onConnection: ({ lanes }, number) => number <= 2 && cutAfter(lanes[1], 1.3 * MEBI),
    });
    await importBytes(there, BYTES, { alias: 'mouse' });
    const seen: ModelProgress[] = [];
    const report = await client.pullModel('mouse', { onProgress: (progress) => seen.push(progress) });
    expect(report).toMatchObject({ transferredBytes: BYTES.length, reusedBytes: 0, resumedBytes: 0 });
    expect((await weights(report.entry.localPath)).equals(BYTES)).toBe(true);
    expect(connections).toHaveLength(3);
    expect(seen.filter(({ type }) => type === 'reconnecting')).toHaveLength(2);
    expect(report.workers).toMatchObject([{ bytes: BYTES.length, lanes: [{ kind: 'memory', count: 3 }] }]);
    const lastSent = connections[2]?.lanes[1].stats().sentBytes ?? 0;
    expect(lastSent).toBeLessThan(2.5 * MEBI);
  });

  it('tells what an earlier command had fetched from what its own connections fetched', async () => {
    const cutAt = [1.3 * MEBI, 1.3 * MEBI];
    const { client, there, here, connect, connections } = await openLab({
      onConnection: ({ lanes }) => {
        const bytes = cutAt.shift();
        if (bytes !== undefined) cutAfter(lanes[1], bytes);
      },
    });
    await importBytes(there, BYTES, { alias: 'mouse' });
    const stopped = new AbortController();
    const first = client.pullModel('mouse', {
      signal: stopped.signal,
      onProgress: ({ type }) => type === 'reconnecting' && stopped.abort(),
    });
    expect(await failure(first)).toMatchObject({ code: 'cancelled', exitCode: 130 });
    const second = await (await connect(here)).pullModel('mouse');
    expect(second.resumedBytes).toBe(MEBI);
    expect(second.transferredBytes).toBe(BYTES.length - MEBI);
    expect(connections.length).toBeGreaterThan(2);
  });

  it('counts what this disk had apart, over all connections', async () => {
    const tuned = Buffer.concat([BYTES.subarray(0, MEBI), seededBytes(3 * MEBI, 2)]);
    // The four chunks of the base, and one more.
    const hold = new ChunkHold(5);
    const { client, there, connections } = await openLab({ hold });
    await importBytes(there, BYTES, { alias: 'base' });
    await importBytes(there, tuned, { alias: 'tuned' });
    await client.pullModel('base');
    const report = await client.pullModel('tuned', {
      onProgress: (progress) => {
        if (progress.type !== 'transfer' || progress.doneBytes !== 2 * MEBI) return;
        connections[0]?.lanes[0].faults.cut();
        hold.release();
      },
    });
    expect(report).toMatchObject({ transferredBytes: 3 * MEBI, reusedBytes: MEBI, resumedBytes: 0 });
    expect(connections).toHaveLength(2);
  });

  it('is noticed when the lane hangs, and goes on', async () => {
    const { client, there, connections } = await openLab({
      onConnection: ({ lanes }, number) => {
        if (number === 1) afterChunkBytes(lanes[1], 1.3 * MEBI, () => lanes[1].faults.hang());
      },
    });
    await importBytes(there, BYTES, { alias: 'mouse' });
    expect(await client.pullModel('mouse')).toMatchObject({ outcome: 'pulled', transferredBytes: BYTES.length });
    expect(connections).toHaveLength(2);
  });

  it('goes on when a chunk frame was damaged on its way, and asks for that chunk alone again', async () => {
    const { client, there } = await openLab({
      onConnection: ({ lanes }) => {
        let isDamaged = false;
        lanes[1].faults.damage((message) => {
          if (message[0] === 0xc1 && !isDamaged) message.set([(message[1000] as number) ^ 1], 1000);
          isDamaged ||= message[0] === 0xc1;
          return message;
        });
      },
    });
    await importBytes(there, BYTES, { alias: 'mouse' });
    const { entry, transferredBytes } = await client.pullModel('mouse');
    expect(transferredBytes).toBe(BYTES.length);
    expect((await weights(entry.localPath)).equals(BYTES)).toBe(true);
  });

  it('is given up when nothing comes for two minutes, with what came kept', async () => {
    const { client, there, here, clock } = await openLab({
      onConnection: ({ lanes }, number) => {
        if (number === 1) cutAfter(lanes[1], 1.3 * MEBI);
        else throw new ModelRtcError('network', 'No server answers.');
      },
    });
    await importBytes(there, BYTES, { alias: 'mouse' });
    const error = await failure(client.pullModel('mouse'));
    expect(error).toMatchObject({ code: 'timeout', exitCode: 9 });
    expect(error.message).toMatch(/2 minutes.*run the same command again.*No server answers/);
    expect(clock.waits.slice(0, 7)).toEqual([250, 500, 1000, 2000, 4000, 8000, 8000]);
    expect(clock.waits.reduce((sum, ms) => sum + ms, 0)).toBeGreaterThan(110_000);
    expect(await readdir(here.paths.staging)).toHaveLength(1);
  });

  it('is not made again when the session was revoked: that is exit code 8', async () => {
    const lab = await openLab();
    await importBytes(lab.there, BYTES, { alias: 'mouse' });
    const pulling = lab.client.pullModel('mouse', {
      onProgress: (progress) => {
        if (progress.type !== 'transfer' || progress.state !== 'transferring') return;
        void lab.connections[0]?.worker.close(new ModelRtcError('token_revoked', 'This session was revoked.'));
      },
    });
    expect(await failure(pulling)).toMatchObject({ code: 'token_revoked', exitCode: 8 });
    expect(lab.connections).toHaveLength(1);
    expect(lab.clock.waits).toEqual([]);
  });

  it('is refused with each request once the session is not good any more', async () => {
    let revoked = false;
    const lab = await openLab({
      authority: {
        scopes: ['read'],
        check: () => {
          if (revoked) throw new ModelRtcError('token_revoked', 'This session was revoked.');
        },
      },
    });
    await importBytes(lab.there, BYTES, { alias: 'mouse' });
    revoked = true;
    expect(await failure(lab.client.pullModel('mouse'))).toMatchObject({ code: 'token_revoked', exitCode: 8 });
  });
});

describe('a pull that is cancelled', () => {
  it('keeps what came, and the same command goes on from there at once', async () => {
    const stopped = new AbortController();
    const hold = new ChunkHold(1);
    const { client, there, here } = await openLab({ hold });
    await importBytes(there, BYTES, { alias: 'mouse' });
    const pulling = client.pullModel('mouse', {
      signal: stopped.signal,
      onProgress: (progress) => progress.type === 'transfer' && progress.transferredBytes >= MEBI && stopped.abort(),
    });
    expect(await failure(pulling)).toMatchObject({ code: 'cancelled', exitCode: 130 });
    expect((await here.list({ filters: {}, sort: 'date', limit: 1 })).total).toBe(0);
    hold.release();
    const again = await client.pullModel('mouse');
    expect(again.resumedBytes).toBeGreaterThanOrEqual(MEBI);
    expect(again.transferredBytes).toBe(BYTES.length - again.resumedBytes);
  });

  it('tells the next command when the alias means other content by then', async () => {
    const stopped = new AbortController();
    const hold = new ChunkHold(1);
    const { client, there } = await openLab({ hold });
    await importBytes(there, BYTES, { alias: 'mouse' });
    const pulling = client.pullModel('mouse', {
      signal: stopped.signal,
      onProgress: (progress) => progress.type === 'transfer' && progress.transferredBytes >= MEBI && stopped.abort(),
    });
    await failure(pulling);
    hold.release();
    const told: [string | undefined, number][] = [];
    const pull = async () =>
      await client.pullModel('mouse', { onEarlierContent: ({ alias }, bytes) => void told.push([alias, bytes]) });
    await there.remove('mouse');
    await importBytes(there, seededBytes(2000, 9), { alias: 'mouse' });
    await pull();
    expect(told).toEqual([['mouse', expect.any(Number)]]);
    expect(told[0]?.[1]).toBeGreaterThanOrEqual(MEBI);
    // Nothing has to be fetched, so nothing is told.
    await pull();
    expect(told).toHaveLength(1);
  });

  it('ends as cancelled whatever the reason of the signal is', async () => {
    const { client, there } = await openLab();
    await importBytes(there, BYTES, { alias: 'mouse' });
    for (const reason of [undefined, new Error('enough'), 'a text']) {
      const pulling = client.pullModel('mouse', { signal: AbortSignal.abort(reason) });
      expect(await failure(pulling)).toMatchObject({ code: 'cancelled' });
    }
  });

  it('ends with the connection, which is not made again', async () => {
    const { client, there, connections } = await openLab();
    await importBytes(there, BYTES, { alias: 'mouse' });
    const pulling = client.pullModel('mouse', {
      onProgress: (progress) =>
        progress.type === 'transfer' && progress.state === 'transferring' && void client.close(),
    });
    expect(await failure(pulling)).toMatchObject({ code: 'cancelled' });
    expect(await failure(client.listModels())).toMatchObject({ code: 'cancelled' });
    expect(connections).toHaveLength(1);
  });
});

describe('a pull of a model whose files change', () => {
  it('begins again with the new content, and fetches only what is new', async () => {
    const hold = new ChunkHold(1);
    const { client, there } = await openLab({ hold });
    const model = await importBytes(there, BYTES, { alias: 'mouse', copy: false });
    const changed = Buffer.concat([BYTES.subarray(0, 3 * MEBI), seededBytes(2000, 5)]);
    const told = gate();
    const seen: ModelProgress[] = [];
    const pulling = client.pullModel('mouse', {
      onProgress: (progress) => {
        seen.push(progress);
        if (progress.type === 'transfer' && progress.transferredBytes >= MEBI) told.open();
      },
    });
    await told.opened;
    await writeFile(model.original, changed);
    hold.release();
    const { entry, outcome } = await pulling;
    expect({ outcome, alias: entry.alias }).toEqual({ outcome: 'pulled', alias: 'mouse' });
    const changes = seen.flatMap((progress) => (progress.type === 'source_changed' ? [progress.reason] : []));
    expect(changes).toEqual([expect.stringContaining('"weights.pt" changed')]);
    expect(changes.join()).not.toContain(there.paths.root);
    expect((await weights(entry.localPath)).equals(changed)).toBe(true);
  });

  it('is refused by an id or digest that is gone, naming the new id', async () => {
    const { client, there } = await openLab();
    const model = await importBytes(there, BYTES, { alias: 'mouse', copy: false });
    await writeFile(model.original, seededBytes(5000, 5));
    const error = await failure(client.pullModel(model.id));
    const now = (await there.resolve('mouse')).entry;
    expect(error).toMatchObject({ code: 'not_found', exitCode: 3, details: { id: now.id, alias: 'mouse' } });
    expect(error.message).toContain(now.id);
    expect((await client.pullModel('mouse')).entry.digest).toBe(now.digest);
  });

  it('waits while the worker is reading them', async () => {
    let asked = 0;
    const lab = await openLab({
      handlers: {
        get_model_info: async () => {
          if (++asked < 3) throw new ModelRtcError('busy', 'The worker is reading the model.');
          return { entry: { ...model, localPath: undefined } as never, resolvedBy: 'alias' as const };
        },
      },
    });
    const model = await importBytes(lab.there, BYTES, { alias: 'mouse' });
    const seen: ModelProgress[] = [];
    await lab.client.pullModel('mouse', { onProgress: (progress) => seen.push(progress) });
    expect(seen.filter(({ type }) => type === 'waiting')).toHaveLength(2);
  });
});

describe('two pulls of one model at once', () => {
  it('fetch it once', async () => {
    const { client, there, here, connect } = await openLab();
    const { digest } = await importBytes(there, BYTES, { alias: 'mouse' });
    const other = await connect(here);
    const reports = await Promise.all([client.pullModel('mouse'), other.pullModel('mouse')]);
    expect(reports.map(({ outcome }) => outcome).sort()).toEqual(['already_there', 'pulled']);
    expect(reports.reduce((sum, { transferredBytes }) => sum + transferredBytes, 0)).toBe(BYTES.length);
    expect((await here.check(digest as Digest)).valid).toBe(true);
    expect(await readdir(here.paths.staging)).toEqual([]);
  });
});
