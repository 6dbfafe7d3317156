import type { Clock, Log } from '@model-rtc/protocol';

/** The same words about visitors are said once in this time, and so many different ones. */
const AGAIN_MS = 10 * 60_000;
const MAX_SAID = 20;

/** Warns of visitors that were not let in. Anyone can visit, as often as they like, and must not fill the log of a worker. */
export class VisitorLog {
  readonly #log: Log;
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #saidAtMs = new Map<string, number>();

  constructor(log: Log, clock: Pick<Clock, 'nowMs'>) {
    this.#log = log;
    this.#clock = clock;
  }

  /** What was said lately is only for those who look for faults. */
  warn(fields: Readonly<Record<string, unknown>>, message: string): void {
    const nowMs = this.#clock.nowMs();
    for (const [said, atMs] of this.#saidAtMs) if (nowMs - atMs >= AGAIN_MS) this.#saidAtMs.delete(said);
    if (this.#saidAtMs.has(message) || this.#saidAtMs.size >= MAX_SAID) {
      this.#log.debug(fields, message);
      return;
    }
    this.#saidAtMs.set(message, nowMs);
    this.#log.warn(fields, message);
  }
}
