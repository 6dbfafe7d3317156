import { type Beat, unpackBeats, unpackHints } from '../beats/beat.ts';
import { MAX_RECORD_BYTES } from '../limits.ts';
import { bytesIn, COSTS, MemberBudgets } from './member-budgets.ts';
import {
  firstBytes,
  LANE_BOUNDS,
  type MessageBounds,
  packedBeats,
  packedHints,
  SEALED_BOUNDS,
} from './message-bounds.ts';
import { News } from './news.ts';
import { PARTS_AT_ONCE, PartFetcher } from './part-fetcher.ts';
import { beatsOf, differing, hintIn, isNewer, rangeHashes, recordsOf, summaryOf } from './ranges.ts';
import type { RecordSummary, RecordSyncOptions, SyncMessage, SyncReply, TakenBeats } from './types.ts';

/** Hashes of missing parts in one answer. */
const MAX_MISSING = 256;
/** Parts that are sent at once to a member that cannot fetch them. */
const SENT_PARTS = 8;
/** Answers that are cut are asked on so often. */
const MAX_COMPARISONS = 16;
/** How often a random neighbour is asked whether it has more: what a lost message brings back. */
const COMPARE_MS = 60_000;
/** How long a comparison may hold up the next. */
const TURN_MS = 5_000;
/** Beats of the last minute are not compared: they are on their way to everyone. */
const BEATS_UNDER_WAY_MS = 60_000;

/** Two that have less compare the names of all of it at once. */
const MIN_HASHED_RECORDS = 128;
const NOTHING: SyncReply = { records: [], want: [] };
const NOTHING_TAKEN: TakenBeats = { news: [], early: [], want: [], wrongSteps: 0 };

/**
 * Keeps the records of linked members alike: a new link compares what both have, news goes on to every link at once, and now and then two
 * compare again. Beats go on in bundles, and catalog parts follow their heads. It knows nothing of what records say.
 */
export class RecordSync {
  readonly #options: RecordSyncOptions;
  readonly #budgets: MemberBudgets;
  readonly #news: News;
  readonly #parts: PartFetcher;
  readonly #stop: () => void;
  #comparing: Promise<unknown> = Promise.resolve();

  constructor(options: RecordSyncOptions) {
    this.#options = options;
    this.#budgets = new MemberBudgets(options);
    this.#news = new News({
      ...{ ...options, budgets: this.#budgets, boundsTo: (key) => this.#boundsTo(key) },
      sendWanted: (key, reply) => this.#sendWanted(key, reply),
    });
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

  /**
   * Compares with a member, both ways. Several at once would each bring the same, so one waits for the other, as long as that one answers.
   * It never rejects: a link that failed is made again.
   * @returns whether it went well
   */
  async compare(key: string): Promise<boolean> {
    const own = this.#compareAfter(this.#comparing, key);
    this.#comparing = own;
    return await own;
  }

  async #compareAfter(before: Promise<unknown>, key: string): Promise<boolean> {
    // Who is asked over a signaling server is there for a moment only.
    if (this.#options.isWithoutLane?.(key) !== true) await this.#turn(before);
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
    if (parts.length > 0) await this.#parts.take(key, parts);
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
    const given = firstBytes(
      recordsOf(
        store,
        lacked.map(({ name }) => name),
      ),
      bounds.recordBytes,
    ).now;
    const beats = packedBeats(
      beatsOf(
        store,
        newer.map(({ name }) => hintIn(name)),
      ),
      bounds,
    );
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

  /** Tells linked members of records that are news here. It never rejects. Resolves when those that are told at once have answered. */
  async announce(names: readonly string[]): Promise<void> {
    await this.#news.announce(names);
  }

  /** This node is still there: all linked members hear it within some seconds. */
  announceBeat(beat: Beat): void {
    this.#news.spread([beat]);
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
    this.#news.close();
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
    const { store, tell } = this.#options;
    const { want, wantBeats = new Uint8Array() } = reply;
    const bounds = this.#boundsTo(key);
    let beats = packedBeats(beatsOf(store, [...want.map(hintIn), ...unpackHints(wantBeats)]), bounds);
    let missing = reply.missing ?? [];
    for (let rest = recordsOf(store, [...new Set(want)]); rest.length > 0 || beats.beats !== undefined; ) {
      const { now, later } = firstBytes(rest, bounds.recordBytes);
      missing = (await tell(key, { records: now, ...beats })).missing ?? [];
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
    this.#news.knows(key, given);
    // Before the records: a head would hide that somebody still goes on with the one that it replaces.
    const first = await this.#takeBeats(key, given);
    const news: string[] = [];
    for (const record of records) {
      const name = await this.#options.store.accept(record, key);
      if (name === false) this.#budgets.take(key, { records: COSTS.forged });
      else if (name !== undefined) news.push(name);
    }
    const then = await this.#takeBeats(key, first.early);
    if (news.length > 0) void this.#news.announce(news, key);
    if (news.length > 0 || first.news.length > 0 || then.news.length > 0) this.#options.onNews();
    return [...new Set([...first.want.filter((name) => !news.includes(name)), ...then.want])];
  }

  async #takeBeats(key: string, beats: readonly Beat[]): Promise<TakenBeats> {
    if (beats.length === 0) return NOTHING_TAKEN;
    const taken = await this.#options.store.acceptBeats(beats, key);
    this.#budgets.take(key, { records: taken.wrongSteps });
    this.#news.spread(taken.news, key);
    return taken;
  }

  async #turn(before: Promise<unknown>): Promise<void> {
    await new Promise<void>((resolve) => {
      const stop = this.#options.clock.after(TURN_MS, resolve);
      void before.finally(() => {
        stop();
        resolve();
      });
    });
  }

  /** In which ranges of names the two differ; undefined when all of them are to be compared. */
  async #differingRanges(key: string): Promise<Pick<SyncReply, 'ranges' | 'missing'>> {
    const { store, wallMs, tell } = this.#options;
    if (store.size < MIN_HASHED_RECORDS) return {};
    const beatsUntil = wallMs() - BEATS_UNDER_WAY_MS;
    return await tell(key, { records: [], hashes: rangeHashes(store, beatsUntil), beatsUntil });
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
}
