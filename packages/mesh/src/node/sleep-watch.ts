import type { Clock } from '@model-rtc/protocol';

/** Less is a busy machine, or a clock that is set a little. */
const SLEPT_MS = 20_000;

/**
 * Notices that this machine, or this process alone, stood still. On Linux timers and `performance.now()` stand still while a machine sleeps, so only the
 * date tells; where just the date was set, it is taken for a sleep, which costs a few attempts.
 */
export class SleepWatch {
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #wallMs: () => number;
  #atMs: number;
  #atWallMs: number;

  /** @param wallMs the date: milliseconds since 1970 */
  constructor(clock: Pick<Clock, 'nowMs'>, wallMs: () => number = Date.now) {
    this.#clock = clock;
    this.#wallMs = wallMs;
    this.#atMs = clock.nowMs();
    this.#atWallMs = wallMs();
  }

  /** Whether it did since this was asked last. @param everyMs how often it is asked */
  hasSlept(everyMs: number): boolean {
    const [nowMs, nowWallMs] = [this.#clock.nowMs(), this.#wallMs()];
    const passedMs = Math.max(nowMs - this.#atMs, Math.abs(nowWallMs - this.#atWallMs));
    [this.#atMs, this.#atWallMs] = [nowMs, nowWallMs];
    return passedMs > everyMs + SLEPT_MS;
  }
}
