import type { Clock, Log } from '@model-rtc/protocol';
import { MAX_RECORD_BYTES } from '../limits.ts';
import { bytesIn, COSTS, MemberBudgets } from './member-budgets.ts';
import { PARTS_AT_ONCE, PartFetcher } from './part-fetcher.ts';
import { differing, rangeHashes, summaryOf } from './ranges.ts';
import type { RecordStore, RecordSummary, SyncMessage, SyncReply } from './types.ts';

export interface RecordSyncOptions {
  readonly store: RecordStore;
  /** Tells a linked member, and resolves with its answer. */
  readonly tell: (key: string, message: SyncMessage) => Promise<SyncReply>;
  /** Asks a linked member for parts of catalogs. */
  readonly fetchParts: (key: string, hashes: readonly string[]) => Promise<readonly Uint8Array[]>;
  /** Whether a member is asked over signaling servers alone: little goes there, and it can ask nothing back. */
  readonly isWithoutLane?: ((key: string) => boolean) | undefined;
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
/** The same where there is no lane, with room for names beside them. */
const MAX_SEALED_RECORD_BYTES = 192 * 1024;
/** Names that fit into a message without a lane. */
const MAX_SEALED_NAMES = 2_000;
/** Hashes of missing parts in one answer. */
const MAX_MISSING = 256;
/** Parts that are sent at once to a member that cannot fetch them. */
const SENT_PARTS = 8;
/** Parts that are given at once where there is no lane. */
const MAX_SEALED_PARTS = 7;
/** Answers that are cut are asked on so often. */
const MAX_COMPARISONS = 16;
/** How often a random neighbour is asked whether it has more: what a lost message brings back. */
const COMPARE_MS = 60_000;

/** Links that news of others goes on to: it reaches nearly everyone, each some five times, and comparing brings the rest. */
const FAN_OUT = 5;
/** Two that have less compare the names of all of it at once. */
const MIN_HASHED_RECORDS = 128;
const NOTHING: SyncReply = { records: [], want: [] };

/**
 * Keeps the records of linked members alike: a new link compares what both have, news goes on to every link at once, and now and then two
 * compare again. Catalog parts follow their heads. It knows nothing of what records say.
 */
export class RecordSync {
  readonly #options: RecordSyncOptions;
  readonly #budgets: MemberBudgets;
  readonly #parts: PartFetcher;
  readonly #stop: () => void;

  constructor(options: RecordSyncOptions) {
    this.#options = options;
    this.#budgets = new MemberBudgets(options.clock);
    this.#parts = new PartFetcher({
      ...options,
      atOnce: (key) => (options.isWithoutLane?.(key) === true ? MAX_SEALED_PARTS : PARTS_AT_ONCE),
      count: (key, parts) => this.#count(key, { bytes: bytesIn(parts), records: parts.length }),
    });
    this.#stop = options.clock.every(COMPARE_MS, () => {
      const linked = options.linked();
      const key = linked[Math.floor(options.random() * linked.length)];
      if (key !== undefined) void this.compare(key);
    });
  }

  /** Compares with a member, both ways. It never rejects: a link that failed is made again. @returns whether it went well */
  async compare(key: string): Promise<boolean> {
    try {
      for (let times = 1; (await this.#compareOnce(key)) && times < MAX_COMPARISONS; ) times += 1;
      await this.fetchMissing(key);
      return true;
    } catch (error) {
      this.#options.log.debug({ err: error, member: key }, 'records could not be compared with a member');
      return false;
    }
  }

  /**
   * Answers a member.
   * @param isWithoutLane - the answer is short, and names the parts that are missing here
   * @throws ModelRtcError `busy` when it sends more than it may
   */
  async answer(key: string, message: SyncMessage, { isWithoutLane = false } = {}): Promise<SyncReply> {
    const { records, have, ranges, hashes, parts = [] } = message;
    const names = Math.ceil((have?.length ?? 0) / COSTS.namesPerRecord);
    this.#count(key, { records: COSTS.message + names + (hashes === undefined ? 0 : COSTS.hashes) });
    const { store } = this.#options;
    await this.#take(key, records);
    await this.#parts.take(key, parts);
    if (records.length > 0) void this.fetchMissing(key);
    const nothing = isWithoutLane ? { ...NOTHING, missing: store.missingParts(MAX_MISSING) } : NOTHING;
    if (hashes !== undefined) return { ...nothing, ranges: differing(hashes, rangeHashes(store)) };
    if (have === undefined) return nothing;
    const theirs = new Map(have.map(({ name, order }) => [name, order]));
    const newer = summaryOf(store, ranges).filter(({ name, order }) => order > (theirs.get(name) ?? -1));
    const want = have.filter((one) => this.#isMissing(one)).map(({ name }) => name);
    const most = isWithoutLane ? MAX_SEALED_RECORD_BYTES : MAX_MESSAGE_RECORD_BYTES;
    const given = firstBytes(this.#recordsOf(newer.map(({ name }) => name)), most).now;
    this.#give(key, given);
    return { ...nothing, records: given, want };
  }

  /** Answers a member that asks for parts of catalogs. @throws ModelRtcError `busy` when it asks for more than it may */
  giveParts(key: string, hashes: readonly string[], { isWithoutLane = false } = {}): Uint8Array[] {
    this.#count(key, { records: COSTS.message });
    const known = [...new Set(hashes)].flatMap((hash) => this.#options.store.part(hash) ?? []);
    const parts = isWithoutLane ? known.slice(0, MAX_SEALED_PARTS) : known;
    this.#give(key, parts);
    return parts;
  }

  /** Tells all linked members of records that are news here. It never rejects. Resolves when they have answered. */
  async announce(names: readonly string[], exceptKey?: string): Promise<void> {
    const records = this.#recordsOf(names);
    if (records.length === 0) return;
    await Promise.all(
      [...this.#someLinked(exceptKey)].map((key) =>
        this.#announceTo(key, firstBytes(records, this.#mostBytesTo(key)).now),
      ),
    );
  }

  async #announceTo(key: string, records: readonly Uint8Array[]): Promise<void> {
    if (!this.#budgets.mayTell(key, records)) return;
    try {
      await this.#options.tell(key, { records });
    } catch (error) {
      this.#options.log.debug({ err: error, member: key }, 'a member could not be told of news');
    }
  }

  /** Fetches what heads name and is not here: from the given member first, then from the others. It never rejects. */
  async fetchMissing(firstKey?: string): Promise<void> {
    await this.#parts.fetch(firstKey);
  }

  /** Whether all that somebody has is here. */
  get isComplete(): boolean {
    return this.#parts.isDone;
  }

  close(): void {
    this.#stop();
    this.#parts.close();
  }

  /** @returns whether the answer was cut, so that there may be more */
  async #compareOnce(key: string): Promise<boolean> {
    const { store, tell } = this.#options;
    const most = this.#mostBytesTo(key);
    const { ranges: differ, missing: missingNow } = await this.#differingRanges(key);
    const [ranges, have] = this.#summaryFor(key, differ);
    const nothing: SyncReply = { ...NOTHING, missing: missingNow };
    const reply = ranges?.length === 0 ? nothing : await tell(key, { records: [], have, ranges });
    await this.#take(key, reply.records);
    let missing = reply.missing ?? [];
    for (let rest = this.#recordsOf([...new Set(reply.want)]); rest.length > 0; ) {
      const { now, later } = firstBytes(rest, most);
      missing = (await tell(key, { records: now })).missing ?? [];
      rest = later;
    }
    for (let rest = missing.flatMap((hash) => store.part(hash) ?? []); rest.length > 0; ) {
      const { now, later } = firstBytes(rest.slice(0, SENT_PARTS), most);
      await tell(key, { records: [], parts: now });
      rest = [...later, ...rest.slice(SENT_PARTS)];
    }
    const isCut = bytesIn(reply.records) > most - MAX_RECORD_BYTES;
    return isCut || (differ?.length ?? 0) > (ranges?.length ?? 0);
  }

  /** What is compared at once: fewer ranges where all names would be too many. */
  #summaryFor(key: string, differ: readonly number[] | undefined): [readonly number[] | undefined, RecordSummary[]] {
    const { store, isWithoutLane } = this.#options;
    let [ranges, have] = [differ, summaryOf(store, differ)];
    while (isWithoutLane?.(key) === true && have.length > MAX_SEALED_NAMES && (ranges?.length ?? 0) > 1) {
      ranges = ranges?.slice(0, Math.ceil(ranges.length / 2));
      have = summaryOf(store, ranges);
    }
    return [ranges, have];
  }

  #mostBytesTo(key: string): number {
    return this.#options.isWithoutLane?.(key) === true ? MAX_SEALED_RECORD_BYTES : MAX_MESSAGE_RECORD_BYTES;
  }

  async #take(key: string, records: readonly Uint8Array[]): Promise<void> {
    this.#count(key, { bytes: bytesIn(records), records: records.length });
    const news: string[] = [];
    for (const record of records) {
      const name = await this.#options.store.accept(record, key);
      if (name === false) this.#count(key, { records: COSTS.forged });
      else if (name !== undefined) news.push(name);
    }
    if (news.length === 0) return;
    this.#options.onNews();
    void this.announce(news, key);
  }

  /** @throws ModelRtcError `busy`, after the member was dropped for it */
  #count(key: string, cost: { readonly bytes?: number; readonly records?: number }): void {
    try {
      this.#budgets.take(key, cost);
    } catch (error) {
      this.#options.onBrokenLimit(key, 'It sends more records in a minute than a member may.');
      throw error;
    }
  }

  /** @throws as `#count` */
  #give(key: string, given: readonly Uint8Array[]): void {
    try {
      this.#budgets.give(key, bytesIn(given));
    } catch (error) {
      this.#options.onBrokenLimit(key, 'It asks for more records in a minute than a member may.');
      throw error;
    }
  }

  /** In which ranges of names the two differ; undefined when all of them are to be compared. */
  async #differingRanges(key: string): Promise<Pick<SyncReply, 'ranges' | 'missing'>> {
    if ([...this.#options.store.summary()].length < MIN_HASHED_RECORDS) return {};
    return await this.#options.tell(key, { records: [], hashes: rangeHashes(this.#options.store) });
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

function firstBytes(
  records: readonly Uint8Array[],
  mostBytes: number,
): { readonly now: Uint8Array[]; readonly later: Uint8Array[] } {
  let bytes = 0;
  const end = records.findIndex((record) => {
    bytes += record.length;
    return bytes > mostBytes;
  });
  const at = end === -1 ? records.length : Math.max(end, 1);
  return { now: records.slice(0, at), later: records.slice(at) };
}
