import { type Clock, systemClock } from '@model-rtc/protocol';
import { STALL_ABORT_MS } from '../limits.ts';

/**
 * Measures how long no right chunk came. All attempts of a command share one, and it goes on while they reconnect: so
 * reconnecting again and again to a worker that delivers nothing comes to an end.
 */
export class Watchdog {
  /** After so long without a right chunk, a transfer is given up. What arrived is kept. */
  readonly giveUpMs: number;
  readonly #clock: Pick<Clock, 'nowMs'>;
  #lastProgressMs: number;

  constructor(clock: Pick<Clock, 'nowMs'> = systemClock, giveUpMs: number = STALL_ABORT_MS) {
    this.giveUpMs = giveUpMs;
    this.#clock = clock;
    this.#lastProgressMs = clock.nowMs();
  }

  get quietMs(): number {
    return this.#clock.nowMs() - this.#lastProgressMs;
  }

  get isExhausted(): boolean {
    return this.quietMs >= this.giveUpMs;
  }

  progressed(): void {
    this.#lastProgressMs = this.#clock.nowMs();
  }
}
