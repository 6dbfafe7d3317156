import type { Clock } from '@model-rtc/protocol';
import { CATALOG_TTL_MS, MAX_SKEW_MS } from '../../core/limits.ts';

export interface LostMembersOptions {
  /** When a member was alive last by what it signed, in milliseconds since 1970; undefined for one that was never heard. */
  readonly aliveAtMs: (key: string) => number | undefined;
  readonly isLinked: (key: string) => boolean;
  /** When it could not be reached, by the clock; undefined if it was reached since. */
  readonly failedAtMs: (key: string) => number | undefined;
  readonly clock: Pick<Clock, 'nowMs'>;
  /** The date: milliseconds since 1970. */
  readonly wallMs: () => number;
  readonly random: () => number;
}

/** How long one of them is tried: a large mesh tries many at once, and a small one has few to try. */
const TURN_MS = 20_000;
/** A member that is heard nearby interrupts, but not each of a thousand that somebody makes up. */
const INTERRUPT_MS = 5_000;

/**
 * Members that were there and have fallen silent. Each node tries one of them at a time, beside its neighbours: after a network was
 * cut in two, each half has neighbours enough of its own, and nobody would find out that the other half is there again.
 */
export class LostMembers {
  readonly #options: LostMembersOptions;
  #turn: { readonly key: string | undefined; readonly sinceMs: number } | undefined;

  constructor(options: LostMembersOptions) {
    this.#options = options;
  }

  /** It was heard nearby, so it is its turn now. */
  heardNear(key: string): void {
    const nowMs = this.#options.clock.nowMs();
    if (!this.#isLost(key) || (this.#turn?.key !== undefined && nowMs - this.#turn.sinceMs < INTERRUPT_MS)) return;
    this.#turn = { key, sinceMs: nowMs };
  }

  /** The one to try. @param members those with an address, without the neighbours */
  turn(members: readonly string[]): string | undefined {
    const { clock, random } = this.#options;
    const nowMs = clock.nowMs();
    if (this.#turn === undefined || nowMs - this.#turn.sinceMs >= TURN_MS) {
      const lost = members.filter((key) => this.#isLost(key));
      this.#turn = { key: lost[Math.floor(random() * lost.length)], sinceMs: nowMs };
    }
    return this.#turn.key;
  }

  /** Whether nothing came of it since it could not be reached, or for longer than a node counts as present. */
  #isLost(key: string): boolean {
    const { aliveAtMs, isLinked, failedAtMs, clock, wallMs } = this.#options;
    const alive = aliveAtMs(key);
    if (alive === undefined || isLinked(key)) return false;
    const silentMs = wallMs() - alive;
    const sinceFailureMs = clock.nowMs() - (failedAtMs(key) ?? Number.NEGATIVE_INFINITY);
    return silentMs > Math.min(sinceFailureMs, CATALOG_TTL_MS + MAX_SKEW_MS);
  }
}
