import type { Clock } from '@model-rtc/protocol';

export interface StrangersOptions {
  /** Those that the invite named. */
  readonly contacts: readonly { readonly key: string }[];
  readonly isMember: (key: string) => boolean;
  readonly clock: Pick<Clock, 'nowMs'>;
}

/** Nodes nearby that are remembered: anyone who knows the mesh's id can announce them. */
const MAX_HEARD = 64;
/** Of these so many by one address: it takes the places of its own alone. */
const MAX_OF_SENDER = 16;
/** What is heard of members by other members comes within this time, and needs no visit. */
const SETTLE_MS = 6_000;
/** How long one of them is tried before it is the next one's turn. */
const TURN_MS = 20_000;
/** When one that could not be reached, or is no member, is tried again: doubled each time, up to the longest. */
const AGAIN_FIRST_MS = 60_000;
const AGAIN_LONGEST_MS = 30 * 60_000;

interface Stranger {
  /** The address that it was heard from; undefined for one that the invite named. */
  readonly sender: string | undefined;
  readonly sinceMs: number;
  failures: number;
  notBeforeMs: number;
}

/**
 * Nodes that may be members, and are not known as such: those that were heard nearby, and those that the invite named. A node that knows no
 * other member tries them all. One that knows some tries one at a time: two groups may have met apart, and nobody else would ever tell them of
 * each other.
 */
export class Strangers {
  readonly #options: StrangersOptions;
  readonly #strangers = new Map<string, Stranger>();
  #turn: { readonly key: string; readonly sinceMs: number } | undefined;

  constructor(options: StrangersOptions) {
    this.#options = options;
    for (const { key } of options.contacts) this.#add(key, undefined);
  }

  /** A node of this mesh was heard on a local network. @param sender - the address that it was heard from */
  heard(key: string, sender: string): void {
    if (this.#strangers.has(key)) return;
    this.#add(key, sender);
    this.#dropOldest((one) => one.sender === sender, MAX_OF_SENDER);
    this.#dropOldest((one) => one.sender !== undefined, MAX_HEARD);
  }

  /** It said goodbye there. */
  left(key: string): void {
    if (this.#strangers.get(key)?.sender !== undefined) this.#strangers.delete(key);
  }

  all(): string[] {
    return [...this.#strangers.keys()];
  }

  /** There is a connection with it. */
  reached(key: string): void {
    if (this.#turn?.key === key) this.#turn = undefined;
  }

  /** It could not be reached, or did not show that it is a member. */
  failed(key: string): void {
    this.reached(key);
    const stranger = this.#strangers.get(key);
    if (stranger === undefined) return;
    const waitMs = Math.min(AGAIN_FIRST_MS * 2 ** stranger.failures, AGAIN_LONGEST_MS);
    stranger.failures += 1;
    stranger.notBeforeMs = this.#options.clock.nowMs() + waitMs;
  }

  /** The one to try now, for a node that knows other members. @param isReachable - whether it has an address */
  turn(isReachable: (key: string) => boolean): string | undefined {
    const nowMs = this.#options.clock.nowMs();
    if (this.#turn !== undefined && nowMs - this.#turn.sinceMs >= TURN_MS) this.failed(this.#turn.key);
    if (this.#turn === undefined) {
      const isDue = ([key, { sinceMs, notBeforeMs }]: readonly [string, Stranger]) =>
        nowMs >= Math.max(sinceMs + SETTLE_MS, notBeforeMs) && !this.#options.isMember(key) && isReachable(key);
      const [next] = [...this.#strangers].filter(isDue).sort((a, b) => a[1].notBeforeMs - b[1].notBeforeMs);
      if (next !== undefined) this.#turn = { key: next[0], sinceMs: nowMs };
    }
    return this.#turn?.key;
  }

  #add(key: string, sender: string | undefined): void {
    const sinceMs = this.#options.clock.nowMs();
    this.#strangers.set(key, { sender, sinceMs, failures: 0, notBeforeMs: sinceMs });
  }

  #dropOldest(isCounted: (stranger: Stranger) => boolean, most: number): void {
    const counted = [...this.#strangers].filter((entry) => isCounted(entry[1]));
    for (const [key] of counted.slice(0, Math.max(0, counted.length - most))) this.#strangers.delete(key);
  }
}
