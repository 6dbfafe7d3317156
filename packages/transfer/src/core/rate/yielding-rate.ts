import { goesBefore, type Priority } from './priority.ts';

/** Another transfer that moves data in the same direction on this machine. */
export interface Rival {
  readonly id: string;
  readonly priority: Priority;
  readonly bytesPerSecond: number;
}

/** Rates are averages of five seconds: sooner, a change would not show in them. */
const STEP_MS = 5_000;
/** What a transfer that gives way always has: this part of what the urgent ones have, and no less than keeps it from looking stalled. */
const GUARANTEED_SHARE = 0.1;
const MIN_BYTES_PER_SECOND = 64 * 1024;
/** The urgent ones are held up when they have less than this part of the most that they had lately. */
const UNHARMED_SHARE = 0.9;
/** Growth while the urgent ones are not held up, and the loss once they are. */
const GROWTH = 1.25;
const LOSS = 0.5;
/** A rate that is not used does not grow: it would turn out far too high all at once. */
const MAX_ABOVE_USED = 1.5;
/** What the urgent ones had is forgotten after this many steps: a source that got slower is nobody's fault. */
const REMEMBERED_STEPS = 12;

/**
 * The rate of a transfer that gives way to more urgent ones. It begins with its guaranteed share and grows for as long as the urgent ones get no
 * slower, so that it uses what they cannot use: an urgent transfer from a slow source holds up nobody.
 */
export class YieldingRate {
  #rate = Number.POSITIVE_INFINITY;
  #steppedMs = Number.NEGATIVE_INFINITY;
  /** Whom it gives way to. */
  #urgentIds = '';
  /** What they had together at the last steps. */
  readonly #had: number[] = [];

  /** Infinity while it gives way to nobody. */
  get bytesPerSecond(): number {
    return this.#rate;
  }

  /** @param rivals the others. Call it about once a second. @returns the new rate */
  update(
    own: { readonly priority: Priority; readonly bytesPerSecond: number },
    rivals: readonly Rival[],
    nowMs: number,
  ) {
    const urgent = rivals.filter((rival) => rival.bytesPerSecond > 0 && goesBefore(rival.priority, own.priority));
    const ids = urgent
      .map(({ id }) => id)
      .sort()
      .join();
    if (ids !== this.#urgentIds) this.#had.length = 0;
    if (urgent.length === 0) this.#rate = Number.POSITIVE_INFINITY;
    else if (ids !== this.#urgentIds || nowMs - this.#steppedMs >= STEP_MS) {
      const alike = rivals.filter(({ priority }) => priority === own.priority).length;
      this.#step(sumOf(urgent), 1 + alike, own.bytesPerSecond);
      this.#steppedMs = nowMs;
    }
    this.#urgentIds = ids;
    return this.#rate;
  }

  #step(urgentRate: number, sharers: number, used: number): void {
    const most = Math.max(0, ...this.#had);
    this.#had.push(urgentRate);
    if (this.#had.length > REMEMBERED_STEPS) this.#had.shift();
    const guaranteed = Math.max(MIN_BYTES_PER_SECOND, (GUARANTEED_SHARE * urgentRate) / sharers);
    // It gives way at once, and looks afterwards for what is left over.
    if (most === 0) this.#rate = guaranteed;
    else if (urgentRate < UNHARMED_SHARE * most) this.#rate = Math.max(guaranteed, this.#rate * LOSS);
    else this.#rate = Math.max(guaranteed, Math.min(this.#rate * GROWTH, Math.max(this.#rate, used * MAX_ABOVE_USED)));
  }
}

function sumOf(rivals: readonly Rival[]): number {
  return rivals.reduce((sum, { bytesPerSecond }) => sum + bytesPerSecond, 0);
}
