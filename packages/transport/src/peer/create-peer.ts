import {
  type ChunkFrame,
  type ErrorData,
  type FrameCodec,
  type Hello,
  type Log,
  loadFrameCodec,
  type Message,
  type Method,
  ModelRtcError,
  type ParamsInput,
  type Result,
  silentLog,
} from '@model-rtc/protocol';
import { systemTimers, type Timers } from '@model-rtc/signaling';
import type { Lane } from '../lane.ts';
import { AskedRequests } from './asked-requests.ts';
import { deferred } from './deferred.ts';
import { Dispatcher } from './dispatcher.ts';
import { peerEndedError } from './errors.ts';
import { type AgentHello, exchangeHello } from './hello.ts';
import { LaneLink } from './lane-link.ts';
import { CLOSE_TIMEOUT_MS, MIN_LANE_MESSAGE_BYTES } from './limits.ts';
import type { Authority, Handlers, LaneInfo, Peer, RequestOptions } from './peer.ts';
import { toWireError } from './wire-error.ts';

export interface CreatePeerOptions {
  /** Open and authenticated. The peer owns it from now on, also when it fails. */
  readonly lane: Lane;
  readonly hello: AgentHello;
  /** What the other side may ask of this one. */
  readonly authority: Authority;
  readonly handlers: Handlers;
  readonly log?: Log | undefined;
  readonly timers?: Timers | undefined;
}

/**
 * Makes a peer of a lane, once both sides have said hello.
 *
 * @throws ModelRtcError `protocol_mismatch`, which says which side to upgrade; `malformed_message`, `timeout` or `network`
 * when the other side says no hello; the error of its bye.
 */
export async function createPeer(options: CreatePeerOptions): Promise<Peer> {
  const { lane, hello, timers = systemTimers } = options;
  try {
    assertUsable(lane);
    const codec = await loadFrameCodec();
    const remote = await exchangeHello(lane, hello, timers);
    return new LanePeer(options, { remote, codec, timers });
  } catch (error) {
    const known = ModelRtcError.from(error);
    // Our own hello must still arrive where it tells the other side the same: that the versions differ.
    if (known.code === 'protocol_mismatch') await lane.close();
    else lane.abort(known);
    throw known;
  }
}

function assertUsable({ maxMessageSize }: Lane): void {
  if (maxMessageSize >= MIN_LANE_MESSAGE_BYTES) return;
  throw new ModelRtcError(
    'malformed_message',
    `The other side says that it takes ${maxMessageSize} bytes at once; at least ${MIN_LANE_MESSAGE_BYTES} are needed. Upgrade model-rtc there.`,
  );
}

interface Established {
  readonly remote: Hello;
  readonly codec: FrameCodec;
  readonly timers: Timers;
}

class LanePeer implements Peer {
  readonly remote: Hello;
  readonly closed: Promise<ModelRtcError | undefined>;
  readonly #timers: Timers;
  readonly #log: Log;
  /** Every lane that is open to the other side; the first one carries the messages. */
  readonly #links: LaneLink[] = [];
  readonly #asked: AskedRequests;
  readonly #dispatcher: Dispatcher;
  readonly #end = deferred<ModelRtcError | undefined>();
  #ended: ModelRtcError | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: CreatePeerOptions, established: Established) {
    const { authority, handlers, lane, log = silentLog } = options;
    const { limits } = established.remote;
    this.remote = established.remote;
    this.closed = this.#end.promise;
    this.#timers = established.timers;
    this.#log = log;
    const send = (message: Message) => this.#send(message);
    this.#asked = new AskedRequests({ send, maxOpen: limits.maxOpenRequests, timers: this.#timers });
    this.#dispatcher = new Dispatcher({
      peer: this,
      authority,
      handlers,
      send,
      sendChunk: (chunk, signal) => this.#link().sendChunk(chunk, signal),
      log,
    });
    this.#addLane(lane, established.codec);
  }

  get lanes(): readonly LaneInfo[] {
    return this.#links.map((link) => link.info);
  }

  async request<M extends Method>(
    method: M,
    params: ParamsInput<M>,
    options: RequestOptions<M> = {},
  ): Promise<Result<M>> {
    const { signal, timeoutMs, onChunk } = options;
    const onEvent = options.onEvent as ((event: unknown) => void) | undefined;
    const result = await this.#asked.ask(method, params, { signal, timeoutMs, onChunk, onEvent });
    return result as Result<M>;
  }

  setHandlers(handlers: Handlers): void {
    this.#dispatcher.setHandlers(handlers);
  }

  close(error?: ModelRtcError): Promise<void> {
    this.#closing ??= this.#finish(error, (link, ended) => this.#sayBye(link, error, ended));
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #addLane(lane: Lane, codec: FrameCodec): void {
    const link = new LaneLink({
      lane,
      codec,
      maxMessageBytes: this.remote.limits.maxMessageBytes,
      timers: this.#timers,
      onMessage: (message) => this.#onMessage(message),
      onChunk: (frame) => this.#onChunk(frame),
      onFragment: () => this.#asked.touchAll(),
      onEnd: (error) => this.#onLaneEnd(error),
    });
    this.#links.push(link);
  }

  #link(): LaneLink {
    const [first] = this.#links;
    if (first === undefined || this.#ended !== undefined) throw this.#ended ?? peerEndedError(undefined);
    return first;
  }

  async #send(message: Message): Promise<void> {
    await this.#link().sendMessage(message);
  }

  #onMessage(message: Message): void {
    switch (message.type) {
      case 'request':
        this.#dispatcher.onRequest(message);
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
      case 'bye':
        this.#onBye(message.error);
        break;
      default:
        throw new ModelRtcError('malformed_message', `a second "${message.type}" comes`);
    }
  }

  #onChunk({ request, index, offset, payload, intact }: ChunkFrame): void {
    this.#asked.onChunk(request, { index, offset, payload, intact });
  }

  #onBye(data: (Omit<ErrorData, 'code'> & { readonly code: string }) | undefined): void {
    const why = data === undefined ? undefined : ModelRtcError.fromData(data);
    this.#closing ??= this.#finish(why, (link, error) => link.close(undefined, error));
  }

  /** The last lane of the peer is of no use, so neither is the peer. A side that can still hear is told why. */
  #onLaneEnd(laneError: ModelRtcError | undefined): void {
    const why = laneError ?? new ModelRtcError('network', 'The other side closed the connection; connect again.');
    this.#log.debug({ err: why }, 'a peer ended');
    this.#closing ??= this.#finish(why, (link, error) =>
      why.code === 'network' ? link.abort(why) : this.#sayBye(link, why, error),
    );
  }

  /** @param leave how each lane is ended; all that waits at either end of the peer has failed before. */
  async #finish(
    why: ModelRtcError | undefined,
    leave: (link: LaneLink, error: ModelRtcError) => void | Promise<void>,
  ): Promise<void> {
    const error = peerEndedError(why);
    this.#ended = error;
    this.#asked.end(error);
    this.#dispatcher.end(error);
    this.#end.resolve(why);
    await Promise.all(this.#links.map((link) => leave(link, error)));
  }

  async #sayBye(link: LaneLink, why: ModelRtcError | undefined, error: ModelRtcError): Promise<void> {
    const stopTimer = this.#timers.after(CLOSE_TIMEOUT_MS, () => link.abort(error));
    const bye: Message = why === undefined ? { type: 'bye' } : { type: 'bye', error: toWireError(why) };
    await link.close(bye, error);
    stopTimer();
  }
}
