import {
  type Clock,
  deferred,
  type ErrorData,
  type ExchangeMessage,
  type FrameCodec,
  type Hello,
  type Log,
  MAX_LANES,
  type Message,
  type Method,
  ModelRtcError,
  type ParamsInput,
  parseExchange,
  type Result,
  readMessageHead,
  silentLog,
} from '@model-rtc/protocol';

import type { Lane } from '../lane/lane.ts';
import { AskedRequests } from './asked-requests.ts';
import { Dispatcher } from './dispatcher.ts';
import { peerEndedError, toldError } from './errors.ts';
import { type AgentHello, UNSUMMED } from './hello.ts';
import { LaneLink } from './lane-link.ts';
import { CLOSE_TIMEOUT_MS, PEER_MESSAGES_BYTES } from './limits.ts';
import { Links } from './links.ts';
import { MessageBudget } from './message-budget.ts';
import type { Authority, Handlers, LaneInfo, Peer, PeerLane, RequestOptions } from './peer.ts';
import { toWireError } from './wire-error.ts';

export interface CreatePeerOptions {
  /** Open and authenticated. The peer owns it from now on, even if `createPeer` fails. */
  readonly lane: Lane;
  readonly hello: AgentHello;
  /** What the other side may ask of this one. */
  readonly authority: Authority;
  readonly handlers: Handlers;
  /** What all peers of the same token may take together for messages in fragments. */
  readonly budget?: MessageBudget | undefined;
  /** Gets what the other side says of further lanes. */
  readonly onExchange?: ((message: ExchangeMessage) => void) | undefined;
  readonly log?: Log | undefined;
  readonly clock?: Clock | undefined;
}

interface Established {
  readonly remote: Hello;
  readonly codec: FrameCodec;
  readonly clock: Clock;
  /** Says hello on a further lane; ends the lane when that fails. */
  readonly greet: (lane: Lane) => Promise<Hello>;
}

/** A peer over the lanes that are open to it. It ends with the last of them. */
export class LanePeer implements Peer {
  readonly remote: Hello;
  readonly closed: Promise<ModelRtcError | undefined>;
  readonly #established: Established;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #links = new Links();
  readonly #budget: MessageBudget;
  readonly #asked: AskedRequests;
  readonly #dispatcher: Dispatcher;
  readonly #onExchange: (message: ExchangeMessage) => void;
  readonly #end = deferred<ModelRtcError | undefined>();
  #lastLaneId = -1;
  #joining = 0;
  #isBulkExpected = false;
  #ended: ModelRtcError | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: CreatePeerOptions, established: Established) {
    const { authority, handlers, lane, log = silentLog, onExchange = () => {} } = options;
    const { remote, clock } = established;
    this.#budget = new MessageBudget(PEER_MESSAGES_BYTES, options.budget);
    this.remote = remote;
    this.closed = this.#end.promise;
    this.#established = established;
    this.#clock = clock;
    this.#log = log;
    this.#onExchange = onExchange;
    const best = () => this.#best();
    this.#asked = new AskedRequests({ best, maxOpen: remote.limits.maxOpenRequests, clock });
    const laneOf = (link: LaneLink) => this.#links.handleOf(link);
    this.#dispatcher = new Dispatcher({ peer: this, authority, handlers, best, laneOf, log });
    this.#addLink(lane);
  }

  get lanes(): readonly LaneInfo[] {
    return this.#links.all.map((link) => link.info());
  }

  openLanes(): readonly PeerLane[] {
    return this.#links.handles;
  }

  onLanesChanged(listener: () => void): () => void {
    return this.#links.onChange(listener);
  }

  async addLane(lane: Lane, { greeted = false }: { greeted?: boolean } = {}): Promise<PeerLane> {
    this.#joining += 1;
    try {
      if (this.#links.all.length + this.#joining > MAX_LANES) {
        const error = new ModelRtcError('busy', `There are ${MAX_LANES} connections to the other side already.`);
        lane.abort(error);
        throw error;
      }
      if (!greeted) await this.#established.greet(lane);
    } finally {
      this.#joining -= 1;
    }
    if (this.#ended !== undefined) {
      lane.abort(this.#ended);
      throw this.#ended;
    }
    return this.#addLink(lane);
  }

  async request<M extends Method>(
    method: M,
    params: ParamsInput<M>,
    options: RequestOptions<M> = {},
  ): Promise<Result<M>> {
    const { signal, timeoutMs, onChunk, lane } = options;
    const onEvent = options.onEvent as ((event: unknown) => void) | undefined;
    const link = lane === undefined ? undefined : this.#links.find(lane);
    if (lane !== undefined && link === undefined) throw this.#ended ?? laneGoneError();
    const result = await this.#asked.ask(method, params, { signal, timeoutMs, onChunk, onEvent, link });
    return result as Result<M>;
  }

  expectBulk(): void {
    this.#isBulkExpected = true;
  }

  get isBulkExpected(): boolean {
    return this.#isBulkExpected;
  }

  setHandlers(handlers: Handlers): void {
    this.#dispatcher.setHandlers(handlers);
  }

  async sendExchange(message: ExchangeMessage): Promise<void> {
    await this.#best().sendMessage({ type: 'exchange', message });
  }

  close(error?: ModelRtcError): Promise<void> {
    this.#closing ??= this.#finish(error, (link, ended) => this.#sayBye(link, error, ended));
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #addLink(lane: Lane): PeerLane {
    this.#lastLaneId += 1;
    const link: LaneLink = new LaneLink({
      id: this.#lastLaneId,
      lane,
      codec: this.#established.codec,
      maxMessageBytes: this.remote.limits.maxMessageBytes,
      takesUnsummed: this.remote.capabilities.includes(UNSUMMED),
      clock: this.#clock,
      onMessage: (message) => this.#onMessage(message, link),
      onChunk: ({ request, kind: _, ...piece }) => this.#asked.onChunk(request, piece),
      onFragment: () => this.#asked.touchAll(),
      admitLong: (first, totalBytes) => this.#admitLong(first, totalBytes, link),
      budget: this.#budget,
      onEnd: (error) => this.#onLaneEnd(link, error),
    });
    return this.#links.add(link);
  }

  #best(): LaneLink {
    const { best } = this.#links;
    if (best === undefined || this.#ended !== undefined) throw this.#ended ?? peerEndedError(undefined);
    return best;
  }

  /** Only a request that may be asked, and an answer that is waited for, may be long. */
  #admitLong(first: Uint8Array, totalBytes: number, link: LaneLink): boolean {
    const { type, id, method } = readMessageHead(first) ?? {};
    if (type === 'request' && id !== undefined && method !== undefined) {
      return this.#dispatcher.admitLong({ id, method, totalBytes, fits: this.#budget.fits(totalBytes) }, link);
    }
    if (type === 'reply' && id !== undefined) return this.#asked.admitLong(id, totalBytes);
    throw new ModelRtcError('malformed_message', `a message of ${totalBytes} bytes does not begin with what it is`);
  }

  #onMessage(message: Message, link: LaneLink): void {
    switch (message.type) {
      case 'request':
        this.#dispatcher.onRequest(message, link);
        break;
      case 'cancel':
        this.#dispatcher.onCancel(message.id);
        break;
      case 'reply':
        this.#asked.onReply(message.id, message.result);
        break;
      case 'error':
        this.#asked.onError(message.id, message.error);
        break;
      case 'event':
        this.#asked.onEvent(message.id, message.event);
        break;
      case 'exchange':
        this.#takeExchange(message.message);
        break;
      case 'bye':
        this.#onBye(message.error);
        break;
      default:
        throw new ModelRtcError('malformed_message', `a second "${message.type}" comes`);
    }
  }

  #takeExchange(value: unknown): void {
    const message = parseExchange(value);
    if (message !== undefined) this.#onExchange(message);
  }

  #onBye(data: (Omit<ErrorData, 'code'> & { readonly code: string }) | undefined): void {
    const why = data === undefined ? undefined : ModelRtcError.fromData(data);
    this.#closing ??= this.#finish(why, (link, error) => link.close(undefined, error));
  }

  #onLaneEnd(link: LaneLink, laneError: ModelRtcError | undefined): void {
    const why = laneError ?? new ModelRtcError('network', 'The other side closed the connection; connect again.');
    const isLast = this.#links.all.length === 1 && this.#links.best === link;
    // A lane that a new one can replace is merely lost; anything else is the other side's fault, and ends the peer.
    if (isLast || !why.recoversBy('reconnect')) {
      this.#endBy(why);
      return;
    }
    if (!this.#links.remove(link)) return;
    this.#log.debug({ lane: link.info(), reason: laneError?.message }, 'a lane ended; the others go on');
    if (laneError === undefined) void link.close(undefined, why);
    else link.abort(why);
    this.#asked.onLaneLost(link, why);
    this.#dispatcher.onLaneLost(link, why);
  }

  /** Ends the peer, which has no lane left. If the other side can still hear, it is told why. */
  #endBy(why: ModelRtcError): void {
    this.#log.debug({ err: why }, 'a peer ended');
    this.#closing ??= this.#finish(why, (link, error) =>
      why.code === 'network' ? link.abort(why) : this.#sayBye(link, why, error),
    );
  }

  /** @param leave ends each lane; everything open has failed before. */
  async #finish(
    why: ModelRtcError | undefined,
    leave: (link: LaneLink, error: ModelRtcError) => void | Promise<void>,
  ): Promise<void> {
    const error = peerEndedError(why);
    this.#ended = error;
    this.#asked.end(error);
    this.#dispatcher.end(error);
    this.#end.resolve(why);
    await Promise.all(this.#links.all.map((link) => leave(link, error)));
  }

  async #sayBye(link: LaneLink, why: ModelRtcError | undefined, error: ModelRtcError): Promise<void> {
    const stopTimer = this.#clock.after(CLOSE_TIMEOUT_MS, () => link.abort(error));
    const bye: Message = why === undefined ? { type: 'bye' } : { type: 'bye', error: toWireError(toldError(why)) };
    await link.close(bye, error);
    stopTimer();
  }
}

function laneGoneError(): ModelRtcError {
  return new ModelRtcError('network', 'This connection to the other side is gone; another one carries on.');
}
