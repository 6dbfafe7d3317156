import { type Clock, systemClock } from '@model-rtc/protocol';

/**
 * How long no right chunk came. One that is shared by all attempts of a command counts on while a connection is made
 * again, so that reconnecting for ever to a worker that delivers nothing ends too.
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
