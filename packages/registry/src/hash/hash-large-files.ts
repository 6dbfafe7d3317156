import { mapLimit } from '@model-rtc/files';
import { planChunks } from '@model-rtc/formats';
import type { ScannedFile } from '../import/scanned-model.ts';
import { BlockPool } from './block-pool.ts';
import { fitPlans } from './chunk-budget.ts';
import { createHashEngine } from './hash-engine.ts';
import { openSourceFile } from './source-file.ts';
import type { FileHashing, HashEngine, HashedFile, HashPass, SourceFile } from './types.ts';

/** While one file's last blocks are hashed the next one is opened and read. */
const FILES_AT_ONCE = 2;

/** Hashes files of any size through the blocks of an engine, which bound the memory. */
export async function hashLargeFiles(
  files: readonly ScannedFile[],
  pass: HashPass,
  hashed: Map<ScannedFile, HashedFile>,
): Promise<void> {
  if (files.length === 0) return;
  const plans = fitPlans(await mapLimit(files, FILES_AT_ONCE, (file) => planFile(file, pass)), pass.maxChunks);
  const engine = createHashEngine(files.reduce((sum, file) => sum + file.size, 0));
  try {
    const pool = new BlockPool(engine.blocks);
    const work = files.map((file, i) => ({ file, chunkSizes: plans[i] as readonly number[] }));
    await mapLimit(work, FILES_AT_ONCE, async ({ file, chunkSizes }) => {
      hashed.set(file, await hashLargeFile({ file, chunkSizes, engine, pool, pass }));
    });
  } finally {
    await engine.close();
  }
}

async function planFile(file: ScannedFile, pass: HashPass): Promise<number[]> {
  pass.throwIfCancelled();
  const source = await openSourceFile(file);
  try {
    return await planChunks(source, file.path);
  } finally {
    await source.close();
  }
}

interface LargeFile {
  readonly file: ScannedFile;
  readonly chunkSizes: readonly number[];
  readonly engine: HashEngine;
  readonly pool: BlockPool;
  readonly pass: HashPass;
}

async function hashLargeFile({ file, chunkSizes, engine, pool, pass }: LargeFile): Promise<HashedFile> {
  const source = await openSourceFile(file);
  try {
    const hashing = engine.open(chunkSizes);
    await readThrough(source, hashing, pool, pass);
    return { ...(await hashing.finish()), chunkSizes, stats: await source.confirm() };
  } finally {
    await source.close();
  }
}

/** Reads block after block; each goes back to the pool once it is hashed, which holds the reading back. */
export async function readThrough(
  source: Pick<SourceFile, 'size' | 'readInto'>,
  hashing: FileHashing,
  pool: BlockPool,
  pass: Pick<HashPass, 'throwIfCancelled' | 'addProgress'>,
): Promise<void> {
  const updates = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  try {
    for (let offset = 0; offset < source.size && failure === undefined; ) {
      const block = await pool.take();
      const length = Math.min(block.bytes.length, source.size - offset);
      try {
        pass.throwIfCancelled();
        await source.readInto(block.bytes.subarray(0, length), offset);
      } catch (error) {
        pool.giveBack(block);
        throw error;
      }
      offset += length;
      const update: Promise<void> = hashing
        .update(block, length)
        .then(() => pass.addProgress(length))
        .catch((error: unknown) => {
          failure ??= { error };
        })
        .finally(() => {
          pool.giveBack(block);
          updates.delete(update);
        });
      updates.add(update);
    }
  } finally {
    await Promise.all(updates);
  }
  if (failure !== undefined) throw failure.error;
}
