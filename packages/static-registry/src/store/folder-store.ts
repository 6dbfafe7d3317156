import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { isMissing, storageError } from '@model-rtc/files';
import type { FileAnswer, ReadOptions } from '@model-rtc/http';
import { ModelRtcError } from '@model-rtc/protocol';
import type { RegistryStore } from './types.ts';

const PIECE_BYTES = 256 * 1024;
/** Never waits for a pipe. */
const READ_FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** A static registry in a folder. @param place - its path, or a `file:` address */
export function createFolderStore(place: string): RegistryStore {
  const folder = registryFolder(place);
  return {
    url: pathToFileURL(folder).href.replace(/\/+$/, ''),
    read: async (path, options = {}) => await readFile(join(folder, ...path.split('/')), options),
  };
}

/** The path of a registry's folder. @throws ModelRtcError `bad_argument` for a `file:` address that names none here */
export function registryFolder(place: string): string {
  const url = /^file:/i.test(place) ? place : pathToFileURL(place).href;
  try {
    return fileURLToPath(url);
  } catch (error) {
    const sentence = `"${place}" is not the address of a folder. Write it as file:///path/of/the/folder.`;
    throw ModelRtcError.because(error, 'bad_argument', sentence);
  }
}

async function readFile(path: string, { range, etag, signal }: ReadOptions): Promise<FileAnswer> {
  signal?.throwIfAborted();
  let handle: FileHandle;
  try {
    handle = await open(path, READ_FLAGS);
  } catch (error) {
    if (isMissing(error)) return { kind: 'missing' };
    throw storageError(error, path, 'read');
  }
  try {
    const { size, mtimeNs, ino } = await handle.stat({ bigint: true });
    const tag = `"${ino.toString(36)}-${size.toString(36)}-${mtimeNs.toString(36)}"`;
    const offset = range?.offset ?? 0;
    if (tag !== etag && BigInt(offset) <= size) {
      const end = range === undefined ? Number(size) : Math.min(Number(size), offset + range.length);
      const body = bytesOf(handle, { path, offset, end, signal });
      return { kind: 'found', offset, totalBytes: Number(size), etag: tag, body };
    }
    await handle.close();
    return { kind: tag === etag ? 'unchanged' : 'missing' };
  } catch (error) {
    await handle.close();
    throw storageError(error, path, 'read');
  }
}

interface Part {
  readonly path: string;
  readonly offset: number;
  readonly end: number;
  readonly signal: AbortSignal | undefined;
}

/** The next piece overwrites the last one. */
async function* bytesOf(handle: FileHandle, { path, offset, end, signal }: Part): AsyncGenerator<Uint8Array> {
  const piece = new Uint8Array(Math.min(PIECE_BYTES, Math.max(1, end - offset)));
  try {
    for (let at = offset; at < end; ) {
      signal?.throwIfAborted();
      const { bytesRead } = await handle.read(piece, 0, Math.min(piece.length, end - at), at);
      if (bytesRead === 0) return;
      at += bytesRead;
      yield piece.subarray(0, bytesRead);
    }
  } catch (error) {
    throw error instanceof ModelRtcError ? error : storageError(error, path, 'read');
  } finally {
    await handle.close();
  }
}
