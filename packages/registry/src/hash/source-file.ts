import { type FileHandle, stat } from 'node:fs/promises';
import { isMissing, openToRead, storageError } from '@model-rtc/files';
import { ModelRtcError } from '@model-rtc/protocol';
import type { ScannedFile } from '../import/scanned-model.ts';
import type { SourceFile } from './types.ts';

/** @throws ModelRtcError `source_changed` when the file is not as scanned; `storage` when it cannot be read. */
export async function openSourceFile(file: ScannedFile): Promise<SourceFile> {
  const handle = await atSource(file, () => openToRead(file.absolutePath, true));
  try {
    const opened = await atSource(file, () => handle.stat({ bigint: true }));
    assertUnchanged(file, opened);
    return createSourceFile(file, handle, opened.ino);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Does the work with an open file, and closes it. @throws what `openSourceFile` and the work throw */
export async function withSourceFile<T>(file: ScannedFile, work: (source: SourceFile) => Promise<T>): Promise<T> {
  await using source = await openSourceFile(file);
  return await work(source);
}

function createSourceFile(file: ScannedFile, handle: FileHandle, ino: bigint): SourceFile {
  const readInto = async (target: Uint8Array, offset: number) => {
    for (let done = 0; done < target.length; ) {
      const { bytesRead } = await atSource(file, () => handle.read(target, done, target.length - done, offset + done));
      if (bytesRead === 0) throw sourceChanged(file);
      done += bytesRead;
    }
  };
  return {
    size: file.size,
    readInto,
    async read(offset, length) {
      const target = new Uint8Array(length);
      await readInto(target, offset);
      return target;
    },
    async confirm() {
      // By path, not by handle: an editor that saves by renaming leaves the open file as it was.
      const now = await atSource(file, () => stat(file.absolutePath, { bigint: true }));
      assertUnchanged(file, now);
      if (now.ino !== ino) throw sourceChanged(file);
      return { path: file.path, size: file.size, mtimeNs: now.mtimeNs };
    },
    [Symbol.asyncDispose]: () => handle.close(),
  };
}

function assertUnchanged(file: ScannedFile, now: { size: bigint; mtimeNs: bigint }): void {
  if (now.size !== BigInt(file.size) || now.mtimeNs !== file.mtimeNs) throw sourceChanged(file);
}

function sourceChanged(file: ScannedFile, cause?: unknown): ModelRtcError {
  return new ModelRtcError(
    'source_changed',
    `${JSON.stringify(file.path)} changed while it was read. Wait until nothing writes to the model, then try again.`,
    { cause, details: { path: file.path, absolutePath: file.absolutePath } },
  );
}

async function atSource<T>(file: ScannedFile, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    if (isMissing(cause)) throw sourceChanged(file, cause);
    throw storageError(cause, file.absolutePath, 'read');
  }
}
