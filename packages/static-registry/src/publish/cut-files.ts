import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { storageError } from '@model-rtc/files';
import { type Digest, ModelRtcError } from '@model-rtc/protocol';

/** A file of the model that is published. */
export interface PublishedFile {
  /** Inside the model, with `/`. */
  readonly path: string;
  readonly size: number;
  readonly sha256: Digest;
  /** Where it is on this machine. */
  readonly source: string;
}

export interface Piece {
  readonly hash: Digest;
  /** The caller's own until it is given back. */
  readonly bytes: Uint8Array;
  /** Lets a later piece overwrite the bytes. Fresh memory for every piece would grow far beyond what is in use. */
  giveBack(): void;
}

/**
 * Reads files laid end to end and cuts them every `chunkBytes` bytes. Each file is checked while it is read.
 * @throws ModelRtcError `source_changed` for a file whose content is not the one that the registry knows, `storage`
 */
export async function* cutFiles(
  files: readonly PublishedFile[],
  chunkBytes: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Piece> {
  const totalBytes = files.reduce((sum, { size }) => sum + size, 0);
  let doneBytes = 0;
  let filled = 0;
  const free: Uint8Array[] = [];
  const take = (bytes: number): Uint8Array =>
    (free.pop() ?? new Uint8Array(Math.min(chunkBytes, totalBytes))).subarray(0, bytes);
  let buffer = take(Math.min(chunkBytes, totalBytes));
  for (const file of files) {
    const hash = createHash('sha256');
    const handle = await openSource(file);
    try {
      for (let at = 0; at < file.size; ) {
        signal?.throwIfAborted();
        const room = buffer.subarray(filled, Math.min(buffer.length, filled + file.size - at));
        const bytesRead = await readSome(handle, room, at, file);
        hash.update(room.subarray(0, bytesRead));
        at += bytesRead;
        filled += bytesRead;
        if (filled < buffer.length) continue;
        doneBytes += filled;
        yield pieceOf(buffer, free);
        buffer = take(Math.min(chunkBytes, totalBytes - doneBytes));
        filled = 0;
      }
      if (hash.digest('hex') !== file.sha256) throw changed(file);
    } finally {
      await handle.close();
    }
  }
}

function pieceOf(bytes: Uint8Array, free: Uint8Array[]): Piece {
  const hash = createHash('sha256').update(bytes).digest('hex') as Digest;
  return { hash, bytes, giveBack: () => void free.push(bytes) };
}

async function openSource(file: PublishedFile): Promise<FileHandle> {
  try {
    const handle = await open(file.source, 'r');
    const { size } = await handle.stat();
    if (size === file.size) return handle;
    await handle.close();
  } catch (error) {
    throw storageError(error, file.source, 'read');
  }
  throw changed(file);
}

async function readSome(handle: FileHandle, room: Uint8Array, at: number, file: PublishedFile): Promise<number> {
  try {
    const { bytesRead } = await handle.read(room, 0, room.length, at);
    if (bytesRead > 0) return bytesRead;
  } catch (error) {
    throw storageError(error, file.source, 'read');
  }
  throw changed(file);
}

function changed({ path }: PublishedFile): ModelRtcError {
  return new ModelRtcError(
    'source_changed',
    `${path} is not what it was when the model was registered. Nothing was published. Import the model again, then publish it.`,
    { details: { path } },
  );
}
