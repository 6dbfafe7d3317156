import type { ModelRtcError } from '@model-rtc/protocol';
import { SLOW_ABORT_MS, STALL_WARNING_MS } from '../limits.ts';
import { stallWarning, timedOut } from './end-errors.ts';
import { SlowFlow } from './origin-flow.ts';
import type { SourceSet } from './source-set.ts';
import type { FetchParts } from './types.ts';

type WatchedSources = Pick<SourceSet, 'receivedBytes' | 'emptyNames' | 'lastError'>;

/** Warns when no chunk came for a while, and says when to give up. */
export class StallWatch {
  readonly #parts: Pick<FetchParts, 'watchdog' | 'progress' | 'stats' | 'log'>;
  readonly #flow: SlowFlow;
  #warned = false;

  constructor(parts: FetchParts) {
    this.#parts = parts;
    this.#flow = new SlowFlow(parts.clock);
  }

  /** Whether the last thing that was told is a warning. */
  get isWarned(): boolean {
    return this.#warned;
  }

  /** A right chunk came. */
  progressed(): void {
    this.#parts.watchdog.progressed();
    this.#warned = false;
  }

  /** @returns why the transfer ends, when nothing came for too long */
  look(sources: WatchedSources): ModelRtcError | undefined {
    const { watchdog, stats } = this.#parts;
    const { quietMs, giveUpMs } = watchdog;
    this.#flow.look(sources.receivedBytes);
    const { isFlowing } = this.#flow;
    if (!isFlowing && quietMs >= STALL_WARNING_MS && !this.#warned) this.#warn(quietMs);
    const limitMs = isFlowing ? Math.max(SLOW_ABORT_MS, giveUpMs) : giveUpMs;
    if (quietMs < limitMs) return undefined;
    const empty = isFlowing ? [] : sources.emptyNames();
    return timedOut({ isFlowing, limitMs, empty }, sources.lastError, stats);
  }

  #warn(quietMs: number): void {
    const { progress, log, watchdog } = this.#parts;
    this.#warned = true;
    const warning = stallWarning(quietMs, watchdog.giveUpMs);
    // The progress tells people; a warning in the log would say it a second time.
    log.info({ quietMs }, warning.message);
    progress.enter({ state: 'transferring', warning });
  }
}
