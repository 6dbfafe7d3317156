import { stat } from 'node:fs/promises';
import type { WritableStreamDefaultWriter } from 'node:stream/web';
import { errorCode, isMissing, openToRead, storageError } from '@model-rtc/files';
import { ModelRtcError } from '@model-rtc/protocol';
import { isFirstBlock } from './archive-format.ts';

const BUFFER_BYTES = 1024 * 1024;
const BLOCK_BYTES = 512;

/** One file of a tar archive. Read its bytes once, before the next member. */
export interface ArchiveMember {
  readonly path: string;
  /** The kind of member in its header: `file`, `symlink`, `directory`, ... */
  readonly type: string;
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly mtimeMs: number | undefined;
  readonly bytes: AsyncIterable<Uint8Array>;
}

/**
 * Weights have no such names, except torch checkpoints, which are not tar files. Anything else with such a name is imported
 * as an archive, so that the person learns what is wrong with it.
 */
const ARCHIVE_NAME = /(?<!\.(pth|pt|ckpt))\.(tar|tgz|tar\.(gz|bz2|xz|zst))$/i;

/** Looks at the name and the first block. A file that cannot be read is not an archive; importing it tells why. */
export async function isArchive(path: string): Promise<boolean> {
  try {
    // Opening a pipe would wait for its writer.
    if (!(await stat(path)).isFile()) return false;
    return ARCHIVE_NAME.test(path) || isFirstBlock(await readFirstBlock(path));
  } catch {
    return false;
  }
}

async function readFirstBlock(path: string): Promise<Buffer> {
  await using file = await openToRead(path, true);
  const { bytesRead, buffer } = await file.read(Buffer.alloc(BLOCK_BYTES), 0, BLOCK_BYTES, 0);
  return buffer.subarray(0, bytesRead);
}

/** How the files of gzip, bzip2, xz and zstd begin. */
const COMPRESSED = [
  [0x1f, 0x8b],
  [0x42, 0x5a, 0x68],
  [0xfd, 0x37, 0x7a, 0x58, 0x5a],
  [0x28, 0xb5, 0x2f, 0xfd],
].map((bytes) => Buffer.from(bytes));

/** @throws ModelRtcError `bad_argument`: nobody knows beforehand how large a stranger's compressed file becomes */
export async function refuseCompressed(path: string): Promise<void> {
  const block = await readFirstBlock(path).catch((thrown: unknown) => {
    throw readError(thrown, path, undefined);
  });
  if (!COMPRESSED.some((start) => block.subarray(0, start.length).equals(start))) return;
  const { archiveError } = await import('@model-rtc/formats/layouts');
  throw archiveError(path, ' If export-model wrote it, decompress it (gunzip, unzstd) and import the tar file.');
}

/**
 * The members of a tar file, in order, with little of it in memory. A file that does not end with its last member and the
 * end marker is damaged.
 * @throws ModelRtcError `verification_failed` for a damaged file, `storage`, `cancelled`
 */
export async function* readMembers(path: string, signal: AbortSignal | undefined): AsyncGenerator<ArchiveMember> {
  const { createTarDecoder } = await import('modern-tar');
  const { readable, writable } = createTarDecoder({ strict: true });
  const feeding = feed(path, writable.getWriter(), signal);
  try {
    for await (const { header, body } of readable) {
      const { name, type = 'file', size, mtime } = header;
      yield { path: name, type, size, mtimeMs: mtime?.getTime(), bytes: readBody(body, path, signal) };
    }
  } catch (thrown) {
    throw readError(thrown, path, signal);
  } finally {
    await feeding;
  }
}

/**
 * Feeds the file to the decoder, as fast as the decoder accepts it, until either ends. The decoder's reader gets any
 * failure. Node's own adapter of file streams (`Readable.toWeb`) crashes the process when its reader stops early.
 */
async function feed(
  path: string,
  decoder: WritableStreamDefaultWriter<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<void> {
  decoder.closed.catch(() => undefined);
  try {
    await using file = await openToRead(path, true);
    for (;;) {
      signal?.throwIfAborted();
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafeSlow(BUFFER_BYTES), 0, BUFFER_BYTES);
      if (bytesRead === 0) break;
      await decoder.write(buffer.subarray(0, bytesRead));
    }
    await decoder.close();
  } catch (thrown) {
    await decoder.abort(thrown).catch(() => undefined);
  }
}

async function* readBody(
  body: AsyncIterable<Uint8Array>,
  path: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (thrown) {
    throw readError(thrown, path, signal);
  }
}

function readError(thrown: unknown, path: string, signal: AbortSignal | undefined): ModelRtcError {
  if (signal?.aborted)
    return new ModelRtcError('cancelled', 'Cancelled; nothing was stored.', { cause: signal.reason });
  if (thrown instanceof ModelRtcError) return thrown;
  if (isMissing(thrown)) {
    const sentence = `There is nothing at ${path}. Give the path of an archive that export-model wrote.`;
    return new ModelRtcError('not_found_locally', sentence, { cause: thrown, details: { path } });
  }
  if (errorCode(thrown) !== undefined) return storageError(thrown, path, 'read');
  return damagedArchive(path, thrown instanceof Error ? thrown.message : String(thrown), thrown);
}

/** @param problem what was found, as a sentence of its own */
export function damagedArchive(path: string, problem: string, cause?: unknown): ModelRtcError {
  const sentence = `${path} is damaged or cut short (${problem.replace(/\.$/, '')}); nothing was stored. Copy it here again, or export the model again.`;
  return new ModelRtcError('verification_failed', sentence, { cause, details: { path } });
}
