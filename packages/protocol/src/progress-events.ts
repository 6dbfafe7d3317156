import { ERROR_CODES, type ErrorCode, type ErrorData } from './errors.ts';

/** The progress of long work, for programs; docs/models.md lists the fields. */
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

/** The counts that carry over from event to event. */
export interface ProgressCounts {
  readonly doneBytes: number;
  readonly totalBytes: number;
  readonly bytesPerSecond: number;
  readonly secondsLeft: number | null;
  readonly lanes: readonly unknown[];
}

/** A change in one of the workers that send a model. */
export interface WorkerEvent {
  readonly event: 'worker';
  readonly worker: string;
  readonly state: string;
  readonly reason?: string | undefined;
}

/** Between two events of the same state: at most about four a second. */
const INTERVAL_MS = 250;

/** The `reason` of each exit code's errors. Errors of other exit codes have their error code as the reason. */
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
export const NO_COUNTS: ProgressCounts = {
  doneBytes: 0,
  totalBytes: 0,
  bytesPerSecond: 0,
  secondsLeft: null,
  lanes: [],
};

/** One command's events. Counts carry over from event to event; the last event says how it ended. */
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

  /** Notes that a transfer begins. From now on its end gets an event, however soon it comes. */
  begin(): void {
    if (this.#stage === 'unused') this.#emit({ event: 'progress', state: 'idle', ...this.#counts });
  }

  /** Writes an event, unless one of the same state was written a moment ago. */
  tell(event: ProgressEvent): void {
    if (this.#stage === 'ended') return;
    const { doneBytes, totalBytes, bytesPerSecond, secondsLeft, lanes } = event;
    this.#counts = { doneBytes, totalBytes, bytesPerSecond, secondsLeft, lanes };
    const isUrgent = this.#stage === 'open' && this.#written !== urgencyOf(event);
    if (isUrgent || this.#now() - this.#writtenMs >= INTERVAL_MS) this.#emit(event);
  }

  /** What is known so far, for an event without counts of its own. */
  get counts(): ProgressCounts {
    return this.#counts;
  }

  /** Tells of a change in one of several workers. */
  tellWorker(event: WorkerEvent): void {
    if (this.#stage !== 'ended') this.#write(event);
  }

  /** Notes that this is a dry run, and how much of the model is there already. */
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

/** A change of this is written at once. */
function urgencyOf({ state, reason, warning }: ProgressEvent): string {
  return JSON.stringify([state, reason, warning !== undefined]);
}
