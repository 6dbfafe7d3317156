import { ModelRtcError } from '@model-rtc/protocol';
import { type ConnectToSessionOptions, connectToSession, type LaneInfo, type Peer } from '@model-rtc/transport';
import { cancelledBy } from './cancelled.ts';
import { SharedAttempt } from './shared-attempt.ts';
import { backOff, systemTime, type Time } from './time.ts';

/** Brings up one connection to the worker of a session. */
export type Connector = (options: ConnectToSessionOptions) => Promise<Peer>;

export interface SessionLinkOptions extends Omit<ConnectToSessionOptions, 'signal' | 'waitForWorker'> {
  /** `connectToSession` when left out. */
  readonly connector?: Connector | undefined;
  readonly time?: Time | undefined;
}

export interface DurableOptions {
  readonly signal?: AbortSignal | undefined;
  /** How long the work got nowhere, in milliseconds, over all connections. */
  readonly quietMs: () => number;
  readonly onReconnect: (why: ModelRtcError) => void;
}

/** A connection that makes no progress for this long, however often it is renewed, is given up; what arrived is kept. */
export const GIVE_UP_MS = 120_000;
export const FIRST_RETRY_MS = 250;
export const LONGEST_RETRY_MS = 8_000;

/** The way to one worker: connects when it is first needed, and again after the connection was lost. */
export class SessionLink {
  readonly #options: SessionLinkOptions;
  readonly #time: Time;
  #peer: Peer | undefined;
  #connecting: SharedAttempt<Peer> | undefined;
  #wasConnected = false;
  #isClosed = false;

  constructor(options: SessionLinkOptions) {
    this.#options = options;
    this.#time = options.time ?? systemTime;
  }

  /**
   * The live peer; connects when there is none. A worker that was reached before is waited for.
   * @throws ModelRtcError what connecting throws; `cancelled` by the signal, and when the link was closed.
   */
  async peer(signal?: AbortSignal | undefined): Promise<Peer> {
    if (this.#isClosed) throw closedError();
    if (this.#peer !== undefined) return this.#peer;
    // One for all who ask meanwhile: of two connections, one would be nobody's to close.
    if (this.#connecting === undefined || this.#connecting.isAborted) {
      this.#connecting = new SharedAttempt((attemptSignal) => this.#connect(attemptSignal));
    }
    return await this.#connecting.wait(signal);
  }

  /**
   * Runs work over the peer. When the connection is lost in mid-work, connects again and runs it again, until it is done,
   * fails for another reason, or got nowhere for `GIVE_UP_MS`. The work keeps its own state, so that it resumes.
   */
  async durably<T>(work: (peer: Peer) => Promise<T>, options: DurableOptions): Promise<T> {
    const { signal, quietMs, onReconnect } = options;
    let retryMs = FIRST_RETRY_MS;
    for (;;) {
      const startedMs = this.#time.nowMs();
      let peer: Peer | undefined;
      try {
        peer = await this.peer(signal);
        return await work(peer);
      } catch (error) {
        const known = this.#asEnd(ModelRtcError.from(error), signal);
        if (!this.#isPassing(known, peer)) throw known;
        if (quietMs() >= GIVE_UP_MS) throw gaveUp(known);
        onReconnect(known);
        await this.drop(peer);
      }
      // A connection that carried something before it broke is worth an immediate new one.
      if (quietMs() < this.#time.nowMs() - startedMs) retryMs = FIRST_RETRY_MS;
      await backOff(this.#time, retryMs, signal);
      retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS);
    }
  }

  get lanes(): readonly LaneInfo[] {
    return this.#peer?.lanes ?? [];
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** The peer that is there now, if any. */
  get current(): Peer | undefined {
    return this.#peer;
  }

  /** Ends a peer that is of no use any more; the next one who asks gets a new one. */
  async drop(peer: Peer | undefined): Promise<void> {
    if (peer === undefined) return;
    this.#forget(peer);
    await peer.close();
  }

  /** Ends the connection, and connecting; work that runs over it fails. The link connects no more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#connecting?.abort(closedError());
    await this.drop(this.#peer);
  }

  async #connect(signal: AbortSignal): Promise<Peer> {
    const { connector = connectToSession, time: _, ...options } = this.#options;
    const peer = await connector({ ...options, signal, waitForWorker: this.#wasConnected });
    if (this.#isClosed) {
      await peer.close();
      throw closedError();
    }
    this.#wasConnected = true;
    this.#connecting = undefined;
    this.#peer = peer;
    void peer.closed.then(() => this.#forget(peer));
    return peer;
  }

  /** Whatever a cancelled or closed one failed with, that it was cancelled or closed is why. */
  #asEnd(error: ModelRtcError, signal: AbortSignal | undefined): ModelRtcError {
    if (signal?.aborted) return cancelledBy(signal, error);
    return this.#isClosed ? closedError(error) : error;
  }

  /** Whether another connection may mend it. A worker that everyone comes back to at once may be busy for a while. */
  #isPassing({ code }: ModelRtcError, peer: Peer | undefined): boolean {
    if (!this.#wasConnected) return false;
    if (code === 'busy') return peer === undefined;
    return code === 'network' || code === 'worker_offline' || code === 'timeout';
  }

  #forget(peer: Peer): void {
    if (this.#peer === peer) this.#peer = undefined;
  }
}

/** What work over a link ends with that this side closed. */
export function closedError(cause?: unknown): ModelRtcError {
  return new ModelRtcError('cancelled', 'The connection to the worker was closed on this side.', { cause });
}

/** What a transfer ends with that got nowhere for `GIVE_UP_MS`. */
export function gaveUp(last: ModelRtcError, details?: ModelRtcError['details']): ModelRtcError {
  return new ModelRtcError(
    'timeout',
    `Nothing arrived for ${GIVE_UP_MS / 60_000} minutes, however often the connection was renewed. What has arrived is kept: run the same command again to resume. The last failure: ${last.message}`,
    { cause: last, details },
  );
}
