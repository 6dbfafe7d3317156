import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

interface Slot {
  readonly opened: Promise<FileHandle>;
  users: number;
}

/** Files held open between reads: a model of 10,000 files must not hold 10,000 of the process's handles. */
export interface FileHandles {
  /** Does the work with the file at the path; it stays open for the next one. */
  use<T>(path: string, work: (file: FileHandle) => Promise<T>): Promise<T>;
  /** Closes all files, those in use when their work is done. */
  close(): Promise<void>;
}

/**
 * @param limit files kept open while nothing uses them
 * @param followLinks whether a symbolic link may stand for the file; otherwise opening one fails with `ELOOP`
 */
export function createFileHandles(limit: number, followLinks: boolean): FileHandles {
  // In the order of their last use, since a Map keeps its keys in the order of insertion.
  const slots = new Map<string, Slot>();
  const closing = new Set<Promise<void>>();
  let kept = limit;
  let onIdle: (() => void) | undefined;

  async function use<T>(path: string, work: (file: FileHandle) => Promise<T>): Promise<T> {
    const slot = take(path);
    try {
      return await work(await slot.opened);
    } catch (thrown) {
      // The next reader tries again to open a file that could not be opened.
      if (slots.get(path) === slot && (await failed(slot))) slots.delete(path);
      throw thrown;
    } finally {
      slot.users--;
      closeExcess();
    }
  }

  function take(path: string): Slot {
    const slot = slots.get(path) ?? { opened: openToRead(path, followLinks), users: 0 };
    slots.delete(path);
    slots.set(path, slot);
    slot.users++;
    return slot;
  }

  function closeExcess(): void {
    for (const [path, slot] of slots) {
      if (slots.size <= kept) break;
      if (slot.users > 0) continue;
      slots.delete(path);
      const done = slot.opened.then((file) => file.close()).catch(() => undefined);
      closing.add(done);
      void done.then(() => {
        closing.delete(done);
        if (slots.size + closing.size === 0) onIdle?.();
      });
    }
    if (slots.size + closing.size === 0) onIdle?.();
  }

  async function close(): Promise<void> {
    kept = 0;
    await new Promise<void>((resolve) => {
      onIdle = resolve;
      closeExcess();
    });
  }

  return { use, close };
}

async function failed({ opened }: Slot): Promise<boolean> {
  return await opened.then(
    () => false,
    () => true,
  );
}

/** Without O_NONBLOCK, opening a named pipe that took a file's place waits for ever. Windows has neither flag. */
export async function openToRead(path: string, followLinks: boolean): Promise<FileHandle> {
  const { O_RDONLY, O_NONBLOCK = 0, O_NOFOLLOW = 0 } = constants;
  return await open(path, O_RDONLY | O_NONBLOCK | (followLinks ? 0 : O_NOFOLLOW));
}
