import { Buffer } from 'node:buffer';
import { describe, expect, it } from '@jest/globals';
import type { Digest } from '@model-rtc/protocol';
import {
  createChunkServer,
  createMemoryDisk,
  fetchModel,
  type MemoryDisk,
  peerPool,
  planLayout,
  type TransferProgress,
} from '../../src/core/index.ts';
import { hubContents, rangeSource, staticContents } from '../support/contents.ts';
import { contentsOf, makeModel, seededBytes } from '../support/models.ts';
import { connectPeers } from '../support/peers.ts';
import { memorySource, networkError } from '../support/sources.ts';

/** As in a browser: nothing but the entries that run there, and what comes stays in memory. */
const block = seededBytes(300_000, 70);
const model = makeModel(
  { 'a/one.bin': seededBytes(1_000_000, 71), empty: Buffer.alloc(0), 'two.bin': Buffer.concat([block, block]) },
  [400_000, 300_000],
);
const layout = planLayout(contentsOf(model));

function expectFiles(disk: MemoryDisk): void {
  for (const [path, bytes] of model.files) {
    expect({ path, same: Buffer.concat(disk.parts(path)).equals(bytes) }).toEqual({ path, same: true });
  }
}

describe('a model that is fetched into memory', () => {
  it('comes over a lane from an agent that serves it', async () => {
    const readChunk = async (chunk: string): Promise<Buffer | undefined> => model.chunks.get(chunk as never);
    const serve = createChunkServer({ openModel: async () => ({ readChunk, close: () => {} }) });
    const { asker, close } = await connectPeers({ get_chunks: serve });
    const disk = createMemoryDisk(layout, { maxBytes: 2_000_000 });
    const { pool, stop } = peerPool(asker, model.digest, 'lab');
    const told: TransferProgress[] = [];
    await fetchModel({ layout, disk, sources: pool, onProgress: (progress) => told.push(progress) });
    stop();
    expectFiles(disk);
    expect(told.at(-1)).toMatchObject({ state: 'completed', doneBytes: 1_600_000, totalBytes: 1_600_000 });
    expect(told.at(-1)?.sources).toMatchObject([{ name: 'lab' }]);
    await close();
  });

  it('comes when only hashes of its files are known, or only those of chunks, and has the digest that was asked for', async () => {
    for (const contents of [hubContents(model, 1000), { ...staticContents(model), digest: model.digest }]) {
      const disk = createMemoryDisk(planLayout(contents), { maxBytes: 2_000_000 });
      const sources = [rangeSource(model.files)];
      const files = await fetchModel({ layout: planLayout(contents), disk, sources });
      expect(files).toEqual(model.manifest.files);
      expectFiles(disk);
    }
    const lying = planLayout({ ...staticContents(model), digest: 'f'.repeat(64) as Digest });
    const disk = createMemoryDisk(lying, { maxBytes: 2_000_000 });
    const fetching = fetchModel({ layout: lying, disk, sources: [rangeSource(model.files)] });
    await expect(fetching).rejects.toMatchObject({ code: 'verification_failed' });
  });

  it('goes on where the last attempt ended', async () => {
    const disk = createMemoryDisk(layout, { maxBytes: 2_000_000 });
    let left = 2;
    const leaving = memorySource(model, {
      alter: (_chunk, pieces) => {
        if (left-- === 0) throw networkError();
        return pieces;
      },
    });
    await expect(fetchModel({ layout, disk, sources: [leaving] })).rejects.toMatchObject({ code: 'network' });
    expect(disk.present().reduce((sum, there) => sum + there, 0)).toBe(2);
    const source = memorySource(model);
    const told: TransferProgress[] = [];
    await fetchModel({ layout, disk, sources: [source], onProgress: (progress) => told.push(progress) });
    expectFiles(disk);
    expect(source.asked).toHaveLength(layout.sizes.length - 2);
    expect(told.at(-1)?.resumedBytes).toBeGreaterThan(0);
  });

  it('ends with the reason why it is not whole', async () => {
    const disk = createMemoryDisk(layout, { maxBytes: 2_000_000 });
    const abort = new AbortController();
    abort.abort();
    await expect(
      fetchModel({ layout, disk, sources: [memorySource(model)], signal: abort.signal }),
    ).rejects.toMatchObject({ code: 'cancelled' });
    await expect(fetchModel({ layout, disk, sources: [] })).rejects.toMatchObject({ code: 'network' });
  });
});
