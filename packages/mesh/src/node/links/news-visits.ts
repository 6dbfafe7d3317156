import type { Clock } from '@model-rtc/protocol';

export interface NewsVisitsOptions {
  /** Members that can be visited, and have no connection with this node. */
  readonly reachable: () => readonly string[];
  /** When the member and this node last compared what they have, or began to. */
  readonly lastWordMs: (key: string) => number;
  /** Compares with a member over its signaling server. It never rejects. */
  readonly visit: (key: string) => Promise<void>;
  readonly clock: Pick<Clock, 'nowMs' | 'after'>;
  readonly random: () => number;
}

/** Members that hear this node's own news at once. */
const OWN_FAN_OUT = 5;
/** Those that hear what others said: nearly all hear it within three steps, and comparing each minute brings the rest. */
const OTHERS_FAN_OUT = 3;
/** What others said is passed on with some delay: another may do so first. */
const DELAY_MS = 300;
const SPREAD_MS = 1_200;
/** The least time between two visits of a member for news. */
const AGAIN_MS = 5_000;
/** Visits for news that a node may make at once, and after that one in this time: others use the servers too. */
const BURST = 10;
const REFILL_MS = 3_000;

interface Waiting {
  newsAtMs: number;
  readonly stop: () => void;
}

/** Short visits that carry news to members without a connection within seconds. */
export class NewsVisits {
  readonly #options: NewsVisitsOptions;
  readonly #waiting = new Map<string, Waiting>();
  readonly #visitedAtMs = new Map<string, number>();
  #left = BURST;
  #filledAtMs: number;
  #isClosed = false;

  constructor(options: NewsVisitsOptions) {
    this.#options = options;
    this.#filledAtMs = options.clock.nowMs();
  }

  /** There is news. @param exceptKey - whoever it came from; undefined for this node's own */
  tell(exceptKey: string | undefined): void {
    if (this.#isClosed) return;
    const { clock, random } = this.#options;
    const newsAtMs = clock.nowMs();
    for (const key of this.some(exceptKey)) {
      const waiting = this.#waiting.get(key);
      if (waiting !== undefined) waiting.newsAtMs = newsAtMs;
      else {
        const sinceMs = newsAtMs - (this.#visitedAtMs.get(key) ?? Number.NEGATIVE_INFINITY);
        const delayMs = exceptKey === undefined ? 0 : DELAY_MS + SPREAD_MS * random();
        this.#wait(key, newsAtMs, Math.max(delayMs, AGAIN_MS - sinceMs));
      }
    }
  }

  /** Some of the members that would be told. */
  some(exceptKey?: string): string[] {
    const { reachable, random } = this.#options;
    const keys = reachable().filter((key) => key !== exceptKey);
    const most = exceptKey === undefined ? OWN_FAN_OUT : OTHERS_FAN_OUT;
    while (keys.length > most) keys.splice(Math.floor(random() * keys.length), 1);
    return keys;
  }

  close(): void {
    this.#isClosed = true;
    for (const { stop } of this.#waiting.values()) stop();
    this.#waiting.clear();
  }

  #wait(key: string, newsAtMs: number, delayMs: number): void {
    this.#waiting.set(key, { newsAtMs, stop: this.#options.clock.after(delayMs, () => this.#go(key)) });
  }

  #go(key: string): void {
    const { clock, lastWordMs, visit } = this.#options;
    const newsAtMs = this.#waiting.get(key)?.newsAtMs ?? 0;
    this.#waiting.delete(key);
    // It was here meanwhile, and has the news.
    if (lastWordMs(key) > newsAtMs) return;
    if (!this.#mayVisit()) {
      this.#wait(key, newsAtMs, REFILL_MS);
      return;
    }
    this.#visitedAtMs.set(key, clock.nowMs());
    void visit(key);
  }

  #mayVisit(): boolean {
    const nowMs = this.#options.clock.nowMs();
    const refilled = Math.floor((nowMs - this.#filledAtMs) / REFILL_MS);
    this.#filledAtMs += refilled * REFILL_MS;
    this.#left = Math.min(BURST, this.#left + refilled);
    if (this.#left === 0) return false;
    this.#left -= 1;
    return true;
  }
}
