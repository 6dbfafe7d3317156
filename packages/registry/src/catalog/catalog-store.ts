import { rm } from 'node:fs/promises';
import { atStorage, fileVersion, removeTemporaries, withLock, writeFileAtomic } from '@model-rtc/files';
import type { Log } from '@model-rtc/protocol';
import { makeDataFolder } from '../store/folder-modes.ts';
import {
  catalogPath,
  encodeCatalog,
  latestFirst,
  listCatalogKeys,
  readCatalogFile,
  type StoredCatalog,
} from './catalog-file.ts';
import { MAX_CATALOGS } from './catalog-limits.ts';
import type { KnownWorker } from './types.ts';

/** A change takes milliseconds. Whoever waits longer is told who holds the lock. */
const LOCK_WAIT_MS = 30_000;

/** The folder of catalogs. Each file is read once for as long as nobody writes it. */
export interface CatalogStore {
  read(key: string): Promise<StoredCatalog | undefined>;
  /** The worker seen last first. */
  readAll(): Promise<readonly StoredCatalog[]>;
  /** Reads, changes and writes a worker's catalog while no other process can. Resolves to the catalog before. */
  change(
    worker: KnownWorker,
    make: (before: StoredCatalog | undefined) => StoredCatalog,
  ): Promise<StoredCatalog | undefined>;
  /** @returns whether there was one */
  remove(worker: KnownWorker): Promise<boolean>;
}

export function createCatalogStore(folder: string, log: Log): CatalogStore {
  const cached = new Map<string, { readonly version: string; readonly catalog: StoredCatalog | undefined }>();

  async function read(key: string): Promise<StoredCatalog | undefined> {
    const path = catalogPath(folder, { key, name: key });
    // The file is only ever replaced whole, so its version before the read is that of the bytes or an older one.
    const version = await fileVersion(path);
    const known = cached.get(key);
    if (known !== undefined && known.version === version) return known.catalog;
    const catalog = version === undefined ? undefined : await readCatalogFile(path, key, log);
    if (version === undefined) cached.delete(key);
    else cached.set(key, { version, catalog });
    return catalog;
  }

  /** Remembers what it writes, so that it need not be read back. */
  async function write(catalog: StoredCatalog): Promise<void> {
    const path = catalogPath(folder, catalog);
    const { text, dropped } = encodeCatalog(catalog);
    await writeFileAtomic(path, text);
    const version = await fileVersion(path);
    if (dropped > 0)
      log.warn(
        { worker: catalog.key, dropped },
        'a worker has more models than fit its catalog: the rest is not remembered',
      );
    if (dropped > 0 || version === undefined) cached.delete(catalog.key);
    else cached.set(catalog.key, { version, catalog });
  }

  async function readAll(): Promise<readonly StoredCatalog[]> {
    const found: StoredCatalog[] = [];
    // One after the other: a file may be long, and its text is gone before the next is read.
    for (const key of await listCatalogKeys(folder)) {
      const catalog = await read(key);
      if (catalog !== undefined) found.push(catalog);
    }
    return found.sort(latestFirst);
  }

  /** Makes room for one more worker. */
  async function forgetOldest(keptKey: string): Promise<void> {
    if ((await listCatalogKeys(folder)).length <= MAX_CATALOGS) return;
    const others = (await readAll()).filter(({ key }) => key !== keptKey);
    for (const catalog of others.slice(MAX_CATALOGS - 1)) {
      log.info({ worker: catalog.key }, 'a worker that was not seen for a long time is forgotten');
      const path = catalogPath(folder, catalog);
      await atStorage(path, 'removed', async () => await rm(path, { force: true }));
    }
  }

  const change: CatalogStore['change'] = async (worker, make) => {
    const lock = catalogPath(folder, worker).replace(/json$/, 'lock');
    await atStorage(folder, 'created', async () => await makeDataFolder(folder));
    return await withLock(lock, { waitMs: LOCK_WAIT_MS }, async () => {
      await removeTemporaries(catalogPath(folder, worker));
      const before = await read(worker.key);
      await write(make(before));
      await forgetOldest(worker.key);
      return before;
    });
  };

  async function remove(worker: KnownWorker): Promise<boolean> {
    const path = catalogPath(folder, worker);
    if ((await fileVersion(path)) === undefined) return false;
    return await withLock(path.replace(/json$/, 'lock'), { waitMs: LOCK_WAIT_MS }, async () => {
      await atStorage(path, 'removed', async () => await rm(path, { force: true }));
      cached.delete(worker.key);
      return true;
    });
  }

  return { read, readAll, change, remove };
}
