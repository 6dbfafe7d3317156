import { type Clock, cancelledBy, ModelRtcError } from '@model-rtc/protocol';
import { manyListeners } from './many-listeners.ts';

/** A time limit and the caller's own signal in one signal. */
export class TimeBudget {
  readonly #clock: Clock;
  readonly #controller = manyListeners(new AbortController());
  readonly #outer: AbortSignal | undefined;
  readonly #endsAtMs: number;
  readonly #stopTimer: () => void;
  readonly #onOuterAbort = () => this.#controller.abort(cancelledBy(this.#outer));

  constructor(timeoutMs: number, outer: AbortSignal | undefined, clock: Clock) {
    this.#clock = clock;
    this.#outer = outer;
    this.#endsAtMs = clock.nowMs() + timeoutMs;
    this.#stopTimer = clock.after(timeoutMs, () => this.#controller.abort(timeUp()));
    outer?.addEventListener('abort', this.#onOuterAbort, { once: true });
    if (outer?.aborted) this.#onOuterAbort();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Whether the time limit ended it, and not the caller. */
  get isTimeUp(): boolean {
    return this.signal.aborted && this.#outer?.aborted !== true;
  }

  get leftMs(): number {
    return Math.max(0, this.#endsAtMs - this.#clock.nowMs());
  }

  /** Waits, unless it is aborted first. @throws the reason of the abort */
  async wait(delayMs: number): Promise<void> {
    const { signal } = this;
    let stop = () => {};
    await new Promise<void>((resolve) => {
      stop = this.#clock.after(delayMs, resolve);
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    stop();
    this.check();
  }

  /** @throws the reason of the abort, if aborted */
  check(): void {
    if (this.signal.aborted) throw cancelledBy(this.signal);
  }

  /** Call it when the work has ended, however it ended. */
  release(): void {
    this.#stopTimer();
    this.#outer?.removeEventListener('abort', this.#onOuterAbort);
  }
}

function timeUp(): ModelRtcError {
  return new ModelRtcError('timeout', 'No connection came up in time; try again.');
}
