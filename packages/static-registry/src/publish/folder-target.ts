import { readFile, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import {
  atStorage,
  ignoreMissing,
  listFolder,
  makeFolder,
  removeTemporaries,
  withLock,
  writeFileAtomic,
} from '@model-rtc/files';
import { type Digest, isDigest, sha256Digest } from '@model-rtc/protocol';
import { dataPath } from '../format/paths.ts';
import { DEFAULT_CONCURRENCY } from '../limits.ts';
import { registryFolder } from '../store/folder-store.ts';
import type { PublishTarget, StoredData, StoredFile } from './target.ts';

/** Readable by whoever serves the folder, whatever the publisher's umask allows. */
const MODE = 0o644;
/** Held while one of the named files is replaced. */
const LOCK = '.models.json.lock';

/** A registry in a folder, which is made when something is written. @param folder - its path, or a `file:` address */
export function createFolderTarget(folder: string): PublishTarget {
  const root = registryFolder(folder);
  const place = (hash: Digest) => join(root, ...dataPath(hash).split('/'));
  return {
    name: root,
    concurrency: DEFAULT_CONCURRENCY,
    nowMs: async () => Date.now(),
    // The first file that is written tells.
    prepare: async () => {},
    async claim(hash, bytes) {
      return await atStorage(place(hash), 'read', async () => {
        const found = await ignoreMissing(stat(place(hash)));
        if (found?.isFile() !== true || found.size !== bytes) return false;
        const now = new Date();
        return (await ignoreMissing(utimes(place(hash), now, now).then(() => true))) ?? false;
      });
    },
    async put(hash, bytes, signal) {
      signal?.throwIfAborted();
      await makeFolder(join(root, 'data'));
      await writeFileAtomic(place(hash), bytes, { mode: MODE });
    },
    readNamed: (file) => readStored(join(root, file)),
    async writeNamed(file, bytes, tag, signal) {
      const path = join(root, file);
      await makeFolder(root);
      return await withLock(join(root, LOCK), { signal }, async () => {
        const now = await readStored(path);
        if (now?.tag !== tag) return false;
        await removeTemporaries(path);
        await writeFileAtomic(path, bytes, { mode: MODE });
        return true;
      });
    },
    listData: () => listData(join(root, 'data')),
    clearUnfinished: (beforeMs) => clearUnfinished(join(root, 'data'), beforeMs),
    async removeOlder(hash, beforeMs) {
      return await atStorage(place(hash), 'removed', async () => {
        const found = await ignoreMissing(stat(place(hash)));
        if (found === undefined || found.mtimeMs >= beforeMs) return false;
        await rm(place(hash), { force: true });
        return true;
      });
    },
  };
}

async function readStored(path: string): Promise<StoredFile | undefined> {
  const bytes = await atStorage(path, 'read', () => ignoreMissing(readFile(path)));
  return bytes === undefined ? undefined : { bytes, tag: sha256Digest(bytes) };
}

async function* listData(folder: string): AsyncGenerator<StoredData> {
  for (const { name } of await listFolder(folder)) {
    if (!isDigest(name)) continue;
    const found = await atStorage(join(folder, name), 'read', () => ignoreMissing(stat(join(folder, name))));
    if (found?.isFile()) yield { hash: name, bytes: found.size, writtenAtMs: found.mtimeMs };
  }
}

/** What `writeFileAtomic` of a publisher that was killed leaves beside the files. */
const UNFINISHED = /^[0-9a-f]{64}\.\d+-[0-9a-f]{12}\.tmp$/;

async function clearUnfinished(folder: string, beforeMs: number): Promise<number> {
  let bytes = 0;
  for (const { name } of await listFolder(folder)) {
    if (!UNFINISHED.test(name)) continue;
    const path = join(folder, name);
    const found = await atStorage(path, 'read', () => ignoreMissing(stat(path)));
    if (found === undefined || found.mtimeMs >= beforeMs) continue;
    await atStorage(path, 'removed', () => rm(path, { force: true }));
    bytes += found.size;
  }
  return bytes;
}
