import { mkdir, readdir, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { ModelEntry } from '@model-rtc/protocol';
import { planLayout } from '../../../src/core/layout/layout.ts';
import { createPartialModels, planTransfer } from '../../../src/index.ts';
import { JournalWriter } from '../../../src/node/journal/journal.ts';
import { lockStaging, openStaging, type Staging } from '../../../src/node/staging/staging.ts';
import { contentsOf, makeFileModel, type TestModel } from '../../support/models.ts';
import { temporaryFolder } from '../../support/pulling.ts';

const MODEL = makeFileModel(1000, 100);
const ENTRY = {
  id: MODEL.digest.slice(0, 8),
  digest: MODEL.digest,
  modelType: 'file',
  alias: 'mouse',
  source: 'local-import',
  status: 'completed',
  displayStatus: 'completed',
  size: 1000,
  fileCount: 1,
  metrics: {},
  hyperparameters: {},
  versions: {},
  tags: [],
} as unknown as ModelEntry;

async function staged(model: TestModel = MODEL) {
  const staging = await temporaryFolder();
  const contents = contentsOf(model);
  const layout = planLayout(contents);
  const key = model.digest;
  const held = await lockStaging({ staging, key });
  const opened: Staging = await openStaging({ staging, key, contents, layout, held, entry: ENTRY });
  /** Writes the whole file, and says of these chunks that they are there. */
  const write = async (ids: number[], bytes = model.files.get('weights.bin') as Buffer): Promise<void> => {
    const path = join(opened.paths.files, 'weights.bin');
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, bytes);
    const journal = new JournalWriter(opened.paths.journal, layout);
    for (const id of ids) journal.add(id);
    journal.flush();
    journal.close();
  };
  return { staging, opened, write, partial: createPartialModels(staging) };
}

const chunkOf = (id: number) => MODEL.manifest.chunks[id]?.digest as never;

describe('a model that is being fetched', () => {
  it('is listed with what is known of it and how much is here', async () => {
    const { partial, write, opened } = await staged();
    await write([0, 1, 2]);
    const { displayStatus: _, ...entry } = ENTRY;
    expect(await partial.list()).toEqual([{ digest: MODEL.digest, entry: { ...entry, partialBytes: 300 } }]);
    expect((await partial.find(MODEL.digest))?.entry.partialBytes).toBe(300);
    expect(await partial.manifest(MODEL.digest)).toEqual(MODEL.manifest);
    await opened.end();
  });

  it('gives the chunks that are here, more of them as they come, and no others', async () => {
    const { partial, write, opened } = await staged();
    await write([0]);
    const reader = await partial.open(MODEL.digest);
    expect(await reader?.readChunk(chunkOf(0))).toEqual(new Uint8Array(MODEL.chunks.get(chunkOf(0)) as Buffer));
    expect([reader?.has(chunkOf(5)), await reader?.readChunk(chunkOf(5))]).toEqual([true, undefined]);
    await write([5]);
    let late: Uint8Array | undefined;
    while (late === undefined) late = await reader?.readChunk(chunkOf(5), new Uint8Array(100));
    expect(Buffer.from(late).equals(MODEL.chunks.get(chunkOf(5)) as Buffer)).toBe(true);
    expect(reader?.has('0'.repeat(64) as never)).toBe(false);
    await opened.end();
  });

  it('gives no bytes that the journal is wrong about', async () => {
    const { partial, write, opened } = await staged();
    await write([0, 1], Buffer.alloc(1000, 1));
    expect(await (await partial.open(MODEL.digest))?.readChunk(chunkOf(0))).toBeUndefined();
    await opened.end();
  });

  it('is none when nobody is at it any more', async () => {
    const { partial, write, opened, staging } = await staged();
    await write([0]);
    const reader = await partial.open(MODEL.digest);
    expect(await reader?.isOver()).toBe(false);
    await utimes(opened.paths.lock, new Date(0), new Date(0));
    expect(await partial.list()).toEqual([]);
    expect(await partial.open(MODEL.digest)).toBeUndefined();
    await rename(opened.paths.files, join(staging, 'installed'));
    expect([await reader?.readChunk(chunkOf(0)), await reader?.isOver()]).toEqual([undefined, true]);
    await opened.end();
    expect(await readdir(staging)).toEqual(['installed']);
  });

  it.each([
    ['is missing', (path: string) => rm(path)],
    ['is not JSON', (path: string) => writeFile(path, '{"id":')],
    ['is of another model', (path: string) => writeFile(path, JSON.stringify({ ...ENTRY, digest: '0'.repeat(64) }))],
  ])('is not told of when its entry %s', async (_name, change) => {
    const { partial, opened } = await staged();
    await change(opened.paths.entry);
    expect(await partial.list()).toEqual([]);
    await opened.keep();
  });
});

describe('the plan of a transfer', () => {
  const nowhere = { locateChunks: async () => new Map() };

  it('tells what would be sent from what other models and an earlier attempt have', async () => {
    const { staging, write, opened } = await staged();
    await write([0, 1]);
    await opened.keep();
    const others = ['a', 'b', 'b'].map((name, i) => [chunkOf(i + 1), { model: name.repeat(64) as never }] as const);
    const local = { locateChunks: async () => new Map(others.slice(0)) };
    expect(await planTransfer({ contents: contentsOf(MODEL), staging, local })).toEqual({
      totalBytes: 1000,
      resumedBytes: 200,
      reusedBytes: 200,
      transferBytes: 600,
      reusedFrom: [{ model: 'b'.repeat(64), bytes: 200 }],
    });
  });

  it('counts the chunks of attempts at other models, and writes nothing', async () => {
    const { staging, write, opened } = await staged();
    await write([0, 1, 2]);
    const other = makeFileModel(2000, 100);
    const plan = await planTransfer({ contents: contentsOf(other), staging, local: nowhere });
    expect(plan).toMatchObject({ transferBytes: 1700, reusedBytes: 300, resumedBytes: 0, reusedFrom: [] });
    expect(await readdir(staging)).toEqual([MODEL.digest]);
    await opened.keep();
  });
});
