import { rm } from 'node:fs/promises';
import { atStorage, fileVersion, removeTemporaries, withLock, writeFileAtomic } from '@model-rtc/files';
import type { Log } from '@model-rtc/protocol';
import { makeDataFolder } from '../store/folder-modes.ts';
import type { KnownWorker } from './types.ts';
import {
  encodeWorker,
  latestFirst,
  listWorkerKeys,
  readWorkerFile,
  type StoredWorker,
  workerPath,
} from './worker-file.ts';
import { MAX_WORKERS } from './worker-limits.ts';

/** A change takes milliseconds. Whoever waits longer is told who holds the lock. */
const LOCK_WAIT_MS = 30_000;

/** The folder of what workers had. Each file is read once for as long as nobody writes it. */
export interface WorkerStore {
  read(key: string): Promise<StoredWorker | undefined>;
  /** The worker seen last first. */
  readAll(): Promise<readonly StoredWorker[]>;
  /** Reads, changes and writes what a worker has while no other process can. Resolves to what was there before. */
  change(
    worker: KnownWorker,
    make: (before: StoredWorker | undefined) => StoredWorker,
  ): Promise<StoredWorker | undefined>;
  /** @returns whether there was one */
  remove(worker: KnownWorker): Promise<boolean>;
}

export function createWorkerStore(folder: string, log: Log): WorkerStore {
  const cached = new Map<string, { readonly version: string; readonly worker: StoredWorker | undefined }>();

  async function read(key: string): Promise<StoredWorker | undefined> {
    const path = workerPath(folder, { key, name: key });
    // The file is only ever replaced whole, so its version before the read is that of the bytes or an older one.
    const version = await fileVersion(path);
    const known = cached.get(key);
    if (known !== undefined && known.version === version) return known.worker;
    const worker = version === undefined ? undefined : await readWorkerFile(path, key, log);
    if (version === undefined) cached.delete(key);
    else cached.set(key, { version, worker });
    return worker;
  }

  /** Remembers what it writes, so that it need not be read back. */
  async function write(worker: StoredWorker): Promise<void> {
    const path = workerPath(folder, worker);
    const { text, dropped } = encodeWorker(worker);
    await writeFileAtomic(path, text);
    const version = await fileVersion(path);
    if (dropped > 0)
      log.warn(
        { worker: worker.key, dropped },
        'a worker has more models than fit its file: the rest is not remembered',
      );
    if (dropped > 0 || version === undefined) cached.delete(worker.key);
    else cached.set(worker.key, { version, worker });
  }

  async function readAll(): Promise<readonly StoredWorker[]> {
    const found: StoredWorker[] = [];
    // One after the other: a file may be long, and its text is gone before the next is read.
    for (const key of await listWorkerKeys(folder)) {
      const worker = await read(key);
      if (worker !== undefined) found.push(worker);
    }
    return found.sort(latestFirst);
  }

  /** Makes room for one more worker. */
  async function forgetOldest(keptKey: string): Promise<void> {
    if ((await listWorkerKeys(folder)).length <= MAX_WORKERS) return;
    const others = (await readAll()).filter(({ key }) => key !== keptKey);
    for (const worker of others.slice(MAX_WORKERS - 1)) {
      log.info({ worker: worker.key }, 'a worker that was not seen for a long time is forgotten');
      const path = workerPath(folder, worker);
      await atStorage(path, 'removed', async () => await rm(path, { force: true }));
    }
  }

  const change: WorkerStore['change'] = async (worker, make) => {
    const lock = workerPath(folder, worker).replace(/json$/, 'lock');
    await atStorage(folder, 'created', async () => await makeDataFolder(folder));
    return await withLock(lock, { waitMs: LOCK_WAIT_MS }, async () => {
      await removeTemporaries(workerPath(folder, worker));
      const before = await read(worker.key);
      await write(make(before));
      await forgetOldest(worker.key);
      return before;
    });
  };

  async function remove(worker: KnownWorker): Promise<boolean> {
    const path = workerPath(folder, worker);
    if ((await fileVersion(path)) === undefined) return false;
    return await withLock(path.replace(/json$/, 'lock'), { waitMs: LOCK_WAIT_MS }, async () => {
      await atStorage(path, 'removed', async () => await rm(path, { force: true }));
      cached.delete(worker.key);
      return true;
    });
  }

  return { read, readAll, change, remove };
}
