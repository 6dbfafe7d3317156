import type { CachedBeat, CachedRecord, RecordCache } from '../../src/node/state/record-cache.ts';

/** The cache of one machine, in memory. */
export function memoryCache(): RecordCache {
  const records = new Map<string, CachedRecord>();
  const beats = new Map<string, CachedBeat>();
  const parts = new Map<string, Uint8Array>();
  let [version, beatsVersion] = [0, 0];
  const inRange = <T>(all: ReadonlyMap<string, T>, prefix: string) =>
    new Map([...all].filter(([name]) => name.startsWith(prefix)));
  const close = async (): Promise<void> => {};
  return {
    records: (prefix) => inRange(records, prefix),
    putRecord: async (name, record) => {
      if ((records.get(name)?.order ?? -1) > record.order) return;
      records.set(name, record);
      version += 1;
    },
    removeRecord: async (name) => {
      records.delete(name);
      version += 1;
    },
    beats: (prefix) => inRange(beats, prefix),
    putBeats: async (newer) => {
      for (const [name, beat] of newer) beats.set(name, beat);
      beatsVersion += 1;
    },
    part: (hash) => parts.get(hash),
    putPart: async (hash, bytes) => void parts.set(hash, bytes),
    keepParts: async (isNeeded) => {
      for (const hash of parts.keys()) if (!isNeeded(hash)) parts.delete(hash);
    },
    version: () => version,
    beatsVersion: () => beatsVersion,
    isCurrent: async () => true,
    close,
    [Symbol.asyncDispose]: close,
  };
}
