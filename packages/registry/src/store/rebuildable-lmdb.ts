import { open, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ignoreMissing, makeFolder, withLock } from '@model-rtc/files';
import type { RootDatabase } from 'lmdb';
import { makeDataFolder } from './folder-modes.ts';

const LMDB_MAGIC = 0xbeefc0de;
const META_PAGES = 2;
/** Offsets in a meta page, after the page's own header: see `MDB_meta` in LMDB's mdb.c. */
const META = { magic: 0x18, pageSize: 0x30, lastPage: 0x90, bytes: 0xa0 } as const;
const SMALLEST_PAGE = 4096;
/** Pages that a write took and gave back are counted, and never written where they are the last: a sound file lacks a few. */
const MOST_LOOSE_PAGES = 4;

/**
 * Opens LMDB tables whose content can be rebuilt: throws damaged ones away and makes new ones.
 * @param folder made when it is missing, and so is the one that it lies in
 * @param openTables opens them in the environment of the folder
 * @param onReset called when damaged ones were thrown away
 */
export async function openSoundLmdb<T>(
  folder: string,
  openTables: (root: RootDatabase) => T,
  onReset: (cause: unknown) => void,
): Promise<T> {
  // Loading it takes 30 ms, and most commands open no tables.
  const lmdb = await import('lmdb');
  const open = (): T => openTables(lmdb.open({ path: folder, maxDbs: 4, noSubdir: false }));
  await makeFolder(dirname(folder), 0o700);
  await makeDataFolder(folder);
  return await withLock(`${folder}.lock`, {}, async () => {
    try {
      await requireSound(join(folder, 'data.mdb'));
      return open();
    } catch (thrown) {
      onReset(thrown);
      await rm(folder, { recursive: true, force: true });
      await makeDataFolder(folder);
      return open();
    }
  });
}

/** Processes that have the tables open keep their content. */
export async function removeLmdb(folder: string): Promise<void> {
  await withLock(`${folder}.lock`, {}, async () => await rm(folder, { recursive: true, force: true }));
}

/**
 * Finds damage that LMDB itself would not survive: it maps the file into memory, and reading beyond the end of a cut file
 * ends the process.
 */
async function requireSound(path: string): Promise<void> {
  await using file = await ignoreMissing(open(path, 'r'));
  if (file === undefined) return;
  const first = Buffer.alloc(META.bytes);
  await file.read(first, 0, first.length, 0);
  const pageSize = first.readUInt32LE(META.pageSize);
  if (first.readUInt32LE(META.magic) !== LMDB_MAGIC || pageSize < SMALLEST_PAGE) throw new Error('it is no LMDB file');
  let used = 0;
  for (let page = 0; page < META_PAGES; page++) {
    const meta = Buffer.alloc(META.bytes);
    await file.read(meta, 0, meta.length, page * pageSize);
    if (meta.readUInt32LE(META.magic) !== LMDB_MAGIC) throw new Error('it was cut short, in its second page');
    used = Math.max(used, Number(meta.readBigUInt64LE(META.lastPage)) + 1);
  }
  // The size last: another process may be writing, and the file grows before a page says how far it is used.
  const there = Math.floor((await file.stat()).size / pageSize);
  if (used - there > MOST_LOOSE_PAGES) throw new Error(`it was cut short, to ${there} of ${used} pages`);
}
