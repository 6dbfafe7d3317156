import {
  type Clock,
  cancelledBy,
  isUnavailable,
  type Log,
  ModelRtcError,
  type Recovery,
  roomOf,
  type SessionToken,
  silentLog,
  systemClock,
} from '@model-rtc/protocol';
import type { Link } from '@model-rtc/signaling/client';
import type { IceServer, WebRtcEngine } from '../../lanes/webrtc/engine.ts';
import type { LaneKind } from '../lane/lane.ts';
import type { Authority, Handlers, Peer } from '../peer/peer.ts';
import { PeerAssembly } from './assemble-peer.ts';
import {
  type AttemptKind,
  type AttemptLane,
  type ConnectComponents,
  type EngineChoice,
  LANE_CHOICES,
} from './components.ts';
import { PeerChannel } from './lane-channel.ts';
import { attemptLaneWith, LaneRace } from './lane-race.ts';
import type { LaneShare } from './lane-share.ts';
import { LaneUpkeep } from './lane-upkeep.ts';
import { CONNECT_TIMEOUT_MS, LANE_ATTEMPT_MS, RETRY_FIRST_MS, RETRY_LONGEST_MS, VISIT_TIMEOUT_MS } from './limits.ts';
import { TimeBudget } from './time-budget.ts';
import { VisitorExchange } from './visitor-exchange.ts';

/** Which kinds of connections are tried; `auto` is all of them. */
export type LaneChoice = 'auto' | AttemptKind;

/** How far connecting has come. */
export type ConnectState =
  | { readonly state: 'signaling'; readonly urls: readonly string[] }
  | { readonly state: 'negotiating'; readonly kind: LaneKind; readonly attempt: number }
  | { readonly state: 'connected'; readonly kind: LaneKind; readonly engine: string | undefined };

/** The name and version of a program, as the other side sees it. */
export interface Agent {
  readonly name: string;
  readonly version: string;
  readonly capabilities?: readonly string[] | undefined;
}

export interface ConnectToSessionOptions {
  readonly token: SessionToken;
  readonly agent: Agent;
  /** What the worker may ask of this side: get_chunks while a model is pushed. */
  readonly handlers?: Handlers | undefined;
  /** `auto` when left out. */
  readonly lane?: LaneChoice | undefined;
  /** `auto` when left out. */
  readonly engine?: EngineChoice | undefined;
  readonly iceServers?: readonly IceServer[] | undefined;
  /** Shared by all connections of a program, so that many peers do not each get as many lanes as one would. */
  readonly laneShare?: LaneShare | undefined;
  /** For everything together, in milliseconds; 30 s when left out. */
  readonly timeoutMs?: number | undefined;
  /** Whether to keep trying until the time is up when the worker is offline or its server cannot be reached. */
  readonly waitForWorker?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly log?: Log | undefined;
  readonly onState?: ((state: ConnectState) => void) | undefined;
  readonly clock?: Clock | undefined;
  /** The time of day, in which tokens expire. */
  readonly now?: (() => Date) | undefined;
}

/** A worker only asks for the chunks of models that are pushed to it. */
const WORKERS_AUTHORITY: Authority = { scopes: ['read'] };

/**
 * Connects to the worker that issued a token: finds it through a signaling server, exchanges sealed connection data, opens
 * a lane that is authenticated by that, and says hello.
 *
 * @throws ModelRtcError `token_expired` before anything is sent; `worker_offline` or `network` when the worker or its servers
 * cannot be reached; `token_revoked`, `token_expired`, `busy` or `refused` when the worker refuses, or when the signaling
 * server was caught interfering; `protocol_mismatch`; `timeout`, naming the last failure; `cancelled`.
 */
export async function connectToSessionWith(
  components: ConnectComponents,
  options: ConnectToSessionOptions,
): Promise<Peer> {
  const { token, timeoutMs = CONNECT_TIMEOUT_MS, clock = systemClock, signal } = options;
  if (signal?.aborted) throw cancelledBy(signal);
  assertNotExpired(token, options.now ?? (() => new Date()));
  const budget = new TimeBudget(timeoutMs, signal, clock);
  const connecting = new Connecting(components, { ...options, clock }, budget);
  try {
    return await connecting.run();
  } catch (error) {
    if (budget.isTimeUp) throw timeoutError(timeoutMs, connecting.lastFailure);
    throw signal?.aborted ? cancelledBy(signal) : ModelRtcError.from(error);
  } finally {
    connecting.close();
    budget.release();
  }
}

class Connecting {
  lastFailure: ModelRtcError | undefined;
  readonly #components: ConnectComponents;
  readonly #attemptLane: AttemptLane;
  readonly #options: ConnectToSessionOptions & { readonly clock: Clock };
  readonly #budget: TimeBudget;
  readonly #log: Log;
  #exchange: VisitorExchange | undefined;
  #loading: Promise<WebRtcEngine> | undefined;
  #attempts = 0;
  #retryMs = RETRY_FIRST_MS;

  constructor(
    components: ConnectComponents,
    options: ConnectToSessionOptions & { readonly clock: Clock },
    budget: TimeBudget,
  ) {
    this.#components = components;
    this.#attemptLane = attemptLaneWith(components.ask);
    this.#options = options;
    this.#budget = budget;
    this.#log = options.log ?? silentLog;
  }

  async run(): Promise<Peer> {
    // If only webrtc is tried, load the engine while the worker is being found: loading takes almost as long.
    if (this.#kinds[0] === 'webrtc') void this.#engine().catch(() => {});
    for (;;) {
      const exchange = await this.#openExchange();
      try {
        return await this.#attempt(exchange);
      } catch (error) {
        await this.#afterFailure(ModelRtcError.from(error), ['reconnect']);
      }
    }
  }

  close(): void {
    this.#exchange?.close();
  }

  /** Reuses the exchange of the last attempt while its link holds. */
  async #openExchange(): Promise<VisitorExchange> {
    while (this.#exchange?.isOpen !== true) {
      if (this.#exchange?.failure !== undefined) throw this.#exchange.failure;
      try {
        this.#exchange = new VisitorExchange(await this.#visit(), this.#options.token);
      } catch (error) {
        await this.#afterFailure(
          ModelRtcError.from(error),
          this.#options.waitForWorker === true ? ['reconnect', 'wait'] : [],
        );
      }
    }
    return this.#exchange;
  }

  async #visit(): Promise<Link> {
    const { token, onState } = this.#options;
    onState?.({ state: 'signaling', urls: token.urls });
    return await this.#components.visit({
      urls: token.urls,
      room: roomOf(token.workerKey),
      signal: this.#budget.signal,
      // Ends before the whole time is up, so that the error names the servers that could not be reached.
      timeoutMs: Math.min(VISIT_TIMEOUT_MS, this.#budget.leftMs * 0.9),
      log: this.#log,
      clock: this.#options.clock,
    });
  }

  async #attempt(exchange: VisitorExchange): Promise<Peer> {
    const { iceServers, clock, onState } = this.#options;
    const channel = new PeerChannel(exchange.serverUrl);
    const assembly = this.#assembly(channel);
    const race = new LaneRace({
      channel: exchange,
      kinds: this.#kinds,
      attempt: this.#attemptLane,
      assembly,
      engine: () => this.#engine(),
      iceServers,
      timeoutMs: Math.min(LANE_ATTEMPT_MS, this.#budget.leftMs),
      signal: this.#budget.signal,
      clock,
      log: this.#log,
      onTry: (kind) => onState?.({ state: 'negotiating', kind, attempt: this.#attempts }),
    });
    this.#attempts += 1;
    const peer = await race.run();
    // Better lanes may still open, and are set up over the exchange.
    void race.settled.then(() => exchange.close());
    void peer.closed.then(() => race.stop());
    if (this.#exchange === exchange) this.#exchange = undefined;
    return peer;
  }

  /** Before hello, an old worker knows webrtc only. */
  get #kinds(): readonly AttemptKind[] {
    const wanted = this.#wanted;
    if (this.#options.token.features?.includes('ask') === true) return wanted;
    return wanted.includes('webrtc') ? ['webrtc'] : wanted;
  }

  /** The kinds that the caller allows and this platform has. */
  get #wanted(): readonly AttemptKind[] {
    const { lane = 'auto' } = this.#options;
    return lane === 'auto' ? LANE_CHOICES.filter((kind) => this.#components.ask[kind] !== undefined) : [lane];
  }

  #assembly(channel: PeerChannel): PeerAssembly {
    const { agent, handlers = {}, clock, onState } = this.#options;
    return new PeerAssembly({
      hello: { role: 'client', ...agent, capabilities: ['lanes', ...(agent.capabilities ?? [])] },
      authority: WORKERS_AUTHORITY,
      handlers,
      onExchange: (message) => channel.deliver(message),
      onPeer: (peer, { kind, engine }) => {
        channel.use(peer);
        if (peer.remote.capabilities.includes('lanes')) this.#keepUp(peer, channel);
        onState?.({ state: 'connected', kind, engine });
      },
      log: this.#log,
      clock,
    });
  }

  #keepUp(peer: Peer, channel: PeerChannel): void {
    const { iceServers, clock, laneShare: share } = this.#options;
    const kinds = this.#wanted;
    const engine = () => this.#engine();
    const { createCpuLoad } = this.#components;
    const options = { peer, channel, kinds, engine, iceServers, clock, share, log: this.#log };
    void new LaneUpkeep({ ...options, attempt: this.#attemptLane, cpu: createCpuLoad() });
  }

  #engine(): Promise<WebRtcEngine> {
    this.#loading ??= this.#components.loadEngine(this.#options.engine ?? 'auto');
    return this.#loading;
  }

  /** Waits before the next attempt. @throws the failure if trying again cannot help. */
  async #afterFailure(error: ModelRtcError, mended: readonly Exclude<Recovery, 'none'>[]): Promise<void> {
    this.#budget.check();
    if (!error.recoversBy(...mended) || isUnavailable(error)) throw error;
    this.lastFailure = error;
    this.#log.debug({ code: error.code, reason: error.message }, 'connecting failed; it is tried again');
    await this.#budget.wait(this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_LONGEST_MS);
  }
}

function assertNotExpired({ expiresAt }: SessionToken, now: () => Date): void {
  const here = now();
  if (expiresAt === undefined || expiresAt > here) return;
  throw new ModelRtcError(
    'token_expired',
    `This session expired on ${expiresAt.toISOString()}, by this machine's clock, which says ${here.toISOString()}. Set the clock if it is wrong, or ask the worker's owner for a new session.`,
  );
}

function timeoutError(timeoutMs: number, last: ModelRtcError | undefined): ModelRtcError {
  const what = last === undefined ? 'the worker could not be reached' : last.message;
  return new ModelRtcError('timeout', `No connection to the worker came up within ${timeoutMs / 1000} s: ${what}`, {
    cause: last,
  });
}
