import {
  type Clock,
  createWorkerSeal,
  deferred,
  type ExchangeMessage,
  encodeExchange,
  type Identity,
  type Log,
  ModelRtcError,
  refuseEnvelope,
  silentLog,
  systemClock,
  type WorkerSeal,
} from '@model-rtc/protocol';
import type { Visitor, WorkerRegistration } from '@model-rtc/signaling/client';

import type { IceServer, WebRtcEngine } from '../../lanes/webrtc/engine.ts';
import type { Authority, Handlers, Peer } from '../peer/peer.ts';
import { toWireError } from '../peer/wire-error.ts';
import { Admission } from './admission.ts';
import type { AcceptComponents, DirectListener, EngineChoice } from './components.ts';
import type { Agent } from './connect-to-session.ts';
import { ConnectedPeers } from './connected-peers.ts';
import { ExchangeMemory } from './exchange-memory.ts';
import { WERIFT } from './lane-upkeep.ts';
import { EXCHANGE_TIMEOUT_MS, FIRST_ENVELOPE_MS } from './limits.ts';
import { SealedAnswers, type SealedHandlers, SealedRate } from './sealed-answers.ts';
import { VisitorLog } from './visitor-log.ts';
import { WorkerExchange } from './worker-exchange.ts';
import { workerLanes } from './worker-lanes.ts';

/** The authority behind a token's key id, or why a known token is refused now. */
export type Authorization =
  | { readonly secret: Uint8Array; readonly authority: Authority }
  | { readonly refuse: ModelRtcError };

export interface AcceptSessionsOptions {
  readonly registration: WorkerRegistration;
  readonly identity: Identity;
  readonly agent: Agent;
  /** @param keyId 16 hex characters. @returns undefined for a token that was never issued. */
  readonly authorize: (keyId: string) => Authorization | undefined;
  /** What a client with this authority may ask. */
  readonly handlers: (authority: Authority) => Handlers;
  /** What it may ask over the signaling server, without a connection; nothing when left out. */
  readonly sealedHandlers?: ((authority: Authority) => SealedHandlers) | undefined;
  /** `auto` when left out. */
  readonly engine?: EngineChoice | undefined;
  readonly iceServers?: readonly IceServer[] | undefined;
  /** Where clients can connect directly. It still belongs to the caller. Without it, they cannot. */
  readonly direct?: DirectListener | undefined;
  readonly onPeer?: ((peer: Peer, authority: Authority) => void) | undefined;
  readonly log?: Log | undefined;
  readonly clock?: Clock | undefined;
}

export interface Acceptor {
  /** Resolves when clients can be answered. @throws ModelRtcError `bad_argument` when the engine does not load. */
  readonly ready: Promise<void>;
  /** The clients that are connected now. */
  peers(): Peer[];
  /** Says bye to the peers for which the predicate holds, with the error. */
  closeWhere(predicate: (authority: Authority, peer: Peer) => boolean, error?: ModelRtcError): Promise<void>;
  /** Stops accepting visitors and closes all peers. The registration stays open: it belongs to the caller. */
  close(): Promise<void>;
}

/**
 * Makes a peer of each visitor that holds a valid token. Visitors are handled at the same time, each within
 * its own limits: one that misbehaves is refused without affecting others.
 */
export function acceptSessionsWith(components: AcceptComponents, options: AcceptSessionsOptions): Acceptor {
  const acceptor = new SessionAcceptor(components, options);
  void acceptor.run();
  return acceptor;
}

interface Admitted {
  readonly seal: WorkerSeal;
  readonly authority: Authority;
}

class SessionAcceptor implements Acceptor {
  readonly ready: Promise<void>;
  readonly #components: AcceptComponents;
  readonly #options: AcceptSessionsOptions;
  readonly #engine: Promise<WebRtcEngine>;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #visitorLog: VisitorLog;
  readonly #peers: ConnectedPeers;
  readonly #admission = new Admission();
  readonly #memory: ExchangeMemory;
  readonly #sealedRate: SealedRate;
  /** Aborts each ongoing exchange. */
  readonly #ongoing = new Set<AbortController>();
  #isClosed = false;

  constructor(components: AcceptComponents, options: AcceptSessionsOptions) {
    this.#components = components;
    const { engine = 'auto', clock = systemClock, log = silentLog } = options;
    this.#options = options;
    this.#clock = clock;
    this.#log = log;
    this.#visitorLog = new VisitorLog(log, clock);
    this.#memory = new ExchangeMemory(clock);
    this.#sealedRate = new SealedRate(clock);
    this.#peers = new ConnectedPeers(clock, log);
    this.#engine = components.loadEngine(engine);
    this.ready = this.#engine.then(() => {});
    // Each visitor is told too, so the caller need not await it.
    this.ready.catch(() => {});
  }

  peers(): Peer[] {
    return this.#peers.all;
  }

  async closeWhere(predicate: (authority: Authority, peer: Peer) => boolean, error?: ModelRtcError): Promise<void> {
    await this.#peers.closeWhere(predicate, error);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const exchange of this.#ongoing)
      exchange.abort(new ModelRtcError('cancelled', 'The worker is shutting down.'));
    await this.#peers.close();
  }

  async run(): Promise<void> {
    for await (const visitor of this.#options.registration.visitors) {
      if (this.#isClosed) {
        visitor.close();
        return;
      }
      void this.#receive(visitor);
    }
  }

  /** Handles one visitor, from its first envelope to a peer. It never rejects. */
  async #receive(visitor: Visitor): Promise<void> {
    const limit = new AbortController();
    const stopTimer = this.#clock.after(EXCHANGE_TIMEOUT_MS, () => limit.abort(tooSlowError()));
    this.#ongoing.add(limit);
    const leave: (() => void)[] = [];
    try {
      const first = await this.#firstEnvelope(visitor);
      if (first === undefined) return;
      const admitted = await this.#admit(visitor, first, leave);
      if (admitted !== undefined) await this.#connect(visitor, admitted, { signal: limit.signal, leave });
    } catch (error) {
      const { code, message } = ModelRtcError.from(error);
      const fields = { err: error, visitor: visitor.visitor };
      // Those whom a worker leaves as it stops are no news to its owner.
      if (code === 'cancelled') this.#log.debug(fields, 'a visitor was left as the worker stopped');
      else this.#visitorLog.warn(fields, `A visitor opened no connection: ${message}`);
    } finally {
      for (const leavePlace of leave) leavePlace();
      stopTimer();
      this.#ongoing.delete(limit);
      visitor.close();
    }
  }

  /** undefined when the visitor left without a word, as clients do that reached this worker over another server. */
  async #firstEnvelope(visitor: Visitor): Promise<Uint8Array | undefined> {
    const evicted = deferred<undefined>();
    const leavePlace = this.#admission.admitUnknown(() => evicted.resolve(undefined));
    const stopTimer = this.#clock.after(FIRST_ENVELOPE_MS, () => evicted.resolve(undefined));
    try {
      return await Promise.race([firstOf(visitor.messages), evicted.promise]);
    } finally {
      stopTimer();
      leavePlace();
    }
  }

  /** @returns undefined when the visitor was refused, and was told why. */
  async #admit(visitor: Visitor, first: Uint8Array, leave: (() => void)[]): Promise<Admitted | undefined> {
    let admitted: Admitted;
    try {
      admitted = this.#openSeal(first);
    } catch (error) {
      // A visitor whose seal cannot be opened gets a signed refusal in the clear.
      const { identity } = this.#options;
      const envelope = refuseEnvelope({ identity, firstEnvelope: first, error: toWireError(error) });
      await this.#refuse(visitor, error, envelope);
      return undefined;
    }
    try {
      if (!this.#memory.add(first)) throw replayedError();
      leave.push(this.#admission.admitKnown(admitted.seal.keyId));
      admitted.authority.check?.();
      this.#peers.requireRoom(admitted.authority);
      await this.#engine;
      return admitted;
    } catch (error) {
      const refusal = encodeExchange({ type: 'refuse', error: toWireError(error) });
      await this.#refuse(visitor, error, admitted.seal.seal(refusal));
      return undefined;
    }
  }

  #openSeal(firstEnvelope: Uint8Array): Admitted {
    const { identity, authorize } = this.#options;
    let authority: Authority | undefined;
    const lookup = (keyId: string) => {
      const authorization = authorize(keyId);
      if (authorization === undefined) return undefined;
      if ('refuse' in authorization) throw authorization.refuse;
      authority = authorization.authority;
      return authorization.secret;
    };
    const seal = createWorkerSeal({ identity, firstEnvelope, lookup });
    if (authority === undefined) throw new Error('a seal was opened without a secret');
    return { seal, authority };
  }

  async #refuse(visitor: Visitor, error: unknown, envelope: Uint8Array): Promise<void> {
    const { code, message } = ModelRtcError.from(error);
    this.#visitorLog.warn(
      { visitor: visitor.visitor, code, reason: message },
      `A client was refused, and told: ${message}`,
    );
    await visitor.send(envelope);
  }

  async #connect(
    visitor: Visitor,
    { seal, authority }: Admitted,
    { signal, leave }: { readonly signal: AbortSignal; readonly leave: readonly (() => void)[] },
  ): Promise<void> {
    const { agent, handlers, sealedHandlers, iceServers, direct } = this.#options;
    const engine = await this.#engine;
    const answer = this.#components.createAnswer({
      engine,
      iceServers,
      direct,
      serverUrl: visitor.serverUrl,
      log: this.#log,
    });
    const onLane = workerLanes({
      agent: { ...agent, capabilities: [...(agent.capabilities ?? []), ...(engine.name === WERIFT ? [WERIFT] : [])] },
      authority,
      handlers: handlers(authority),
      budget: this.#peers.messageBudget(authority),
      hasRoomForLane: () => this.#peers.hasRoomForLane(authority),
      answer,
      onPeer: (peer, { kind }) => {
        // Further lanes may still come up over the exchange; they take no place from others.
        for (const leavePlace of leave) leavePlace();
        this.#take(peer, authority, kind);
      },
      log: this.#log,
      clock: this.#clock,
    });
    const sealed = { authority, handlers: sealedHandlers?.(authority) ?? {}, rate: this.#sealedRate, log: this.#log };
    const requests = (send: (message: ExchangeMessage) => Promise<void>) => new SealedAnswers({ ...sealed, send });
    await new WorkerExchange({ link: visitor, seal, signal, log: this.#log, answer, requests, onLane }).run();
  }

  #take(peer: Peer, authority: Authority, kind: string): void {
    if (this.#isClosed) {
      void peer.close();
      return;
    }
    this.#peers.add(peer, authority);
    this.#log.info({ keyId: authority.keyId, agent: peer.remote.agent, kind }, 'a client connected');
    this.#options.onPeer?.(peer, authority);
  }
}

async function firstOf(messages: AsyncIterable<Uint8Array>): Promise<Uint8Array | undefined> {
  for await (const message of messages) return message;
  return undefined;
}

function replayedError(): ModelRtcError {
  return new ModelRtcError(
    'refused',
    'The worker has seen this very request before: the signaling server replayed it. Connect again.',
  );
}

function tooSlowError(): ModelRtcError {
  return new ModelRtcError('timeout', `None came up within ${EXCHANGE_TIMEOUT_MS / 1000} s.`);
}
