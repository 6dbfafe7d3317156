import type { ModelProgress } from '@model-rtc/client';
import { ERROR_CODES, type ErrorCode, type ErrorData } from '@model-rtc/protocol';

/** How far long work is, as a program reads it; docs/models.md lists the fields. */
export interface ProgressEvent extends ProgressCounts {
  readonly event: 'progress';
  readonly state:
    | 'idle'
    | 'connecting'
    | 'preparing'
    | 'transferring'
    | 'verifying'
    | 'completed'
    | 'failed'
    | 'cancelled';
  /** Why it is in this state. */
  readonly reason?: string | undefined;
  readonly warning?: unknown;
  readonly [field: string]: unknown;
}

/** What goes on from event to event. */
interface ProgressCounts {
  readonly doneBytes: number;
  readonly totalBytes: number;
  readonly bytesPerSecond: number;
  readonly secondsLeft: number | null;
  readonly lanes: readonly unknown[];
}

/** What became of one of the workers that a model is taken from. */
interface WorkerEvent {
  readonly event: 'worker';
  readonly worker: string;
  readonly state: string;
  readonly reason?: string | undefined;
}

/** Between two events of the same state: at most about four a second. */
const INTERVAL_MS = 250;

/** What a program is told of the errors of each exit code, besides the exact code. Without a reason here, it is that code. */
const REASONS: Readonly<Record<number, string>> = {
  1: 'unexpected',
  2: 'bad_argument',
  3: 'not_found',
  4: 'not_found',
  5: 'network_error',
  6: 'verification_failed',
  8: 'refused',
  130: 'user_cancelled',
};
const NO_COUNTS: ProgressCounts = { doneBytes: 0, totalBytes: 0, bytesPerSecond: 0, secondsLeft: null, lanes: [] };
const LOCAL_STATES = { hash: 'preparing', copy: 'transferring', verify: 'verifying' } as const;

/** One command's events: the counts go on from event to event, the last one tells how it ended. */
export class ProgressEvents {
  readonly #write: (event: ProgressEvent | WorkerEvent) => void;
  readonly #now: () => number;
  #stage: 'unused' | 'open' | 'ended' = 'unused';
  #counts = NO_COUNTS;
  #isPlan = false;
  #writtenMs: number;
  #written = '';

  constructor(write: (event: ProgressEvent | WorkerEvent) => void, now: () => number) {
    this.#write = write;
    this.#now = now;
    // Work that is done within the first interval needs no event, unless it is a transfer's.
    this.#writtenMs = now();
  }

  /** Whether any event was written. */
  get areUsed(): boolean {
    return this.#stage !== 'unused';
  }

  /** Says that a transfer begins: its end is told from now on, however soon it comes. */
  begin(): void {
    if (this.#stage === 'unused') this.#emit({ event: 'progress', state: 'idle', ...this.#counts });
  }

  show(progress: ModelProgress): void {
    if (this.#stage === 'ended') return;
    if (progress.type === 'worker') {
      const { name, state, reason } = progress;
      this.#write({ event: 'worker', worker: name, state, reason });
      return;
    }
    const event = eventOf(progress, this.#counts);
    const { doneBytes, totalBytes, bytesPerSecond, secondsLeft, lanes } = event;
    this.#counts = { doneBytes, totalBytes, bytesPerSecond, secondsLeft, lanes };
    const isUrgent = this.#stage === 'open' && this.#written !== urgencyOf(event);
    if (isUrgent || this.#now() - this.#writtenMs >= INTERVAL_MS) this.#emit(event);
  }

  /** Says that nothing is moved: how much of it is there already is all that there is to tell. */
  planned(counts: Pick<ProgressCounts, 'doneBytes' | 'totalBytes'>): void {
    this.#counts = { ...NO_COUNTS, ...counts };
    this.#isPlan = true;
  }

  /** The work is done; its result follows. */
  complete(): void {
    if (this.#stage !== 'open') return;
    const doneBytes = this.#isPlan ? this.#counts.doneBytes : this.#counts.totalBytes;
    this.#emit({ event: 'progress', state: 'completed', ...this.#counts, doneBytes, secondsLeft: 0 });
    this.#stage = 'ended';
  }

  fail({ code, message }: ErrorData): void {
    if (this.#stage !== 'open') return;
    const state = code === 'cancelled' ? 'cancelled' : 'failed';
    this.#emit({ event: 'progress', state, reason: reasonOf(code), code, message, ...this.#counts });
    this.#stage = 'ended';
  }

  #emit(event: ProgressEvent): void {
    this.#stage = 'open';
    this.#writtenMs = this.#now();
    this.#written = urgencyOf(event);
    this.#write(event);
  }
}

function reasonOf(code: ErrorCode): string {
  return code === 'source_changed' ? code : (REASONS[ERROR_CODES[code].exitCode] ?? code);
}

/** What is told at once when it changes. */
function urgencyOf({ state, reason, warning }: ProgressEvent): string {
  return JSON.stringify([state, reason, warning !== undefined]);
}

function eventOf(progress: Exclude<ModelProgress, { type: 'worker' }>, counts: ProgressCounts): ProgressEvent {
  const event = 'progress';
  switch (progress.type) {
    case 'transfer':
    case 'remote': {
      const { type: _, state, secondsLeft = null, ...told } = progress;
      return { event, state: stateOf(state), ...told, secondsLeft };
    }
    case 'local': {
      const { phase, doneBytes, totalBytes } = progress;
      return { event, state: LOCAL_STATES[phase], phase, ...NO_COUNTS, doneBytes, totalBytes };
    }
    case 'connecting':
      return { event, state: 'connecting', ...counts };
    case 'reconnecting': {
      const standing = { ...counts, bytesPerSecond: 0, secondsLeft: null, lanes: [] };
      return { event, state: 'connecting', reason: 'network_error', message: progress.reason, ...standing };
    }
    case 'waiting':
      return { event, state: 'preparing', reason: 'waiting_for_worker', message: progress.reason, ...counts };
    case 'source_changed':
      return { event, state: 'preparing', reason: 'source_changed', message: progress.reason, ...counts };
  }
}

/** A newer worker may tell of states that nobody here knows. */
function stateOf(state: string): ProgressEvent['state'] {
  const known = ['preparing', 'transferring', 'verifying'] as const;
  // Completed is only what is installed as well.
  return known.find((one) => one === state) ?? (state === 'completed' ? 'verifying' : 'preparing');
}
