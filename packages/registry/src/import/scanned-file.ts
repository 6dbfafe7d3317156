import type { BigIntStats } from 'node:fs';
import { type ModelPath, ModelRtcError, modelPathProblem } from '@model-rtc/protocol';
import type { ScannedFile } from './scanned-model.ts';

/** A file's size, mode and time under its model path. @throws ModelRtcError `invalid_model` for a name that a model cannot have */
export function toScannedFile(path: string, absolutePath: string, stats: BigIntStats): ScannedFile {
  const problem = modelPathProblem(path);
  if (problem !== undefined) {
    throw new ModelRtcError('invalid_model', `${absolutePath} cannot be part of a model: ${problem}; rename it.`);
  }
  return toFile(path as ModelPath, absolutePath, stats);
}

/** A file by what `lstat` or `stat` says of it. */
export function toFile(path: ModelPath, absolutePath: string, { size, mode, mtimeNs }: BigIntStats): ScannedFile {
  return { path, absolutePath, size: Number(size), mode: Number(mode & 0o777n), mtimeNs };
}

/** What something is that is neither a file nor a folder. */
export function kindOf(stats: BigIntStats): string {
  if (stats.isFIFO()) return 'pipe';
  return stats.isSocket() ? 'socket' : 'device';
}

/** Sorted by the bytes of their paths. */
export function sortByPath(files: readonly ScannedFile[]): ScannedFile[] {
  const keyed = files.map((file) => ({ file, key: Buffer.from(file.path) }));
  return keyed.sort((a, b) => Buffer.compare(a.key, b.key)).map(({ file }) => file);
}
