import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { atStorage, mapLimit } from '@model-rtc/files';
import { type Digest, type Manifest, type ModelPath, manifestDigest } from '@model-rtc/protocol';
import type { RegistryContext } from '../context.ts';
import { copyFiles, requireSame } from '../files/copy-files.ts';
import { toFile } from '../import/scanned-file.ts';
import type { ScannedFile } from '../import/scanned-model.ts';
import { modelModes, settleFiles } from '../import/settle-files.ts';
import type { ImportOptions, WorkOptions } from '../import/types.ts';
import { type ByteProgress, inPhase } from '../progress.ts';
import type { FileStat } from '../store/types.ts';
import type { ConvertedFiles } from './convert-files.ts';
import type { ConvertedFile } from './types.ts';

const FILES_AT_ONCE = 32;
/** How often progress is looked at, which a thread counts up. */
const PROGRESS_MS = 200;

export interface ConversionWork extends WorkOptions, Pick<ImportOptions, 'makeRoom'> {
  /** What the originals hash to, so that those that are copied can be compared. */
  readonly originals: () => Promise<Manifest>;
}

/** A converted model in its staged folder. */
export interface MadeModel {
  readonly files: readonly ScannedFile[];
  readonly manifest: Manifest;
  readonly stats: readonly FileStat[];
  readonly converted: readonly ConvertedFile[];
  readonly warnings: readonly string[];
  /** Of the model that it was made from. */
  readonly convertedFrom: Digest;
}

/**
 * Makes the converted model in an empty folder of `staging/`: the new safetensors files, and copies of all others.
 * @returns undefined where there is nothing to convert; the folder is then empty
 */
export async function makeConverted(
  context: RegistryContext,
  files: readonly ScannedFile[],
  staged: string,
  work: ConversionWork,
): Promise<MadeModel | undefined> {
  const { signal, onProgress } = work;
  await makeRoomFor(files, work);
  const made = await convertInThread(context, files, staged, work);
  if (made.converted.length === 0) return undefined;
  const replaced = new Set(made.replaced);
  const kept = files.filter(({ path }) => !replaced.has(path));
  const { makeFolders } = await import('../import/link-files.ts');
  await makeFolders(staged, kept);
  const copies =
    kept.length === 0 ? [] : await copyFiles(kept, staged, { signal, onProgress: inPhase(onProgress, 'copy') });
  const written = await mapLimit(made.written, FILES_AT_ONCE, async (path) => await toScanned(staged, path));
  const all = [...copies, ...written].sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
  const originals = await work.originals();
  const { hashFiles } = await context.loadImportSteps();
  const { manifest } = await hashFiles(all, { signal, onProgress: inPhase(onProgress, 'verify') });
  requireSame(originals, manifest, copies);
  const stats = await settleFiles(staged, manifest, await modelModes(context.paths));
  const { converted, warnings } = made;
  return { files: all, manifest, stats, converted, warnings, convertedFrom: manifestDigest(originals) };
}

/** How much it takes is only known afterwards: about as much as the originals, where any of them looks as if it can be converted. */
async function makeRoomFor(files: readonly ScannedFile[], { makeRoom }: ConversionWork): Promise<void> {
  if (makeRoom === undefined) return;
  const { convertedName } = await import('@model-rtc/formats/convert');
  if (!files.some(({ path }) => convertedName(path) !== undefined)) return;
  await makeRoom({ bytes: files.reduce((sum, { size }) => sum + size, 0) });
}

async function convertInThread(
  { reading }: RegistryContext,
  files: readonly ScannedFile[],
  folder: string,
  { signal, onProgress }: WorkOptions,
): Promise<ConvertedFiles> {
  const progress = new SharedArrayBuffer(2 * Float64Array.BYTES_PER_ELEMENT);
  const report = inPhase(onProgress, 'convert');
  const timer = setInterval(() => report(progressOf(progress)), PROGRESS_MS);
  try {
    return await reading.run('convertFiles', { files, folder, progress }, { signal });
  } finally {
    clearInterval(timer);
    report(progressOf(progress));
  }
}

function progressOf(progress: SharedArrayBuffer): ByteProgress {
  const [doneBytes = 0, totalBytes = 0] = new Float64Array(progress);
  return { doneBytes, totalBytes };
}

async function toScanned(staged: string, path: string): Promise<ScannedFile> {
  const absolutePath = join(staged, path);
  const stats = await atStorage(absolutePath, 'read', () => lstat(absolutePath, { bigint: true }));
  return toFile(path as ModelPath, absolutePath, stats);
}
