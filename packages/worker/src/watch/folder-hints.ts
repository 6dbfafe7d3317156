import { type FSWatcher, watch } from 'node:fs';
import type { Log } from '@model-rtc/protocol';

/** An old kernel allows 8,192 for each user, and other programs need some. */
const MAX_FOLDERS = 4096;

export interface FolderHintsOptions {
  /** Something happened in a folder; the file system does not say what. */
  readonly onHint: (folder: string) => void;
  readonly log: Log;
  readonly maxFolders?: number | undefined;
}

/**
 * Tells that something happened in folders, where the file system tells. It may say too much and may miss things (network
 * file systems send no events, and queues overflow), so the listener looks for itself, and now and then without a hint.
 */
export interface FolderHints {
  /** Listens in these folders from now on, instead of the previous ones. */
  listenIn(folders: Iterable<string>): void;
  close(): void;
}

export function createFolderHints({ onHint, log, maxFolders = MAX_FOLDERS }: FolderHintsOptions): FolderHints {
  const watchers = new Map<string, FSWatcher>();
  /** Why no more folders can be listened in. */
  let limit: string | undefined;

  function listenIn(folders: Iterable<string>): void {
    const wanted = new Set(folders);
    for (const folder of [...watchers.keys()]) if (!wanted.has(folder)) drop(folder);
    for (const folder of wanted) if (!watchers.has(folder)) add(folder);
  }

  function add(folder: string): void {
    if (watchers.size >= maxFolders) giveUp(`more than ${maxFolders} folders`);
    if (limit !== undefined) return;
    try {
      const watcher = watch(folder, { persistent: false }, () => onHint(folder));
      watchers.set(folder, watcher);
      // A folder that is deleted or unmounted ends its watcher this way: that is a hint, too.
      watcher.on('error', () => {
        drop(folder);
        onHint(folder);
      });
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === 'ENOSPC' || code === 'EMFILE') giveUp(`the system's limit is reached (${code})`);
    }
  }

  function giveUp(reason: string): void {
    if (limit !== undefined) return;
    limit = reason;
    log.info({ reason, folders: watchers.size }, 'not every folder can be listened in: new models there take longer');
  }

  function drop(folder: string): void {
    watchers.get(folder)?.close();
    watchers.delete(folder);
    limit = undefined;
  }

  return {
    listenIn,
    close() {
      for (const folder of [...watchers.keys()]) drop(folder);
    },
  };
}
