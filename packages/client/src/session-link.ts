import { type Log, ModelRtcError, type SessionToken, silentLog } from '@model-rtc/protocol';
import {
  type ConnectState,
  connectToSession,
  type EngineChoice,
  type Handlers,
  type IceServer,
  type LaneInfo,
  type Peer,
} from '@model-rtc/transport';
import { backoff } from './backoff.ts';

export interface SessionLinkOptions {
  readonly token: SessionToken;
  readonly agent: { readonly name: string; readonly version: string };
  readonly handlers: Handlers;
  readonly engine?: EngineChoice | undefined;
  readonly iceServers?: readonly IceServer[] | undefined;
  readonly timeoutMs?: number | undefined;
  readonly log?: Log | undefined;
  readonly onState?: ((state: ConnectState) => void) | undefined;
}

export interface DurableOptions {
  readonly signal?: AbortSignal | undefined;
  /** How long the work got nowhere, in milliseconds, over all connections. */
  readonly quietMs: () => number;
  readonly onReconnect: (why: ModelRtcError) => void;
}

/** A connection that makes no progress for this long, however often it is renewed, is given up; what arrived is kept. */
export const GIVE_UP_MS = 120_000;
const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 8_000;

/** The way to one worker: connects when it is first needed, and again after the connection was lost. */
export class SessionLink {
  readonly #options: SessionLinkOptions;
  #peer: Peer | undefined;
  #connected = false;

  constructor(options: SessionLinkOptions) {
    this.#options = options;
  }

  /** The live peer; connects when there is none. A worker that was reached before is waited for. */
  async peer(signal?: AbortSignal | undefined): Promise<Peer> {
    if (this.#peer !== undefined) return this.#peer;
    const { token, agent, handlers, engine, iceServers, timeoutMs, log, onState } = this.#options;
    const peer = await connectToSession({
      token,
      agent,
      handlers,
      engine: engine ?? 'auto',
      iceServers: iceServers ?? [],
      timeoutMs,
      signal,
      log: log ?? silentLog,
      onState,
      waitForWorker: this.#connected,
    });
    this.#connected = true;
    this.#peer = peer;
    void peer.closed.then(() => this.#forget(peer));
    return peer;
  }

  /**
   * Runs work over the peer. When the connection is lost in mid-work, connects again and runs it again, until it is done,
   * fails for another reason, or got nowhere for `GIVE_UP_MS`. The work keeps its own state, so that it resumes.
   */
  async durably<T>(work: (peer: Peer) => Promise<T>, options: DurableOptions): Promise<T> {
    let retryMs = FIRST_RETRY_MS;
    for (;;) {
      let peer: Peer | undefined;
      try {
        peer = await this.peer(options.signal);
        return await work(peer);
      } catch (error) {
        const known = ModelRtcError.from(error);
        const lost = this.#connected && isLostConnection(known) && options.signal?.aborted !== true;
        if (!lost) throw known;
        if (options.quietMs() > GIVE_UP_MS) throw gaveUp(known);
        options.onReconnect(known);
        await this.#drop(peer);
      }
      // A connection that carried something before it broke is worth an immediate new one.
      if (options.quietMs() < retryMs) retryMs = FIRST_RETRY_MS;
      await backoff(retryMs, options.signal);
      retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS);
    }
  }

  get lanes(): readonly LaneInfo[] {
    return this.#peer?.lanes ?? [];
  }

  async close(): Promise<void> {
    await this.#drop(this.#peer);
  }

  async #drop(peer: Peer | undefined): Promise<void> {
    if (peer === undefined) return;
    this.#forget(peer);
    await peer.close();
  }

  #forget(peer: Peer): void {
    if (this.#peer === peer) this.#peer = undefined;
  }
}

function isLostConnection(error: ModelRtcError): boolean {
  return error.code === 'network' || error.code === 'worker_offline' || error.code === 'timeout';
}

function gaveUp(last: ModelRtcError): ModelRtcError {
  return new ModelRtcError(
    'timeout',
    `Nothing arrived for ${GIVE_UP_MS / 60_000} minutes (${last.message}) What has arrived is kept: run the same command again to resume.`,
    { cause: last },
  );
}
