import type { Clock } from '@model-rtc/protocol';

/** How long a node's word on a local network counts: it repeats it each minute. */
const LAN_MS = 150_000;
/** Nodes that are remembered from a local network: a few hundred machines are on the largest. */
const MAX_SIGHTINGS = 1_024;
/** Machines that say of themselves on the local network that they are one node: it has a few addresses, and all others lie. */
const MAX_SENDERS = 4;
/** A new address is tried at once, but not each of a thousand that somebody makes up. */
const TRY_AGAIN_MS = 2_000;
/** What a session token holds at most. */
const MAX_URLS = 16;
/** Of these so many are kept for what the node itself has signed. */
const MIN_TOLD_URLS = 8;

interface Sighting {
  readonly urls: readonly string[];
  readonly untilMs: number;
}

/** Where each node may wait. What was heard on the local network comes first, since it is near and new. */
export class AddressBook {
  readonly #clock: Pick<Clock, 'nowMs'>;
  /** By key, then by the machine that said so: one that lies takes the place of its own lies alone. */
  readonly #lan = new Map<string, Map<string, Sighting>>();
  /** By the hint of a node, also of those that are no members yet. */
  readonly #sightings = new Map<string, readonly string[]>();
  readonly #triedAtMs = new Map<string, number>();
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

  /**
   * @param urls - the first by the address that the announcement came from
   * @param isLinked - whether there is a connection with it
   * @returns whether to try it at once: the node is elsewhere than it was, or was not here, or its network is back
   */
  seenOnLan(key: string, urls: readonly string[], isLinked = true): boolean {
    const before = this.#onLan(key).flatMap((seen) => seen.urls);
    const senders = this.#lan.get(key) ?? new Map<string, Sighting>();
    const sender = hostOf(urls[0] ?? '');
    senders.delete(sender);
    senders.set(sender, { urls, untilMs: this.#clock.nowMs() + LAN_MS });
    const [oldest] = senders.keys();
    if (senders.size > MAX_SENDERS && oldest !== undefined) senders.delete(oldest);
    this.#lan.set(key, senders);
    return (!isLinked || urls.some((url) => !before.includes(url))) && this.#mayTry(key);
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
    const seen = [...this.#onLan(key)].reverse();
    const near = seen.flatMap(({ urls }) => urls.slice(0, 1));
    const told = [...(this.#told.get(key) ?? []), ...fallback];
    const alsoNear = seen.flatMap(({ urls }) => urls.slice(1));
    const inOrder = [...near, ...told.slice(0, MIN_TOLD_URLS), ...alsoNear, ...told.slice(MIN_TOLD_URLS)];
    return [...new Set(inOrder)].slice(0, MAX_URLS);
  }

  #mayTry(key: string): boolean {
    const nowMs = this.#clock.nowMs();
    if (nowMs - (this.#triedAtMs.get(key) ?? Number.NEGATIVE_INFINITY) < TRY_AGAIN_MS) return false;
    this.#triedAtMs.set(key, nowMs);
    return true;
  }

  #onLan(key: string): readonly Sighting[] {
    const nowMs = this.#clock.nowMs();
    return [...(this.#lan.get(key)?.values() ?? [])].filter(({ untilMs }) => untilMs > nowMs);
  }
}

/** The host in an address; empty for what is no URL. */
export function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname : '';
}
