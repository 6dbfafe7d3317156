import type { Clock } from '@model-rtc/protocol';

/** How long a node's word on a local network counts: it repeats it each minute. */
const LAN_MS = 150_000;
/** Nodes that are remembered from a local network: a few hundred machines are on the largest. */
const MAX_SIGHTINGS = 1_024;
/** What a session token holds at most. */
const MAX_URLS = 16;

/** Where each node may wait. What was heard on the local network comes first, since it is near and new. */
export class AddressBook {
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #lan = new Map<string, { readonly urls: readonly string[]; readonly untilMs: number }>();
  /** By the hint of a node, also of those that are no members yet. */
  readonly #sightings = new Map<string, readonly string[]>();
  readonly #told = new Map<string, readonly string[]>();

  constructor(clock: Pick<Clock, 'nowMs'>) {
    this.#clock = clock;
  }

  /** A node was heard on the local network, or said goodbye. Anyone can announce there: the oldest make room. */
  heard(hint: string, urls: readonly string[] | undefined): void {
    this.#sightings.delete(hint);
    if (urls !== undefined) this.#sightings.set(hint, urls);
    const [oldest] = this.#sightings.keys();
    if (this.#sightings.size > MAX_SIGHTINGS && oldest !== undefined) this.#sightings.delete(oldest);
  }

  /** The node was heard before it was known whose hint that is. */
  recognise(key: string, hint: string): void {
    const urls = this.#sightings.get(hint);
    if (urls !== undefined && !this.isOnLan(key)) this.seenOnLan(key, urls);
  }

  /** @returns whether this is news: the node is elsewhere than it was, or was not here. */
  seenOnLan(key: string, urls: readonly string[]): boolean {
    const before = this.#onLan(key);
    const all = [...new Set([...urls, ...before])].slice(0, MAX_URLS);
    this.#lan.set(key, { urls: all, untilMs: this.#clock.nowMs() + LAN_MS });
    return urls.some((url) => !before.includes(url));
  }

  leftLan(key: string): void {
    this.#lan.delete(key);
  }

  /** What its catalog says, or the invite where there is none yet. */
  told(key: string, urls: readonly string[]): void {
    this.#told.set(key, urls.slice(0, MAX_URLS));
  }

  isOnLan(key: string): boolean {
    return this.#onLan(key).length > 0;
  }

  /** @param fallback - servers at which every member may wait */
  urlsOf(key: string, fallback: readonly string[] = []): string[] {
    return [...new Set([...this.#onLan(key), ...(this.#told.get(key) ?? []), ...fallback])].slice(0, MAX_URLS);
  }

  #onLan(key: string): readonly string[] {
    const seen = this.#lan.get(key);
    return seen === undefined || seen.untilMs <= this.#clock.nowMs() ? [] : seen.urls;
  }
}
