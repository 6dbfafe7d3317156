import { mkdir } from 'node:fs/promises';
import { atStorage, fileVersion } from '@model-rtc/files';
import type { Log } from '@model-rtc/protocol';
import {
  catalogPath,
  listCatalogKeys,
  readCatalogFile,
  removeCatalogFile,
  type StoredCatalog,
  writeCatalogFile,
} from './catalog-file.ts';
import { MAX_CATALOGS } from './catalog-limits.ts';

/** The folder of catalogs, with each file read once for as long as nobody writes it. */
export interface CatalogStore {
  prepare(): Promise<void>;
  read(key: string): Promise<StoredCatalog | undefined>;
  /** The worker that was seen last first. */
  readAll(): Promise<readonly StoredCatalog[]>;
  /** Writes a catalog and remembers it, so that it need not be read back. Only for who holds its lock. */
  write(catalog: StoredCatalog): Promise<void>;
  /** Makes room for one more worker than there are, by those that were not seen for the longest time. */
  forgetOldest(keptKey: string): Promise<void>;
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

  async function write(catalog: StoredCatalog): Promise<void> {
    const dropped = await writeCatalogFile(folder, catalog);
    const version = await fileVersion(catalogPath(folder, catalog));
    if (dropped > 0) log.warn({ worker: catalog.key, dropped }, 'a worker has more models than are remembered');
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
    return found.sort((a, b) => (a.seenAt === b.seenAt ? 0 : a.seenAt < b.seenAt ? 1 : -1));
  }

  async function forgetOldest(keptKey: string): Promise<void> {
    const keys = await listCatalogKeys(folder);
    if (keys.length <= MAX_CATALOGS) return;
    const others = (await readAll()).filter(({ key }) => key !== keptKey);
    for (const catalog of others.slice(MAX_CATALOGS - 1)) {
      log.info({ worker: catalog.key }, 'a worker that was not seen for long is not remembered any more');
      await removeCatalogFile(folder, catalog);
    }
  }

  return {
    prepare: async () =>
      void (await atStorage(folder, 'created', async () => await mkdir(folder, { recursive: true }))),
    read,
    readAll,
    write,
    forgetOldest,
  };
}
