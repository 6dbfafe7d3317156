import type { Clock, Log } from '@model-rtc/protocol';
import type { RecordStore } from './types.ts';

export interface PartFetcherOptions {
  readonly store: Pick<RecordStore, 'missingParts' | 'acceptPart'>;
  /** Asks a linked member for parts of catalogs. */
  readonly fetchParts: (key: string, hashes: readonly string[]) => Promise<readonly Uint8Array[]>;
  /** How many a member is asked for in one message. */
  readonly atOnce: (key: string) => number;
  readonly linked: () => readonly string[];
  /** Counts what a member gave. @throws ModelRtcError `busy` when it is too much */
  readonly count: (key: string, parts: readonly Uint8Array[]) => void;
  readonly onNews: () => void;
  readonly clock: Clock;
  readonly log: Log;
}

/** Parts asked for at once: each has 64 KiB at most. */
export const PARTS_AT_ONCE = 32;
/** When a part that nobody had is asked for again: the head came before it. Doubled each time, up to the longest. */
const AGAIN_FIRST_MS = 1_000;
const AGAIN_LONGEST_MS = 60_000;
/** Parts that are remembered as asked for in vain: those of 32 catalogs that name as many as they can. */
const MAX_VAIN = 32_768;

interface Vain {
  untilMs: number;
  waitMs: number;
}

/** Fetches the parts that heads name and that are not here. What nobody has is left alone for a while, so that it holds up nothing else. */
export class PartFetcher {
  readonly #options: PartFetcherOptions;
  readonly #vain = new Map<string, Vain>();
  #stopTimer: () => void = () => {};
  #isFetching = false;
  #isWantedAgain = false;
  #isClosed = false;

  constructor(options: PartFetcherOptions) {
    this.#options = options;
  }

  /** Whether all that somebody has is here. */
  get isDone(): boolean {
    return this.#missing(1, () => false).length === 0;
  }

  /** From the given member first, then from the others. It never rejects. */
  async fetch(firstKey?: string): Promise<void> {
    if (this.#isFetching) {
      this.#isWantedAgain = true;
      return;
    }
    this.#isFetching = true;
    try {
      do {
        this.#isWantedAgain = false;
        await this.#round(firstKey);
      } while (this.#isWantedAgain && !this.#isClosed);
    } finally {
      this.#isFetching = false;
    }
    this.#arm();
  }

  /** Takes parts that a member gave. @throws ModelRtcError `busy` when it gives too much */
  async take(key: string, parts: readonly Uint8Array[]): Promise<void> {
    if (parts.length === 0) return;
    const { store, count, onNews } = this.#options;
    count(key, parts);
    let hasNews = false;
    for (const part of parts) hasNews = (await store.acceptPart(part, key)) || hasNews;
    if (hasNews) onNews();
  }

  close(): void {
    this.#isClosed = true;
    this.#stopTimer();
  }

  /** Asks each member once for what is missing. */
  async #round(firstKey: string | undefined): Promise<void> {
    const { linked } = this.#options;
    const keys = [...new Set([...(firstKey === undefined ? [] : [firstKey]), ...linked()])];
    const asked = new Set<string>();
    for (const key of keys) {
      const ofThis = new Set<string>();
      for (;;) {
        const wanted = this.#missing(this.#options.atOnce(key), (hash) => ofThis.has(hash));
        if (wanted.length === 0 || this.#isClosed) break;
        for (const hash of wanted) ofThis.add(hash);
        if (!(await this.#ask(key, wanted))) break;
        for (const hash of wanted) asked.add(hash);
      }
      if (this.isDone) break;
    }
    this.#remember(asked);
  }

  /** @returns whether the member answered */
  async #ask(key: string, wanted: readonly string[]): Promise<boolean> {
    const { fetchParts, log } = this.#options;
    try {
      await this.take(key, await fetchParts(key, wanted));
      return true;
    } catch (error) {
      log.debug({ err: error, member: key }, 'parts of catalogs could not be fetched from a member');
      return false;
    }
  }

  #missing(most: number, isAsked: (hash: string) => boolean): readonly string[] {
    const nowMs = this.#options.clock.nowMs();
    return this.#options.store.missingParts(
      most,
      (hash) => isAsked(hash) || (this.#vain.get(hash)?.untilMs ?? Number.NEGATIVE_INFINITY) > nowMs,
    );
  }

  #remember(asked: ReadonlySet<string>): void {
    const nowMs = this.#options.clock.nowMs();
    const missing = new Set(this.#options.store.missingParts(Number.POSITIVE_INFINITY));
    for (const hash of this.#vain.keys()) if (!missing.has(hash)) this.#vain.delete(hash);
    for (const hash of asked) {
      if (!missing.has(hash) || (this.#vain.size >= MAX_VAIN && !this.#vain.has(hash))) continue;
      const waitMs = Math.min((this.#vain.get(hash)?.waitMs ?? AGAIN_FIRST_MS / 2) * 2, AGAIN_LONGEST_MS);
      this.#vain.set(hash, { untilMs: nowMs + waitMs, waitMs });
    }
  }

  /** A part comes to those who passed the head on a moment after it. */
  #arm(): void {
    this.#stopTimer();
    if (this.#vain.size === 0 || this.#isClosed) return;
    const nextMs = [...this.#vain.values()].reduce((least, { untilMs }) => Math.min(least, untilMs), Infinity);
    const inMs = Math.max(AGAIN_FIRST_MS / 2, nextMs - this.#options.clock.nowMs());
    this.#stopTimer = this.#options.clock.after(inMs, () => void this.fetch());
  }
}
