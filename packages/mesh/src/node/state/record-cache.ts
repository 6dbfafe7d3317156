import { join } from 'node:path';
import { type Log, silentLog } from '@model-rtc/protocol';
import { openSoundLmdb } from '@model-rtc/registry';
import type { Database } from 'lmdb';

/** What is kept of one record. The bytes are as they were received: signed, and checked again when they are read. */
export interface CachedRecord {
  readonly bytes: Uint8Array;
  /** When it was heard, in milliseconds since 1970. */
  readonly heardAtMs: number;
  /** Orders the records of one name: a later process must not put an older one over a newer. */
  readonly order: number;
}

/** Heads, beats and memberships by name, and parts by their hash, shared between the processes of this machine. */
export interface RecordCache extends AsyncDisposable {
  /** All whose names begin with the prefix. */
  records(prefix: string): Map<string, CachedRecord>;
  /** Keeps a record, unless a newer one of this name is there. */
  putRecord(name: string, record: CachedRecord): Promise<void>;
  removeRecord(name: string): Promise<void>;
  part(hash: string): Uint8Array | undefined;
  putPart(hash: string, bytes: Uint8Array): Promise<void>;
  /** Removes the parts that nobody needs any more. */
  keepParts(isNeeded: (hash: string) => boolean): Promise<void>;
  /** Grows with every change, by whichever process. */
  version(): number;
  close(): Promise<void>;
}

const VERSION_NAME = 'version';

/**
 * Opens the cache in the mesh's folder. All of it can be asked for again from other members, so a damaged one is thrown away.
 * @throws ModelRtcError `storage`
 */
export async function openRecordCache(meshFolder: string, log: Log = silentLog): Promise<RecordCache> {
  const folder = join(meshFolder, 'cache');
  const tables = await openSoundLmdb(
    folder,
    (root) => ({
      root,
      records: root.openDB<CachedRecord, string>({ name: 'records' }),
      parts: root.openDB<Uint8Array, string>({ name: 'parts', encoding: 'binary' }),
      meta: root.openDB<number, string>({ name: 'meta' }),
    }),
    (cause) => log.warn({ err: cause, folder }, 'The cache of what meshes have is damaged. It is asked for again.'),
  );
  const { root, records, parts, meta } = tables;
  const changed = () => meta.put(VERSION_NAME, (meta.get(VERSION_NAME) ?? 0) + 1);
  const change = async (work: () => boolean): Promise<void> => {
    await root.transaction(() => {
      if (work()) void changed();
    });
  };
  return {
    records: (prefix) => inRange(records, prefix),
    putRecord: (name, record) =>
      change(() => {
        const known = records.get(name);
        if (known !== undefined && known.order > record.order) return false;
        void records.put(name, record);
        return true;
      }),
    removeRecord: (name) => change(() => void records.remove(name) === undefined),
    part: (hash) => parts.get(hash),
    putPart: async (hash, bytes) => {
      await parts.put(hash, Buffer.from(bytes));
    },
    keepParts: (isNeeded) =>
      change(() => {
        for (const hash of [...parts.getKeys()]) if (!isNeeded(hash)) void parts.remove(hash);
        return false;
      }),
    version: () => meta.get(VERSION_NAME) ?? 0,
    close: () => root.close(),
    [Symbol.asyncDispose]: () => root.close(),
  };
}

function inRange(records: Database<CachedRecord, string>, prefix: string): Map<string, CachedRecord> {
  const range = records.getRange({ start: prefix, end: `${prefix}\uffff` });
  return new Map([...range].map(({ key, value }) => [key, value]));
}
