import { createHash } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { CHUNKER } from '@model-rtc/formats';
import type { Log } from '@model-rtc/protocol';
import type { Database, RootDatabase } from 'lmdb';
import { openSoundLmdb } from '../store/rebuildable-lmdb.ts';
import { decodeHashes, encodeHashes } from './hash-record.ts';
import type { CacheableFile, FileHashes, HashCache } from './types.ts';

/**
 * A file that changed this shortly before it was read may change again and keep its time: FAT counts in steps of 2 s, other
 * file systems in a few milliseconds. It is read again the next time.
 */
const RACY_MS = 3000;
/** The last use of a record is noted to the day, so that a hit seldom writes. */
const DAY_MS = 24 * 60 * 60 * 1000;
/** The chunk digests of a terabyte take 36 MB, so this holds some 7 TB, or 200,000 files. */
const MAX_RECORDS = 200_000;
const MAX_BYTES = 256 * 1024 * 1024;
/** How much stays after clearing, so that clearing is seldom. */
const KEPT_SHARE = 0.75;

export interface HashCacheOptions {
  readonly log: Log;
  readonly now: () => Date;
  readonly maxRecords?: number | undefined;
  readonly maxBytes?: number | undefined;
}

interface Tables {
  readonly root: RootDatabase;
  readonly hashes: Database<Buffer, Buffer>;
  /** When each record was used last, and its length; clearing reads only these. */
  readonly uses: Database<Buffer, Buffer>;
}

/** @param folder made and opened on first use */
export function createHashCache(folder: string, options: HashCacheOptions): HashCache {
  const { log } = options;
  const bounds = { maxRecords: options.maxRecords ?? MAX_RECORDS, maxBytes: options.maxBytes ?? MAX_BYTES };
  let opened: Promise<Tables> | undefined;
  const tables = (): Promise<Tables> => {
    opened ??= openSoundLmdb(folder, openTables, (cause) => {
      log.warn({ folder, error: cause }, 'the cache of hashes was damaged: it starts empty');
    });
    return opened;
  };
  /** Does not try again to open a broken cache for each of a thousand files. */
  const attempt = async <T>(work: (opened: Tables) => T | Promise<T>): Promise<T | undefined> => {
    try {
      return await work(await tables());
    } catch (error) {
      log.debug({ folder, error }, 'the cache of hashes cannot be used');
      return undefined;
    }
  };
  return {
    async get(file) {
      const found = await look(file);
      if (found === undefined) return undefined;
      return await attempt((all) => find(all, found.key, file.size, options.now()));
    },
    async put(file, hashes, readFromMs) {
      const found = await look(file);
      if (found === undefined || isRacy(found.stats, readFromMs)) return;
      await attempt((all) => keep(all, found.key, encodeHashes(hashes), options.now(), bounds));
    },
    nowMs: () => options.now().getTime(),
    async close() {
      const closing = opened;
      opened = undefined;
      await closing?.then(({ root }) => root.close()).catch(() => undefined);
    },
  };
}

function openTables(root: RootDatabase): Tables {
  const options = { keyEncoding: 'binary', encoding: 'binary' } as const;
  const hashes = root.openDB<Buffer, Buffer>('hashes', options);
  const uses = root.openDB<Buffer, Buffer>('uses', options);
  return { root, hashes, uses };
}

/** The file now at the path, and its key in the cache; undefined when it is another file than the given one. */
async function look(file: CacheableFile): Promise<{ key: Buffer; stats: BigIntStats } | undefined> {
  try {
    const path = await realpath(file.absolutePath);
    const stats = await stat(path, { bigint: true });
    if (!stats.isFile() || stats.size !== BigInt(file.size) || stats.mtimeNs !== file.mtimeNs) return undefined;
    return { key: keyOf(path, stats), stats };
  } catch {
    return undefined;
  }
}

/**
 * Everything that changes when a file does. A program can set back the time of the content's last change, but not that of
 * any change (ctime). The device number is left out, since it may change when the machine restarts.
 */
function keyOf(path: string, { size, mtimeNs, ctimeNs, ino }: BigIntStats): Buffer {
  return createHash('sha256').update(`${CHUNKER}\0${path}\0${ino} ${size} ${mtimeNs} ${ctimeNs}`).digest();
}

function isRacy({ mtimeMs, ctimeMs }: BigIntStats, readFromMs: number): boolean {
  return Math.max(Number(mtimeMs), Number(ctimeMs)) > readFromMs - RACY_MS;
}

async function find(all: Tables, key: Buffer, size: number, now: Date): Promise<FileHashes | undefined> {
  const record = all.hashes.get(key);
  if (record === undefined) return undefined;
  const known = decodeHashes(record, size);
  if (known === undefined) {
    await drop(all, [key]);
    return undefined;
  }
  const use = all.uses.get(key);
  if (use?.length !== USE_BYTES || now.getTime() - use.readDoubleBE(0) > DAY_MS) {
    await all.uses.put(key, encodeUse(now, record.length));
  }
  return known;
}

async function keep(
  all: Tables,
  key: Buffer,
  record: Buffer,
  now: Date,
  bounds: { maxRecords: number; maxBytes: number },
): Promise<void> {
  await all.root.transaction(() => {
    all.hashes.putSync(key, record);
    all.uses.putSync(key, encodeUse(now, record.length));
  });
  await clearOldest(all, bounds);
}

const USE_BYTES = 12;

function encodeUse(now: Date, recordBytes: number): Buffer {
  const use = Buffer.alloc(USE_BYTES);
  use.writeDoubleBE(now.getTime(), 0);
  use.writeUInt32BE(recordBytes, 8);
  return use;
}

/**
 * Drops the records used longest ago. Nobody finds the records of changed or removed files again, so they go this way.
 */
async function clearOldest(all: Tables, { maxRecords, maxBytes }: { maxRecords: number; maxBytes: number }) {
  const { entryCount } = all.uses.getStats() as { entryCount: number };
  const pages = all.hashes.getStats() as { pageSize: number; treeLeafPageCount: number; overflowPages: number };
  const bytes = pages.pageSize * (pages.treeLeafPageCount + pages.overflowPages);
  if (entryCount <= maxRecords && bytes <= maxBytes) return;
  const uses = [...all.uses.getRange()].map(({ key, value }) => ({
    key: Buffer.from(key),
    usedAtMs: value.length === USE_BYTES ? value.readDoubleBE(0) : 0,
    bytes: value.length === USE_BYTES ? value.readUInt32BE(8) : maxBytes,
  }));
  uses.sort((a, b) => b.usedAtMs - a.usedAtMs);
  let room = maxBytes * KEPT_SHARE;
  const gone = uses.filter(({ bytes: size }, i) => {
    room -= size;
    return i >= maxRecords * KEPT_SHARE || room < 0;
  });
  await drop(
    all,
    gone.map(({ key }) => key),
  );
}

async function drop({ root, hashes, uses }: Tables, keys: readonly Buffer[]): Promise<void> {
  await root.transaction(() => {
    for (const key of keys) {
      hashes.removeSync(key);
      uses.removeSync(key);
    }
  });
}
