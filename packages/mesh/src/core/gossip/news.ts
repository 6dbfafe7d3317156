import type { Beat } from '../beats/beat.ts';
import { BeatSpread } from './beat-spread.ts';
import type { MemberBudgets } from './member-budgets.ts';
import { firstBytes, type MessageBounds, packedBeats } from './message-bounds.ts';
import { hintIn, marksOf, recordsOf } from './ranges.ts';
import type { RecordSyncOptions, SyncReply } from './types.ts';

export interface NewsOptions
  extends Pick<RecordSyncOptions, 'store' | 'tell' | 'linked' | 'onAnnounced' | 'clock' | 'random' | 'log'> {
  readonly budgets: Pick<MemberBudgets, 'mayTell'>;
  readonly boundsTo: (key: string) => MessageBounds;
  /** Sends what a member asked for in its answer. */
  readonly sendWanted: (key: string, reply: SyncReply) => Promise<unknown>;
}

/** A mesh of so many records, some five hundred nodes, tells every link at once: that costs little, and nobody has to wait. */
const MAX_FLOODED_RECORDS = 1_024;
/** Links that others' news goes on to in a larger mesh: it reaches nearly everyone, each some five times, and comparing brings the rest. */
const FAN_OUT = 5;

/**
 * Passes on what is new: records at once, and beats in bundles, to all links. In a large mesh a head of others is not sent at all: the beats
 * have its anchor, and who lacks the head asks for it.
 */
export class News {
  readonly #options: NewsOptions;
  readonly #spread: BeatSpread;

  constructor(options: NewsOptions) {
    this.#options = options;
    this.#spread = new BeatSpread({ ...options, send: (key, beats) => void this.#tell(key, [], beats) });
  }

  /**
   * It never rejects. Resolves when those that are told at once have answered.
   * @param fromKey who told it; undefined for what this node itself has to say
   */
  async announce(names: readonly string[], fromKey?: string): Promise<void> {
    const { store } = this.#options;
    const heads = names.filter((name) => store.beatsOf(name) !== undefined);
    const others = names.filter((name) => store.beatsOf(name) === undefined);
    const marks = marksOf(store, heads.map(hintIn));
    this.#spread.add(marks, fromKey);
    this.#options.onAnnounced?.(fromKey);
    const isAsked = fromKey !== undefined && store.size > MAX_FLOODED_RECORDS;
    await this.#tellSome(isAsked ? others : names, isAsked ? [] : marks, fromKey);
  }

  /** These are news: all linked members that have not sent them hear them within some seconds. */
  spread(beats: readonly Beat[], fromKey?: string): void {
    this.#spread.add(beats, fromKey);
  }

  /** A member sent these. */
  knows(key: string, beats: readonly Beat[]): void {
    this.#spread.knows(key, beats);
  }

  close(): void {
    this.#spread.close();
  }

  async #tellSome(names: readonly string[], marks: readonly Beat[], fromKey: string | undefined): Promise<void> {
    const records = recordsOf(this.#options.store, names);
    if (records.length === 0) return;
    const keys = this.#someLinked(fromKey);
    for (const key of keys) this.#spread.knows(key, marks);
    const beats = marks.filter(({ index }) => index > 0);
    await Promise.all(keys.map((key) => this.#tell(key, records, beats)));
  }

  /** Everyone is told what this node itself has to say. */
  #someLinked(fromKey: string | undefined): string[] {
    const { linked, random, store } = this.#options;
    const keys = linked().filter((key) => key !== fromKey);
    if (fromKey === undefined || store.size <= MAX_FLOODED_RECORDS) return keys;
    while (keys.length > FAN_OUT) keys.splice(Math.floor(random() * keys.length), 1);
    return keys;
  }

  /** It never rejects. */
  async #tell(key: string, all: readonly Uint8Array[], beats: readonly Beat[]): Promise<void> {
    const { budgets, boundsTo, tell, sendWanted, log } = this.#options;
    const bounds = boundsTo(key);
    const records = firstBytes(all, bounds.recordBytes).now;
    if (!budgets.mayTell(key, records)) return;
    try {
      const { want } = await tell(key, { records, ...packedBeats(beats, bounds) });
      if (want.length === 0) return;
      // Whoever is told of a beat may ask for the head that it belongs to, and for nothing else.
      const told = new Set(beats.map(({ hint }) => hint));
      await sendWanted(key, { records: [], want: want.filter((name) => told.has(hintIn(name))) });
    } catch (error) {
      log.debug({ err: error, member: key }, 'a member could not be told of news');
    }
  }
}
