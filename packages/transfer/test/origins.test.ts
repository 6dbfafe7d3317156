import { describe, expect, it } from '@jest/globals';
import { ModelRtcError, silentLog } from '@model-rtc/protocol';
import type { TransferProgress } from '../src/index.ts';
import { type ChunkSource, SourcePool } from '../src/index.ts';
import { expectFiles } from './support/expectations.ts';
import { makeFileModel } from './support/models.ts';
import { pullModel, temporaryFolder } from './support/pulling.ts';
import {
  damaged,
  type MemorySource,
  type MemorySourceOptions,
  memorySource,
  networkError,
  stalled,
} from './support/sources.ts';

const model = makeFileModel(200_000, 10_000);

/** The same source as one lane of an origin. */
function laneOf(source: MemorySource, id: number, kind = 'webrtc'): MemorySource {
  const engine = kind === 'webrtc' ? 'native' : undefined;
  return { ...source, origin: source.name, lane: { id, kind, engine } };
}

/** Gives so many chunks, and fails. */
function failsAfter(chunks: number, error: ModelRtcError): NonNullable<MemorySourceOptions['alter']> {
  let sent = 0;
  return (_chunk, pieces) => {
    if (sent++ < chunks) return pieces;
    throw error;
  };
}

describe('the lanes of an origin', () => {
  it('are counted apart over reconnects, though each connection numbers its own from the start', async () => {
    const pool = new SourcePool();
    const lost = laneOf(memorySource(model, { alter: failsAfter(5, networkError()) }), 0);
    pool.onChange(({ type }) => type === 'removed' && pool.add(laneOf(memorySource(model), 0, 'relay')));
    pool.add(lost);
    const told: TransferProgress[] = [];
    const outcome = await pullModel(model, {
      staging: await temporaryFolder(),
      sources: pool,
      onProgress: (progress) => told.push(progress),
    });
    expect(outcome.lanes).toMatchObject([
      { source: 'memory', kind: 'webrtc', engine: 'native', bytes: 50_000 },
      { source: 'memory', kind: 'relay', engine: undefined, bytes: 150_000 },
    ]);
    expect(new Set(outcome.lanes.map(({ id }) => id)).size).toBe(2);
    expect(told.at(-1)?.lanes.map(({ kind, bytes }) => [kind, bytes])).toEqual([
      ['webrtc', 50_000],
      ['relay', 150_000],
    ]);
    await outcome.release();
  });
});

describe('an origin whose model has changed', () => {
  it('is left out with all its lanes, and named, and the others give the model', async () => {
    const pool = new SourcePool();
    const warned: string[] = [];
    const error = new ModelRtcError('source_changed', 'weights.bin changed.');
    const changed = memorySource(model, { name: 'changed', alter: failsAfter(2, error) });
    const lanes = [laneOf(changed, 0), laneOf({ ...changed, fetch: stalled('changed').fetch }, 1)];
    for (const source of [...lanes, memorySource(model, { name: 'steady' })]) pool.add(source);
    const outcome = await pullModel(model, {
      staging: await temporaryFolder(),
      sources: pool,
      log: { ...silentLog, warn: (_fields, message) => void warned.push(message) },
      onProgress: ({ dropped }) => dropped.length > 0 && pool.add(laneOf(changed, 2)),
    });
    expect(warned[0]).toBe('changed is no longer used: weights.bin changed.');
    expect(warned).toContain('changed is not used, since it was given up before');
    await expectFiles(outcome.filesFolder, model);
    expect(outcome.dropped).toEqual([{ name: 'changed', reason: 'weights.bin changed.' }]);
    for (const source of lanes) expect(pool.sources).not.toContain(source);
    await outcome.release();
  });
});

describe('an origin that refuses over each of its lanes', () => {
  it('is named once', async () => {
    const pool = new SourcePool();
    const warned: string[] = [];
    const error = new ModelRtcError('token_revoked', 'You are no member any more.');
    const refusing = memorySource(model, { name: 'refusing', alter: failsAfter(0, error) });
    for (const number of [0, 1, 2, 3]) pool.add(laneOf(refusing, number));
    pool.end();
    const log = { ...silentLog, warn: (_fields: object, message: string) => void warned.push(message) };
    const pulling = pullModel(model, { staging: await temporaryFolder(), sources: pool, log });
    await expect(pulling).rejects.toMatchObject({ code: 'token_revoked' });
    expect(warned).toEqual(['refusing is no longer used: You are no member any more.']);
  });
});

describe('an origin that serves wrong bytes', () => {
  it('is dropped with all its lanes after three, and named, when there is another', async () => {
    const pool = new SourcePool();
    const sentWrongBytes = memorySource(model, { name: 'sentWrongBytes', alter: (_c, pieces) => damaged(pieces) });
    const honest = memorySource(model, { name: 'honest' });
    const told: TransferProgress[] = [];
    const lanes = [laneOf(sentWrongBytes, 0), laneOf(sentWrongBytes, 1)];
    for (const source of [...lanes, honest]) pool.add(source);
    const outcome = await pullModel(model, {
      staging: await temporaryFolder(),
      sources: pool,
      onProgress: (progress) => {
        told.push(progress);
        if (progress.dropped.length > 0) pool.add(laneOf(sentWrongBytes, 2));
      },
    });
    await expectFiles(outcome.filesFolder, model);
    expect(outcome.dropped).toEqual([
      { name: 'sentWrongBytes', reason: expect.stringContaining('wrong bytes 3 times') },
    ]);
    expect(told.at(-1)?.dropped).toEqual(outcome.dropped);
    for (const source of lanes) expect(pool.sources).not.toContain(source);
    expect(outcome.bytesPerSource).toEqual([{ name: 'honest', bytes: 200_000 }]);
    await outcome.release();
  });

  it('is dropped as well when what it sends cannot be decoded', async () => {
    const garbler: ChunkSource = {
      name: 'garbler',
      fetch: async (chunks, { onWrong }) => {
        await new Promise((resolve) => setImmediate(resolve));
        for (const { index } of chunks) onWrong?.(index);
      },
    };
    const outcome = await pullModel(model, {
      staging: await temporaryFolder(),
      sources: [garbler, memorySource(model, { name: 'honest' })],
    });
    await expectFiles(outcome.filesFolder, model);
    expect(outcome.dropped).toEqual([{ name: 'garbler', reason: expect.stringContaining('wrong bytes 3 times') }]);
    await outcome.release();
  });

  it('is not dropped while it is the only one, whatever its lanes are', async () => {
    const sentWrongBytes = memorySource(model, {
      name: 'sentWrongBytes',
      alter: (_c, pieces, times) => (times <= 2 ? damaged(pieces) : pieces),
    });
    const outcome = await pullModel(model, {
      staging: await temporaryFolder(),
      sources: [laneOf(sentWrongBytes, 0), laneOf(sentWrongBytes, 1)],
    });
    await expectFiles(outcome.filesFolder, model);
    expect(outcome.dropped).toEqual([]);
    await outcome.release();
  });
});

describe('lanes', () => {
  it('are told apart in the counts', async () => {
    const large = makeFileModel(12 * 1024 * 1024, 1024 * 1024);
    const source = memorySource(large, { name: 'lab' });
    const outcome = await pullModel(large, {
      staging: await temporaryFolder(),
      sources: [laneOf(source, 3), laneOf(source, 5)],
    });
    expect(outcome.lanes.map(({ source: name, id, kind, engine }) => ({ name, id, kind, engine }))).toEqual([
      { name: 'lab', id: 0, kind: 'webrtc', engine: 'native' },
      { name: 'lab', id: 1, kind: 'webrtc', engine: 'native' },
    ]);
    expect(outcome.lanes.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(12 * 1024 * 1024);
    expect(outcome.bytesPerSource).toEqual([{ name: 'lab', bytes: 12 * 1024 * 1024 }]);
    await outcome.release();
  });
});
