import { fstatSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { createFileHandles, errorCode, isMissing, storageError } from '@model-rtc/files';
import { type Manifest, ModelRtcError } from '@model-rtc/protocol';
import type { FileStat } from '../store/types.ts';
import { changeOf, insideTest } from './check-files.ts';
import type { ModelFiles, ModelPlace } from './types.ts';

const OPEN_FILES = 16;

/** The part of one file that a read needs. */
interface Piece {
  readonly file: FileStat;
  readonly position: number;
  readonly bytes: Uint8Array;
}

/** Opens a model's files so that only bytes of unchanged files are read. */
export function openModelFiles(place: ModelPlace, files: readonly FileStat[]): ModelFiles {
  return open(place, files, requireUnchanged);
}

/** Opens a model's files whatever state they are in. The reader verifies the bytes. */
export function openDamagedFiles(place: ModelPlace, { files }: Manifest): ModelFiles {
  const stats = files.map(({ path, size }) => ({ path, size, mtimeNs: 0n }));
  return open(place, stats, () => undefined);
}

function open(place: ModelPlace, files: readonly FileStat[], confirm: Confirm): ModelFiles {
  const filled = files.filter((file) => file.size > 0);
  const starts = startsOf(filled);
  const size = filled.reduce((sum, file) => sum + file.size, 0);
  const handles = createFileHandles(OPEN_FILES, place.linked);
  const inside = insideTest(place);

  async function read(offset: number, into: Uint8Array): Promise<void> {
    if (!(offset >= 0) || offset + into.length > size) {
      throw new ModelRtcError('not_found', `The model has no bytes from ${offset} to ${offset + into.length}.`);
    }
    for (const piece of piecesOf(filled, starts, offset, into)) {
      const path = join(place.path, piece.file.path);
      try {
        if (!(await inside(path))) throw sourceChanged(path, "it lies outside the model's folder");
        await handles.use(path, (handle) => readPiece(handle, path, piece, confirm));
      } catch (thrown) {
        if (isMissing(thrown)) throw sourceChanged(path, 'it is gone', thrown);
        if (errorCode(thrown) === 'EISDIR') throw sourceChanged(path, 'it is a folder now', thrown);
        if (errorCode(thrown) === 'ELOOP') throw sourceChanged(path, 'it is a link now', thrown);
        throw storageError(thrown, path, 'read');
      }
    }
  }

  return { size, read, [Symbol.asyncDispose]: () => handles.close() };
}

function startsOf(files: readonly FileStat[]): Float64Array {
  const starts = new Float64Array(files.length);
  for (let i = 1; i < files.length; i++) starts[i] = (starts[i - 1] as number) + (files[i - 1] as FileStat).size;
  return starts;
}

function* piecesOf(
  files: readonly FileStat[],
  starts: Float64Array,
  offset: number,
  into: Uint8Array,
): Iterable<Piece> {
  let done = 0;
  for (let index = fileAt(starts, offset); done < into.length; index++) {
    const file = files[index] as FileStat;
    const position = offset + done - (starts[index] as number);
    const length = Math.min(file.size - position, into.length - done);
    yield { file, position, bytes: into.subarray(done, done + length) };
    done += length;
  }
}

/** The last file that starts at or before the offset. */
function fileAt(starts: Float64Array, offset: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] as number) <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

/**
 * Checks the file's time after the read, so that bytes written before or during it never pass for the model's. One check is
 * enough. It runs in this thread: the file is open, so it takes less time than a trip to another thread.
 */
async function readPiece(
  handle: FileHandle,
  path: string,
  { file, position, bytes }: Piece,
  confirm: Confirm,
): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesRead } = await handle.read(bytes, done, bytes.length - done, position + done);
    if (bytesRead === 0) {
      confirm(handle, path, file);
      throw sourceChanged(path, 'it became shorter');
    }
    done += bytesRead;
  }
  confirm(handle, path, file);
}

type Confirm = (handle: FileHandle, path: string, file: FileStat) => void;

function requireUnchanged(handle: FileHandle, path: string, file: FileStat): void {
  const found = fstatSync(handle.fd, { bigint: true });
  const change = found.isFile() ? changeOf(file, found) : 'it is no longer a plain file';
  if (change !== undefined) throw sourceChanged(path, change);
}

function sourceChanged(path: string, change: string, cause?: unknown): ModelRtcError {
  const sentence = `${path} is not what was registered: ${change}. Import the model again to offer it as it is now.`;
  return new ModelRtcError('source_changed', sentence, { cause, details: { path } });
}
