import { type Clock, systemClock } from '@model-rtc/protocol';

/**
 * Measures how long no right chunk came. All attempts of a command share one, and it goes on while they reconnect: so
 * reconnecting again and again to a worker that delivers nothing comes to an end.
 */
export class Watchdog {
  readonly #clock: Pick<Clock, 'nowMs'>;
  #lastProgressMs: number;

  constructor(clock: Pick<Clock, 'nowMs'> = systemClock) {
    this.#clock = clock;
    this.#lastProgressMs = clock.nowMs();
  }

  get quietMs(): number {
    return this.#clock.nowMs() - this.#lastProgressMs;
  }

  progressed(): void {
    this.#lastProgressMs = this.#clock.nowMs();
  }
}
