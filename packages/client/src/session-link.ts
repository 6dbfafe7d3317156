import { ModelRtcError, orAborted } from '@model-rtc/protocol';
import { closedError, type Reachable } from '@model-rtc/transfer';
import { type ConnectToSessionOptions, connectToSession, type LaneInfo, type Peer } from '@model-rtc/transport';

/** Brings up one connection to the worker of a session. */
export type Connector = (options: ConnectToSessionOptions) => Promise<Peer>;

export interface SessionLinkOptions extends Omit<ConnectToSessionOptions, 'signal' | 'waitForWorker'> {
  /** `connectToSession` when left out. */
  readonly connector?: Connector | undefined;
  /** Called with each new connection. */
  readonly onPeer?: ((peer: Peer) => void) | undefined;
}

/** A lasting connection to one worker: connects when it is first needed, and again after the connection was lost. */
export class SessionLink implements Reachable<Peer> {
  readonly #options: SessionLinkOptions;
  #peer: Peer | undefined;
  #connecting: SharedAttempt<Peer> | undefined;
  #wasConnected = false;
  #isClosed = false;

  constructor(options: SessionLinkOptions) {
    this.#options = options;
  }

  /**
   * The live peer. Connects when there is none, and waits for a worker that was reached before.
   * @throws ModelRtcError what connecting throws; `cancelled` by the signal, and when the link was closed.
   */
  async reach(signal?: AbortSignal | undefined): Promise<Peer> {
    if (this.#isClosed) throw closedError();
    if (this.#peer !== undefined) return this.#peer;
    // All callers share one attempt: with two connections, no one would close the other one.
    if (this.#connecting === undefined || this.#connecting.isAborted) {
      this.#connecting = new SharedAttempt((attemptSignal) => this.#connect(attemptSignal));
    }
    return await this.#connecting.wait(signal);
  }

  /** Closes a peer; the next caller gets a new one. */
  async reset(peer: Peer): Promise<void> {
    this.#forget(peer);
    await peer.close();
  }

  get wasReached(): boolean {
    return this.#wasConnected;
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

  /** Closes the connection for good, and stops connecting. Work that runs over it fails. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#connecting?.abort(closedError());
    if (this.#peer !== undefined) await this.reset(this.#peer);
  }

  async #connect(signal: AbortSignal): Promise<Peer> {
    const { connector = connectToSession, onPeer, ...options } = this.#options;
    const peer = await connector({ ...options, signal, waitForWorker: this.#wasConnected });
    if (this.#isClosed) {
      await peer.close();
      throw closedError();
    }
    this.#wasConnected = true;
    onPeer?.(peer);
    this.#connecting = undefined;
    this.#peer = peer;
    void peer.closed.then(() => this.#forget(peer));
    return peer;
  }

  #forget(peer: Peer): void {
    if (this.#peer === peer) this.#peer = undefined;
  }
}

/** Work that several callers wait for, each as long as it likes. It is aborted when the last one stops waiting. */
class SharedAttempt<T> {
  readonly #controller = new AbortController();
  readonly #result: Promise<T>;
  #waiting = 0;

  constructor(work: (signal: AbortSignal) => Promise<T>) {
    this.#result = work(this.#controller.signal);
    // Those who wait get the failure; there may be none when it comes.
    this.#result.catch(() => {});
  }

  /** Whether it was aborted, so that a new caller needs a new attempt. */
  get isAborted(): boolean {
    return this.#controller.signal.aborted;
  }

  async wait(signal?: AbortSignal | undefined): Promise<T> {
    this.#waiting += 1;
    try {
      return await orAborted(this.#result, signal);
    } finally {
      this.#waiting -= 1;
      if (this.#waiting === 0) this.abort(new ModelRtcError('cancelled', 'Cancelled.'));
    }
  }

  abort(reason: ModelRtcError): void {
    this.#controller.abort(reason);
  }
}
