import { mapLimit } from '@model-rtc/files';
import { mayHaveStructure, plainCuts, planChunks, STRUCTURE_HEAD_BYTES } from '@model-rtc/formats';
import { MAX_CHUNK_BYTES, ModelRtcError } from '@model-rtc/protocol';
import type { ScannedFile } from '../import/scanned-model.ts';
import type { Meter } from '../progress.ts';
import { BlockPool } from './hash-blocks.ts';
import { createHashEngine } from './hash-engine.ts';
import { withSourceFile } from './source-file.ts';
import type { FileHashing, HashedFile, PlanChunks, SourceFile } from './types.ts';

/** While one file's last blocks are hashed the next one is opened and read. */
const FILES_AT_ONCE = 2;

/**
 * Hashes files of any size through the blocks of an engine, which bound the memory.
 * @param maxChunks how many chunks all files together may have
 */
export async function hashLargeFiles(
  files: readonly ScannedFile[],
  maxChunks: number,
  meter: Meter,
  hashed: Map<ScannedFile, HashedFile>,
  plan?: PlanChunks,
): Promise<void> {
  if (files.length === 0) return;
  const planned = await mapLimit(files, FILES_AT_ONCE, async (file) => {
    meter.throwIfCancelled();
    return await withSourceFile(file, (source) => planLarge(file, source, plan));
  });
  const plans = fitPlans(planned, maxChunks);
  await using engine = createHashEngine(files.reduce((sum, file) => sum + file.size, 0));
  const pool = new BlockPool(engine.blocks);
  const work = files.map((file, i) => ({ file, chunkSizes: plans[i] as readonly number[] }));
  await mapLimit(work, FILES_AT_ONCE, async ({ file, chunkSizes }) => {
    const result = await withSourceFile(file, async (source) => {
      const hashing = engine.open(chunkSizes);
      await readThrough(source, hashing, pool, meter);
      return { ...(await hashing.finish()), chunkSizes, stats: await source.confirm() };
    });
    hashed.set(file, result);
  });
}

/** Only a file that begins like one with structure is planned elsewhere; it may be hostile. */
async function planLarge(file: ScannedFile, source: SourceFile, plan: PlanChunks | undefined): Promise<number[]> {
  if (plan === undefined) return await planChunks(source, file.path);
  const head = await source.read(0, STRUCTURE_HEAD_BYTES);
  return mayHaveStructure(head) ? await plan(file) : plainCuts(file.size);
}

/**
 * Chunk sizes of all files that fit a manifest: those planned, if there are not too many, else plain cuts as small as
 * possible. Only models beyond some 400 GB, or with a great many small tensors, need them.
 * @param plans the planned sizes of each file
 * @param maxChunks how many chunks all files together may have
 * @throws ModelRtcError `invalid_model` when the largest chunks are still too many.
 */
export function fitPlans(plans: readonly (readonly number[])[], maxChunks: number): (readonly number[])[] {
  if (plans.reduce((sum, plan) => sum + plan.length, 0) <= maxChunks) return [...plans];
  const sizes = plans.map((plan) => plan.reduce((sum, size) => sum + size, 0));
  for (let chunkBytes = MAX_CHUNK_BYTES / 4; chunkBytes <= MAX_CHUNK_BYTES; chunkBytes *= 2) {
    const count = sizes.reduce((sum, size) => sum + Math.ceil(size / chunkBytes), 0);
    if (count <= maxChunks) return sizes.map((size) => plainCuts(size, chunkBytes));
  }
  throw new ModelRtcError(
    'invalid_model',
    `The model is too large for one manifest (${maxChunks} chunks of ${MAX_CHUNK_BYTES} bytes). Import its parts one by one.`,
  );
}

/** Reads block after block. Each goes back to the pool once it is hashed, so hashing holds reading back. */
export async function readThrough(
  source: Pick<SourceFile, 'size' | 'readInto'>,
  hashing: FileHashing,
  pool: BlockPool,
  meter: Meter,
): Promise<void> {
  const updates = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  try {
    for (let offset = 0; offset < source.size && failure === undefined; ) {
      const block = await pool.take();
      const length = Math.min(block.bytes.length, source.size - offset);
      try {
        meter.throwIfCancelled();
        await source.readInto(block.bytes.subarray(0, length), offset);
      } catch (error) {
        pool.giveBack(block);
        throw error;
      }
      offset += length;
      const update: Promise<void> = hashing
        .update(block, length)
        .then(() => meter.add(length))
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
