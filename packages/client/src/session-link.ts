import type { Reachable } from '@model-rtc/transfer';
import { closedError } from '@model-rtc/transfer';
import { type ConnectToSessionOptions, connectToSession, type LaneInfo, type Peer } from '@model-rtc/transport';
import { SharedAttempt } from './shared-attempt.ts';

/** Brings up one connection to the worker of a session. */
export type Connector = (options: ConnectToSessionOptions) => Promise<Peer>;

export interface SessionLinkOptions extends Omit<ConnectToSessionOptions, 'signal' | 'waitForWorker'> {
  /** `connectToSession` when left out. */
  readonly connector?: Connector | undefined;
}

/** The way to one worker: connects when it is first needed, and again after the connection was lost. */
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

  async reach(signal: AbortSignal | undefined): Promise<Peer> {
    return await this.peer(signal);
  }

  /** Ends a peer; the next one who asks gets a new one. */
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

  /** Ends the connection, and connecting; work that runs over it fails. The link connects no more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#connecting?.abort(closedError());
    if (this.#peer !== undefined) await this.reset(this.#peer);
  }

  async #connect(signal: AbortSignal): Promise<Peer> {
    const { connector = connectToSession, ...options } = this.#options;
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

  #forget(peer: Peer): void {
    if (this.#peer === peer) this.#peer = undefined;
  }
}
