import type { Clock, Log } from '@model-rtc/protocol';
import { type Beat, unpackBeats, unpackHints } from '../beats/beat.ts';
import { MAX_RECORD_BYTES } from '../limits.ts';
import { BeatSpread } from './beat-spread.ts';
import { bytesIn, COSTS, MemberBudgets } from './member-budgets.ts';
import {
  firstBytes,
  LANE_BOUNDS,
  type MessageBounds,
  packedBeats,
  packedHints,
  SEALED_BOUNDS,
} from './message-bounds.ts';
import { PARTS_AT_ONCE, PartFetcher } from './part-fetcher.ts';
import { differing, hintIn, isNewer, rangeHashes, summaryOf } from './ranges.ts';
import type { RecordStore, RecordSummary, SyncMessage, SyncReply, TakenBeats } from './types.ts';

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
  /** Called after records, beats or parts were news. */
  readonly onNews: () => void;
  /** Called when records are told to linked members. @param exceptKey whoever they came from; undefined for this node's own */
  readonly onAnnounced?: ((exceptKey: string | undefined) => void) | undefined;
  readonly onBrokenLimit: (key: string, problem: string) => void;
  readonly clock: Clock;
  /** The date: milliseconds since 1970. */
  readonly wallMs: () => number;
  readonly random: () => number;
  readonly log: Log;
}

/** Hashes of missing parts in one answer. */
const MAX_MISSING = 256;
/** Parts that are sent at once to a member that cannot fetch them. */
const SENT_PARTS = 8;
/** Answers that are cut are asked on so often. */
const MAX_COMPARISONS = 16;
/** How often a random neighbour is asked whether it has more: what a lost message brings back. */
const COMPARE_MS = 60_000;
/** Beats of the last minute are not compared: they are on their way to everyone. */
const BEATS_UNDER_WAY_MS = 60_000;

/** Links that news of others goes on to: it reaches nearly everyone, each some five times, and comparing brings the rest. */
const FAN_OUT = 5;
/** Two that have less compare the names of all of it at once. */
const MIN_HASHED_RECORDS = 128;
const NOTHING: SyncReply = { records: [], want: [] };

interface News {
  readonly records?: readonly Uint8Array[];
  readonly beats: readonly Beat[];
}

/**
 * Keeps the records of linked members alike: a new link compares what both have, news goes on to every link at once, and now and then two
 * compare again. Beats go on in bundles, and catalog parts follow their heads. It knows nothing of what records say.
 */
export class RecordSync {
  readonly #options: RecordSyncOptions;
  readonly #budgets: MemberBudgets;
  readonly #spread: BeatSpread;
  readonly #parts: PartFetcher;
  readonly #stop: () => void;

  constructor(options: RecordSyncOptions) {
    this.#options = options;
    this.#budgets = new MemberBudgets(options);
    this.#spread = new BeatSpread({ ...options, send: (key, beats) => void this.#tellNews(key, { beats }) });
    this.#parts = new PartFetcher({
      ...options,
      atOnce: (key) => (options.isWithoutLane?.(key) === true ? SEALED_BOUNDS.parts : PARTS_AT_ONCE),
      count: (key, parts) => this.#budgets.take(key, { bytes: bytesIn(parts), records: parts.length }),
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
    const { records, have, ranges, hashes, beatsUntil, parts = [] } = message;
    const names = Math.ceil((have?.length ?? 0) / COSTS.namesPerRecord);
    this.#budgets.take(key, { records: COSTS.message + names + (hashes === undefined ? 0 : COSTS.hashes) });
    const { store } = this.#options;
    const wanted = await this.#take(key, message);
    await this.#parts.take(key, parts);
    if (records.length > 0) void this.fetchMissing(key);
    const nothing = {
      ...{ records: [], want: wanted },
      ...(isWithoutLane ? { missing: store.missingParts(MAX_MISSING) } : {}),
    };
    if (hashes !== undefined) return { ...nothing, ranges: differing(hashes, rangeHashes(store, beatsUntil)) };
    if (have === undefined) return nothing;
    const theirs = new Map(have.map((one) => [one.name, one]));
    const newer = summaryOf(store, ranges).filter((one) => isNewer(one, theirs.get(one.name)));
    const lacked = newer.filter(({ name, order }) => order > (theirs.get(name)?.order ?? -1));
    const bounds = isWithoutLane ? SEALED_BOUNDS : LANE_BOUNDS;
    const given = firstBytes(this.#recordsOf(lacked.map(({ name }) => name)), bounds.recordBytes).now;
    const beats = packedBeats(this.#beatsOf(newer.map(({ name }) => hintIn(name))), bounds);
    this.#budgets.give(key, bytesIn([...given, ...Object.values(beats)]));
    return {
      ...{ ...nothing, records: given, ...beats },
      want: [...wanted, ...have.filter((one) => this.#isMissing(one)).map(({ name }) => name)],
      ...packedHints(have.filter((one) => this.#isBehind(one)).map(({ name }) => hintIn(name))),
    };
  }

  /** Answers a member that asks for parts of catalogs. @throws ModelRtcError `busy` when it asks for more than it may */
  giveParts(key: string, hashes: readonly string[], { isWithoutLane = false } = {}): Uint8Array[] {
    this.#budgets.take(key, { records: COSTS.message });
    const known = [...new Set(hashes)].flatMap((hash) => this.#options.store.part(hash) ?? []);
    const parts = isWithoutLane ? known.slice(0, SEALED_BOUNDS.parts) : known;
    this.#budgets.give(key, bytesIn(parts));
    return parts;
  }

  /** Tells all linked members of records that are news here. It never rejects. Resolves when they have answered. */
  async announce(names: readonly string[], exceptKey?: string): Promise<void> {
    const records = this.#recordsOf(names);
    if (records.length === 0) return;
    const beats = this.#beatsOf(names.map(hintIn));
    this.#options.onAnnounced?.(exceptKey);
    await Promise.all([...this.#someLinked(exceptKey)].map((key) => this.#tellNews(key, { records, beats })));
  }

  /** This node is still there: all linked members hear it within some seconds. */
  announceBeat(beat: Beat): void {
    this.#spread.add([beat]);
  }

  /** It never rejects. */
  async #tellNews(key: string, { records: all = [], beats }: News): Promise<void> {
    const bounds = this.#boundsTo(key);
    const records = firstBytes(all, bounds.recordBytes).now;
    if (!this.#budgets.mayTell(key, records)) return;
    try {
      const { want } = await this.#options.tell(key, { records, ...packedBeats(beats, bounds) });
      // Whoever is told of a beat may ask for the head that it belongs to, and for nothing else.
      const told = new Set(beats.map(({ hint }) => hint));
      await this.#sendWanted(key, { records: [], want: want.filter((name) => told.has(hintIn(name))) });
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
    this.#spread.close();
    this.#parts.close();
  }

  /** @returns whether the answer was cut, so that there may be more */
  async #compareOnce(key: string): Promise<boolean> {
    const { store, tell } = this.#options;
    const most = this.#boundsTo(key).recordBytes;
    const { ranges: differ, missing: missingNow } = await this.#differingRanges(key);
    const [ranges, have] = this.#summaryFor(key, differ);
    const nothing: SyncReply = { ...NOTHING, missing: missingNow };
    const reply = ranges?.length === 0 ? nothing : await tell(key, { records: [], have, ranges });
    await this.#take(key, reply);
    const missing = await this.#sendWanted(key, reply);
    for (let rest = missing.flatMap((hash) => store.part(hash) ?? []); rest.length > 0; ) {
      const { now, later } = firstBytes(rest.slice(0, SENT_PARTS), most);
      await tell(key, { records: [], parts: now });
      rest = [...later, ...rest.slice(SENT_PARTS)];
    }
    const isCut = bytesIn(reply.records) > most - MAX_RECORD_BYTES;
    return isCut || (differ?.length ?? 0) > (ranges?.length ?? 0);
  }

  /** Sends what a member asked for in its answer. @returns the parts that it lacks and cannot fetch */
  async #sendWanted(key: string, reply: SyncReply): Promise<readonly string[]> {
    const { want, wantBeats = new Uint8Array() } = reply;
    const bounds = this.#boundsTo(key);
    let beats = packedBeats(this.#beatsOf([...want.map(hintIn), ...unpackHints(wantBeats)]), bounds);
    let missing = reply.missing ?? [];
    for (let rest = this.#recordsOf([...new Set(want)]); rest.length > 0 || beats.beats !== undefined; ) {
      const { now, later } = firstBytes(rest, bounds.recordBytes);
      missing = (await this.#options.tell(key, { records: now, ...beats })).missing ?? [];
      [rest, beats] = [later, {}];
    }
    return missing;
  }

  /** What is compared at once: fewer ranges where all names would be too many. */
  #summaryFor(key: string, differ: readonly number[] | undefined): [readonly number[] | undefined, RecordSummary[]] {
    const { store, isWithoutLane } = this.#options;
    let [ranges, have] = [differ, summaryOf(store, differ)];
    while (isWithoutLane?.(key) === true && have.length > SEALED_BOUNDS.names && (ranges?.length ?? 0) > 1) {
      ranges = ranges?.slice(0, Math.ceil(ranges.length / 2));
      have = summaryOf(store, ranges);
    }
    return [ranges, have];
  }

  #boundsTo(key: string): MessageBounds {
    return this.#options.isWithoutLane?.(key) === true ? SEALED_BOUNDS : LANE_BOUNDS;
  }

  /** @returns names of records that would tell what the beats belong to */
  async #take(key: string, { records, beats = new Uint8Array() }: SyncMessage | SyncReply): Promise<readonly string[]> {
    const given = unpackBeats(beats);
    this.#budgets.take(key, { bytes: bytesIn(records) + beats.length, records: records.length + given.length });
    this.#spread.knows(key, given);
    // Before the records: a head would hide that somebody still goes on with the one that it replaces.
    const first = await this.#takeBeats(key, given);
    const news: string[] = [];
    for (const record of records) {
      const name = await this.#options.store.accept(record, key);
      if (name === false) this.#budgets.take(key, { records: COSTS.forged });
      else if (name !== undefined) news.push(name);
    }
    const then = await this.#takeBeats(key, first.early);
    if (news.length > 0) void this.announce(news, key);
    if (news.length > 0 || first.news.length > 0 || then.news.length > 0) this.#options.onNews();
    return [...new Set([...first.want.filter((name) => !news.includes(name)), ...then.want])];
  }

  async #takeBeats(key: string, beats: readonly Beat[]): Promise<TakenBeats> {
    const taken = await this.#options.store.acceptBeats(beats, key);
    this.#budgets.take(key, { records: taken.wrongSteps });
    this.#spread.add(taken.news, key);
    return taken;
  }

  /** In which ranges of names the two differ; undefined when all of them are to be compared. */
  async #differingRanges(key: string): Promise<Pick<SyncReply, 'ranges' | 'missing'>> {
    const { store, wallMs, tell } = this.#options;
    if ([...store.summary()].length < MIN_HASHED_RECORDS) return {};
    const beatsUntil = wallMs() - BEATS_UNDER_WAY_MS;
    return await tell(key, { records: [], hashes: rangeHashes(store, beatsUntil), beatsUntil });
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

  /** Whether the other side knows more beats of a head that both have. */
  #isBehind({ name, order, beat = 0 }: RecordSummary): boolean {
    const { store } = this.#options;
    const known = store.beatsOf(name);
    return known !== undefined && order === store.orderOf(name) && beat > known;
  }

  #beatsOf(hints: readonly string[]): Beat[] {
    return [...new Set(hints)].flatMap((hint) => this.#options.store.beatOf(hint) ?? []);
  }

  #recordsOf(names: readonly string[]): Uint8Array[] {
    return names.flatMap((name) => this.#options.store.bytesOf(name) ?? []);
  }
}
