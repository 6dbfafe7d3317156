import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { atStorage, ignoreMissing } from '@model-rtc/files';
import { type Log, ModelRtcError, silentLog } from '@model-rtc/protocol';
import { openSoundLmdb } from '@model-rtc/registry';
import type { Database, RootDatabase } from 'lmdb';
import * as z from 'zod';

/** What is kept of one record. The bytes are as they were received: signed, and checked again when they are read. */
export interface CachedRecord {
  readonly bytes: Uint8Array;
  /** When it was heard, in milliseconds since 1970. */
  readonly heardAtMs: number;
  /** Orders the records of one name: a later process must not put an older one over a newer. */
  readonly order: number;
}

/** The newest beat of a node, checked again when it is read. */
export interface CachedBeat {
  readonly sequence: number;
  readonly index: number;
  readonly value: Uint8Array;
}

/** Heads and memberships by name, beats by their node, and parts by their hash, shared between the processes of this machine. */
export interface RecordCache extends AsyncDisposable {
  /** All whose names begin with the prefix. */
  records(prefix: string): Map<string, CachedRecord>;
  /** Keeps a record, unless a newer one of this name is there. */
  putRecord(name: string, record: CachedRecord): Promise<void>;
  removeRecord(name: string): Promise<void>;
  /** All whose names begin with the prefix. */
  beats(prefix: string): Map<string, CachedBeat>;
  /** Keeps beats, in one step. Newer ones that are there stay. */
  putBeats(beats: ReadonlyMap<string, CachedBeat>): Promise<void>;
  part(hash: string): Uint8Array | undefined;
  putPart(hash: string, bytes: Uint8Array): Promise<void>;
  /** Removes the parts that nobody needs any more. */
  keepParts(isNeeded: (hash: string) => boolean): Promise<void>;
  /** Grows with every change of records, by whichever process. */
  version(): number;
  /** The same for beats: they come all the time, and records need not be read again for them. */
  beatsVersion(): number;
  /** False once somebody has removed its folder, or another process has thrown it away: then no other process sees what is written. */
  isCurrent(): Promise<boolean>;
  close(): Promise<void>;
}

const VERSION_NAME = 'version';
const BEATS_VERSION_NAME = 'beats-version';

/**
 * Opens the cache in the mesh's folder. All of it can be asked for again from other members, so a damaged one is thrown away.
 * @throws ModelRtcError `storage`
 */
export async function openRecordCache(meshFolder: string, log: Log = silentLog): Promise<RecordCache> {
  const folder = join(meshFolder, 'cache');
  const tables = await atStorage(folder, 'opened', () =>
    openSoundLmdb(folder, openTables, (cause) =>
      log.warn(
        { err: cause, folder },
        `The cache of what meshes have is damaged, and is asked for again: ${ModelRtcError.from(cause).message}`,
      ),
    ),
  );
  const opened = await cacheIdentity(meshFolder);
  const { root, records, beats, parts, meta } = tables;
  const changed = (name = VERSION_NAME) => meta.put(name, (meta.get(name) ?? 0) + 1);
  const { read, write, close } = untilClosed(root);
  const change = (work: () => boolean): Promise<void> =>
    write(() =>
      root.transaction(() => {
        if (work()) void changed();
      }),
    );
  return {
    records: (prefix) => read(() => inRange(records, prefix), new Map()),
    putRecord: (name, record) =>
      change(() => {
        const known = records.get(name);
        if (known !== undefined && known.order > record.order) return false;
        void records.put(name, record);
        return true;
      }),
    removeRecord: (name) => change(() => void records.remove(name) === undefined),
    beats: (prefix) => read(() => inRange(beats, prefix), new Map()),
    putBeats: (newer) =>
      change(() => {
        for (const [name, beat] of newer) if (isNewer(beat, beats.get(name))) void beats.put(name, { ...beat });
        void changed(BEATS_VERSION_NAME);
        return false;
      }),
    part: (hash) => read(() => parts.get(hash), undefined),
    putPart: (hash, bytes) => write(() => parts.put(hash, Buffer.from(bytes))),
    keepParts: (isNeeded) =>
      change(() => {
        for (const hash of [...parts.getKeys()]) if (!isNeeded(hash)) void parts.remove(hash);
        return false;
      }),
    version: () => read(() => meta.get(VERSION_NAME) ?? 0, 0),
    beatsVersion: () => read(() => meta.get(BEATS_VERSION_NAME) ?? 0, 0),
    isCurrent: async () => (await cacheIdentity(meshFolder)) === opened,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/**
 * Lets nobody use a database once it is being closed: LMDB ends the whole process then. Members answer and ask at any time, until a command is
 * gone. What they bring then is lost, and asked for again.
 */
function untilClosed(root: RootDatabase) {
  const writing = new Set<Promise<unknown>>();
  let closed: Promise<void> | undefined;
  return {
    read: <T>(work: () => T, otherwise: T): T => (closed === undefined ? work() : otherwise),
    write: async (work: () => Promise<unknown>): Promise<void> => {
      if (closed !== undefined) return;
      const written = work();
      writing.add(written);
      await written.finally(() => writing.delete(written));
    },
    close: async (): Promise<void> => {
      closed ??= Promise.allSettled([...writing]).then(() => root.close());
      await closed;
    },
  };
}

/** Tells the cache that is there now from one that was there before; undefined where there is none. */
export async function cacheIdentity(meshFolder: string): Promise<string | undefined> {
  const found = await ignoreMissing(stat(join(meshFolder, 'cache', 'data.mdb')));
  return found === undefined ? undefined : `${found.dev} ${found.ino}`;
}

/** @throws Error for tables with values that nobody wrote so: LMDB notices no damage inside of its pages */
function openTables(root: RootDatabase) {
  const tables = {
    root,
    records: root.openDB<CachedRecord, string>({ name: 'records' }),
    beats: root.openDB<CachedBeat, string>({ name: 'beats' }),
    parts: root.openDB<Uint8Array, string>({ name: 'parts', encoding: 'binary' }),
    meta: root.openDB<number, string>({ name: 'meta' }),
  };
  try {
    for (const { value } of tables.records.getRange()) recordSchema.parse(value);
    for (const { value } of tables.beats.getRange()) beatSchema.parse(value);
    for (const { value } of tables.meta.getRange()) countSchema.parse(value);
    // Whoever takes a part compares its hash.
    for (const _ of tables.parts.getKeys());
    return tables;
  } catch (error) {
    void root.close();
    throw error;
  }
}

const countSchema = z.number().int().min(0);
const recordSchema = z.object({ bytes: z.instanceof(Uint8Array), heardAtMs: z.number(), order: z.number() });
const beatSchema = z.object({ sequence: countSchema, index: countSchema, value: z.instanceof(Uint8Array) });

function inRange<T>(table: Database<T, string>, prefix: string): Map<string, T> {
  const range = table.getRange({ start: prefix, end: `${prefix}\uffff` });
  return new Map([...range].map(({ key, value }) => [key, value]));
}

function isNewer(beat: CachedBeat, known: CachedBeat | undefined): boolean {
  if (known === undefined || beat.sequence > known.sequence) return true;
  return beat.sequence === known.sequence && beat.index > known.index;
}
