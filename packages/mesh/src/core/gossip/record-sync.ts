import { type Clock, type Log, ModelRtcError } from '@model-rtc/protocol';
import { differing, rangeHashes, summaryOf } from './ranges.ts';
import type { RecordStore, RecordSummary, SyncMessage, SyncReply } from './types.ts';

export interface RecordSyncOptions {
  readonly store: RecordStore;
  /** Tells a linked member, and resolves with its answer. */
  readonly tell: (key: string, message: SyncMessage) => Promise<SyncReply>;
  /** Asks a linked member for parts of catalogs. */
  readonly fetchParts: (key: string, hashes: readonly string[]) => Promise<readonly Uint8Array[]>;
  /** Members that are linked now. */
  readonly linked: () => readonly string[];
  /** Called after records or parts were news. */
  readonly onNews: () => void;
  readonly onBrokenLimit: (key: string, problem: string) => void;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
}

/** Bytes of records in one message: what an answer of the protocol holds, with room to spare. */
const MAX_MESSAGE_RECORD_BYTES = 2 * 1024 * 1024;
/** Parts asked for at once: each has 64 KiB at most. */
const PARTS_AT_ONCE = 32;
/** What one member may send in a minute: all catalogs of a large mesh after a partition, several times over. */
const MAX_BYTES_PER_MINUTE = 64 * 1024 * 1024;
const MAX_RECORDS_PER_MINUTE = 50_000;
/** A record with a wrong signature counts as so many: it takes a millisecond and a half to see, and honest members send none. */
const FORGED_COUNTS_AS = 500;
/** How often a random neighbour is asked whether it has more: what a lost message brings back. */
const COMPARE_MS = 60_000;

/** Links that news of others goes on to: it reaches nearly everyone, each some five times, and comparing brings the rest. */
const FAN_OUT = 5;
/** Two that have less compare the names of all of it at once. */
const MIN_HASHED_RECORDS = 128;
const NOTHING: SyncReply = { records: [], want: [] };

interface Taken {
  sinceMs: number;
  bytes: number;
  records: number;
}

/**
 * Keeps the records of linked members alike: a new link compares what both have, news goes on to every link at once, and now and then two
 * compare again. Catalog parts follow their heads. It knows nothing of what records say.
 */
export class RecordSync {
  readonly #options: RecordSyncOptions;
  readonly #taken = new Map<string, Taken>();
  readonly #stop: () => void;
  #isFetching = false;

  constructor(options: RecordSyncOptions) {
    this.#options = options;
    this.#stop = options.clock.every(COMPARE_MS, () => {
      const linked = options.linked();
      const key = linked[Math.floor(options.random() * linked.length)];
      if (key !== undefined) void this.compare(key);
    });
  }

  /** Compares with a member, both ways. It never rejects: a link that failed is made again. @returns whether it went well */
  async compare(key: string): Promise<boolean> {
    try {
      const ranges = await this.#differingRanges(key);
      const have = summaryOf(this.#options.store, ranges);
      const { records, want } =
        ranges?.length === 0 ? NOTHING : await this.#options.tell(key, { records: [], have, ranges });
      await this.#take(key, records);
      for (let rest = this.#recordsOf(want); rest.length > 0; ) {
        const { now, later } = firstBytes(rest);
        await this.#options.tell(key, { records: now });
        rest = later;
      }
      await this.fetchMissing(key);
      return true;
    } catch (error) {
      this.#options.log.debug({ err: error, member: key }, 'records could not be compared with a member');
      return false;
    }
  }

  /** Answers a member. @throws ModelRtcError `busy` when it sends more than it may */
  async answer(key: string, { records, have, ranges, hashes }: SyncMessage): Promise<SyncReply> {
    await this.#take(key, records);
    if (records.length > 0) void this.fetchMissing(key);
    if (hashes !== undefined) return { ...NOTHING, ranges: differing(hashes, rangeHashes(this.#options.store)) };
    if (have === undefined) return NOTHING;
    const theirs = new Map(have.map(({ name, order }) => [name, order]));
    const newer = summaryOf(this.#options.store, ranges).filter(({ name, order }) => order > (theirs.get(name) ?? -1));
    const want = have.filter((one) => this.#isMissing(one)).map(({ name }) => name);
    return { records: firstBytes(this.#recordsOf(newer.map(({ name }) => name))).now, want };
  }

  /** Tells all linked members of records that are news here. It never rejects. Resolves when they have answered. */
  async announce(names: readonly string[], exceptKey?: string): Promise<void> {
    const records = this.#recordsOf(names);
    if (records.length === 0) return;
    await Promise.all([...this.#someLinked(exceptKey)].map((key) => this.#announceTo(key, firstBytes(records).now)));
  }

  async #announceTo(key: string, records: readonly Uint8Array[]): Promise<void> {
    try {
      await this.#options.tell(key, { records });
    } catch (error) {
      this.#options.log.debug({ err: error, member: key }, 'a member could not be told of news');
    }
  }

  /** Fetches what heads name and is not here: from the given member first, then from the others. */
  async fetchMissing(firstKey?: string): Promise<void> {
    if (this.#isFetching) return;
    this.#isFetching = true;
    try {
      const keys = [...new Set([...(firstKey === undefined ? [] : [firstKey]), ...this.#options.linked()])];
      for (const key of keys) {
        while (await this.#fetchSome(key));
        if (this.#options.store.missingParts(1).length === 0) return;
      }
    } finally {
      this.#isFetching = false;
    }
  }

  close(): void {
    this.#stop();
  }

  /** @returns whether there is more to ask of this member */
  async #fetchSome(key: string): Promise<boolean> {
    const { store, fetchParts, onNews, log } = this.#options;
    const wanted = store.missingParts(PARTS_AT_ONCE);
    if (wanted.length === 0) return false;
    try {
      const parts = await fetchParts(key, wanted);
      this.#count(key, bytesIn(parts), parts.length);
      for (const part of parts) await store.acceptPart(part);
      if (parts.length > 0) onNews();
      return store.missingParts(1).length > 0 && parts.length > 0;
    } catch (error) {
      log.debug({ err: error, member: key }, 'parts of catalogs could not be fetched from a member');
      return false;
    }
  }

  async #take(key: string, records: readonly Uint8Array[]): Promise<void> {
    this.#count(key, bytesIn(records), records.length);
    const news: string[] = [];
    for (const record of records) {
      const name = await this.#options.store.accept(record, key);
      if (name === false) this.#count(key, 0, FORGED_COUNTS_AS);
      else if (name !== undefined) news.push(name);
    }
    if (news.length === 0) return;
    this.#options.onNews();
    void this.announce(news, key);
  }

  #count(key: string, bytes: number, records: number): void {
    const nowMs = this.#options.clock.nowMs();
    const known = this.#taken.get(key);
    const taken =
      known === undefined || nowMs - known.sinceMs > 60_000 ? { sinceMs: nowMs, bytes: 0, records: 0 } : known;
    taken.bytes += bytes;
    taken.records += records;
    this.#taken.set(key, taken);
    if (taken.bytes <= MAX_BYTES_PER_MINUTE && taken.records <= MAX_RECORDS_PER_MINUTE) return;
    this.#options.onBrokenLimit(key, 'It sends more records in a minute than a member may.');
    throw new ModelRtcError('busy', 'You send more records in a minute than a member may. Wait a minute.');
  }

  /** In which ranges of names the two differ; undefined when all of them are to be compared. */
  async #differingRanges(key: string): Promise<readonly number[] | undefined> {
    if ([...this.#options.store.summary()].length < MIN_HASHED_RECORDS) return undefined;
    const { ranges } = await this.#options.tell(key, { records: [], hashes: rangeHashes(this.#options.store) });
    return ranges;
  }

  /** News that others made goes on to some links alone: the others hear it from their own, or when they compare. */
  #someLinked(exceptKey: string | undefined): string[] {
    const linked = this.#options.linked().filter((key) => key !== exceptKey);
    if (exceptKey === undefined) return linked;
    while (linked.length > FAN_OUT) linked.splice(Math.floor(this.#options.random() * linked.length), 1);
    return linked;
  }

  #isMissing({ name, order }: RecordSummary): boolean {
    return order > (this.#options.store.orderOf(name) ?? -1);
  }

  #recordsOf(names: readonly string[]): Uint8Array[] {
    return names.flatMap((name) => this.#options.store.bytesOf(name) ?? []);
  }
}

function bytesIn(items: readonly Uint8Array[]): number {
  return items.reduce((sum, { length }) => sum + length, 0);
}

function firstBytes(records: readonly Uint8Array[]): { readonly now: Uint8Array[]; readonly later: Uint8Array[] } {
  let bytes = 0;
  const end = records.findIndex((record) => {
    bytes += record.length;
    return bytes > MAX_MESSAGE_RECORD_BYTES;
  });
  const at = end === -1 ? records.length : Math.max(end, 1);
  return { now: records.slice(0, at), later: records.slice(at) };
}
