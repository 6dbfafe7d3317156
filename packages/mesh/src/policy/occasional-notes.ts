import { type Clock, type Log, systemClock } from '@model-rtc/protocol';
import { type AuditEntry, noteDecisions } from './audit.ts';

/** How long what happens again is not noted again. */
const AGAIN_MS = 10 * 60_000;
/** Different entries within that time: whoever makes this machine refuse things must not push everything else out of the audit. */
const MAX_ENTRIES = 64;

/** Notes decisions that others can cause as often as they like: a tool that asks every second, a removed member that knocks. */
export class OccasionalNotes {
  readonly #root: string;
  readonly #log: Log | undefined;
  readonly #clock: Pick<Clock, 'nowMs'>;
  /** When each was noted, the oldest first. */
  readonly #notedMs = new Map<string, number>();

  /** @param root - the data folder */
  constructor(root: string, log?: Log, clock: Pick<Clock, 'nowMs'> = systemClock) {
    this.#root = root;
    this.#log = log;
    this.#clock = clock;
  }

  async note(entry: AuditEntry): Promise<void> {
    const nowMs = this.#clock.nowMs();
    for (const [key, atMs] of this.#notedMs) if (nowMs - atMs >= AGAIN_MS) this.#notedMs.delete(key);
    const key = JSON.stringify([entry.event, entry.what, entry.about]);
    if (this.#notedMs.has(key) || this.#notedMs.size >= MAX_ENTRIES) return;
    this.#notedMs.set(key, nowMs);
    await noteDecisions(this.#root, [entry], this.#log);
  }
}
