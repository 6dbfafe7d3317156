import { type Clock, cancelledBy, ModelRtcError, pause } from '@model-rtc/protocol';
import type { Watchdog } from '../session/watchdog.ts';
import type { Reachable } from './model-provider.ts';

const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 8_000;

export interface AttemptsOptions {
  readonly clock: Clock;
  /** A random number from 0 to below 1, so that many clients do not come back at once. */
  readonly random: () => number;
  /** Counts the time without progress, over all attempts. */
  readonly watchdog: Watchdog;
  readonly signal?: AbortSignal | undefined;
}

export interface RetryOptions extends AttemptsOptions {
  /** Called with the reason for another attempt, before the wait for it. */
  readonly onRetry?: ((why: ModelRtcError) => void) | undefined;
}

/**
 * Decides whether and when to retry work over a connection that failed. An attempt reaches the other side, then does the work, with
 * `recover` in a `catch` around both; it throws after the last attempt. The work keeps its own state, so that it resumes.
 */
export class Attempts<Connection = unknown> {
  readonly #target: Reachable<Connection>;
  readonly #options: RetryOptions;
  #delayMs = FIRST_RETRY_MS;
  /** When this attempt began. */
  #startedMs: number;

  constructor(target: Reachable<Connection>, options: RetryOptions) {
    this.#target = target;
    this.#options = options;
    this.#startedMs = options.clock.nowMs();
  }

  /** Whether nothing came for so long that no further attempt is made. */
  get isExhausted(): boolean {
    return this.#options.watchdog.isExhausted;
  }

  /**
   * Ends the connection of a failed attempt, and waits until the next attempt is due.
   * @param connection - undefined when the attempt did not get as far as asking
   * @throws ModelRtcError why there is none: the error, when another connection cannot fix it, or the other side was never
   *   reached; `timeout` when nothing came for the time that the watchdog allows; `cancelled` by the signal and when this side closed
   */
  async recover(thrown: unknown, connection: Connection | undefined): Promise<void> {
    const error = this.#asEnd(ModelRtcError.from(thrown));
    if (!this.#target.wasReached || !mayRetry(error, connection !== undefined)) throw error;
    if (this.isExhausted) throw gaveUp(error, this.#options.watchdog);
    this.#options.onRetry?.(error);
    if (connection !== undefined) await this.#target.reset(connection);
    await this.wait();
  }

  /** Waits before the next attempt: longer each time, unless the last one carried something before it broke. */
  async wait(): Promise<void> {
    const { clock, watchdog, signal, random } = this.#options;
    if (watchdog.quietMs < clock.nowMs() - this.#startedMs) this.#delayMs = FIRST_RETRY_MS;
    await backOff(this.#delayMs, { clock, random, signal });
    this.#delayMs = Math.min(this.#delayMs * 2, LONGEST_RETRY_MS);
    this.#startedMs = clock.nowMs();
  }

  /** The reason of a cancelled or closed attempt is that it was cancelled or closed, whatever it failed with. */
  #asEnd(error: ModelRtcError): ModelRtcError {
    const { signal } = this.#options;
    if (signal?.aborted) return cancelledBy(signal, error);
    return this.#target.isClosed ? closedError(error) : error;
  }
}

/** A worker that everyone reconnects to at once may be busy for a while; one that answers says how long to wait. */
function mayRetry(error: ModelRtcError, isReached: boolean): boolean {
  return error.recoversBy('reconnect', 'wait') || (error.recoversBy('back_off') && !isReached);
}

/**
 * Whether to retry a provider while the transfer goes on without it. Nobody waits for its answer, so a busy or cancelled one
 * is retried too.
 */
export function isRetryableInBackground(error: ModelRtcError): boolean {
  return error.recoversBy('reconnect', 'wait', 'back_off', 'stopped');
}

/** Waits for the given time plus up to half of it. @throws ModelRtcError `cancelled` when the signal aborts */
export async function backOff(
  delayMs: number,
  { clock, random, signal }: Pick<AttemptsOptions, 'clock' | 'random' | 'signal'>,
): Promise<void> {
  await pause(delayMs + (delayMs / 2) * random(), clock, signal);
}

/** The error of an attempt that this side closed. */
export function closedError(cause?: unknown): ModelRtcError {
  return new ModelRtcError('cancelled', 'The connection to the worker was closed on this side.', { cause });
}

/** The error of a transfer that made no progress for as long as its watchdog allows. */
export function gaveUp(
  last: ModelRtcError,
  { giveUpMs }: Pick<Watchdog, 'giveUpMs'>,
  details?: ModelRtcError['details'],
): ModelRtcError {
  return new ModelRtcError(
    'timeout',
    `Nothing arrived for ${spanText(giveUpMs)}, however often the connection was renewed. What has arrived is kept: run the same command again to resume. The last failure: ${last.message}`,
    { cause: last, details },
  );
}

function spanText(ms: number): string {
  const minutes = ms / 60_000;
  return Number.isInteger(minutes) && minutes > 1 ? `${minutes} minutes` : `${ms / 1000} s`;
}
