import { type FileHandle, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode, openToRead } from '@model-rtc/files';
import { describeUnreadable } from '../files/check-files.ts';
import type { ModelPlace } from '../files/types.ts';

/** A file in whatever state it is now. */
export interface FoundFile extends AsyncDisposable {
  readonly size: number;
  readonly mtimeNs: bigint;
  /** The unreadable parts of the file; they count as zeros. */
  readonly unreadable: readonly { readonly start: number; readonly end: number }[];
  /** Fills the target. Bytes that cannot be read are noted in `unreadable`. */
  readInto(target: Uint8Array, offset: number): Promise<void>;
  /** Whether the file at the path is still the one that was opened, unchanged. */
  isUnchanged(): Promise<boolean>;
}

/** @returns the problem as the end of a sentence when there is no file to read */
export async function openFound(
  place: ModelPlace,
  path: string,
  inside: (path: string) => Promise<boolean>,
): Promise<FoundFile | string> {
  const absolute = join(place.path, path);
  let handle: FileHandle | undefined;
  try {
    if (!(await inside(absolute))) return "it lies outside the model's folder";
    handle = await openToRead(absolute, place.linked);
    const found = await handle.stat({ bigint: true });
    if (found.isFile()) return createFound(handle, absolute, found);
    await handle.close();
    return 'it is no longer a plain file';
  } catch (thrown) {
    await handle?.close();
    if (errorCode(thrown) === 'ELOOP') return 'it is a link now, which the registry never made';
    return await describeUnreadable(absolute, thrown);
  }
}

interface Identity {
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ino: bigint;
}

function createFound(handle: FileHandle, path: string, was: Identity): FoundFile {
  const unreadable: { start: number; end: number }[] = [];
  return {
    size: Number(was.size),
    mtimeNs: was.mtimeNs,
    unreadable,
    async readInto(target, offset) {
      for (let done = 0; done < target.length; ) {
        try {
          const { bytesRead } = await handle.read(target, done, target.length - done, offset + done);
          if (bytesRead === 0) throw new Error('the file became shorter');
          done += bytesRead;
        } catch {
          // A bad sector must not keep the rest of the file from being read.
          unreadable.push({ start: offset + done, end: offset + target.length });
          target.fill(0, done);
          return;
        }
      }
    },
    async isUnchanged() {
      const now = await stat(path, { bigint: true }).catch(() => undefined);
      return now !== undefined && now.size === was.size && now.mtimeNs === was.mtimeNs && now.ino === was.ino;
    },
    [Symbol.asyncDispose]: () => handle.close(),
  };
}
