import type {
  EventOf,
  ExchangeMessage,
  Hello,
  Method,
  ModelRtcError,
  Params,
  ParamsInput,
  Result,
  ResultInput,
  Scope,
} from '@model-rtc/protocol';
import type { Lane, LaneKind } from '../lane/lane.ts';

/** What the other side may ask for. It belongs to the connection and its token, never to what the other side claims. */
export interface Authority {
  readonly scopes: readonly Scope[];
  /** The token that the other side holds, as 16 hex characters. */
  readonly keyId?: string | undefined;
  /** Called at each request. @throws ModelRtcError `token_revoked` or `token_expired` when the token is no longer valid. */
  check?(): void;
}

/** What this side answers. A method without a handler is refused. */
export type Handlers = {
  readonly [M in Method]?: ((params: Params<M>, context: RequestContext<M>) => Promise<ResultInput<M>>) | undefined;
};

/** What a handler gets besides the parameters of its request. */
export interface RequestContext<M extends Method = Method> {
  /** Who asks. */
  readonly peer: Peer;
  /** The lane that the request came over; chunks go back on it. */
  readonly lane: PeerLane;
  /** Aborts when the asker cancels the request and when the peer is gone. */
  readonly signal: AbortSignal;
  /**
   * Sends an event of the request. Events arrive in the order of these calls. Resolves when there is room for more.
   * @throws ModelRtcError `cancelled` after the request was cancelled; `network` when the peer is gone.
   */
  emit(event: EventOf<M>): Promise<void>;
  /**
   * Sends a chunk, or a part of it, in frames that fit the lane. The bytes may be reused once it resolves.
   * @param index the asker's label of the chunk.
   * @throws like `emit`; `network` when the lane that the request came over is gone.
   */
  sendChunk(index: number, bytes: Uint8Array, options?: SendChunkOptions): Promise<void>;
}

export interface SendChunkOptions {
  /** The bytes are the chunk in one of the encodings that the asker named. */
  readonly encoded?: boolean | undefined;
  /** Where the bytes start in the chunk, or in its encoded form; 0 when left out. */
  readonly offset?: number | undefined;
  /**
   * How many bytes of the same memory before these may be overwritten. With `CHUNK_HEADROOM_BYTES` frames are made around the
   * bytes where they are, without a copy; the bytes are overwritten then.
   */
  readonly headroom?: number | undefined;
}

/** A piece of a requested chunk. */
export interface ChunkPiece {
  /** The label that the asker gave the chunk. */
  readonly index: number;
  /** Where the payload starts in the chunk, in bytes. */
  readonly offset: number;
  /** Valid only during the callback. */
  readonly payload: Uint8Array;
  /** False when the payload was damaged on its way. */
  readonly intact: boolean;
  /** Offset and payload are of the chunk in an encoding, not of its own bytes. */
  readonly encoded: boolean;
}

export interface RequestOptions<M extends Method> {
  /** Aborting it cancels the request on both sides. A reason that is a ModelRtcError is what the request throws. */
  readonly signal?: AbortSignal | undefined;
  /**
   * How long nothing may arrive for the request, in milliseconds; a query is asked once more then. Queries have
   * `QUERY_TIMEOUT_MS` when it is left out, the others no limit.
   */
  readonly timeoutMs?: number | undefined;
  /**
   * The lane to ask over. When it is lost the request fails with `network`, though the peer lives on. Without it the best
   * lane is taken, and another one when that is lost; but `get_chunks` stays with its lane always.
   */
  readonly lane?: PeerLane | undefined;
  readonly onEvent?: ((event: EventOf<M>) => void) | undefined;
  readonly onChunk?: ((piece: ChunkPiece) => void) | undefined;
}

/** One of the connections that a peer is reached by. */
export interface LaneInfo {
  /** Unique among the lanes of one peer, on this side. */
  readonly id: number;
  readonly kind: LaneKind;
  /** The WebRTC engine of this side. */
  readonly engine: string | undefined;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** How long the last ping took, behind queued data; undefined before the first. */
  readonly rttMs: number | undefined;
}

/** One of the connections that a peer is reached by, to ask over or to end. */
export interface PeerLane {
  readonly id: number;
  readonly kind: LaneKind;
  readonly engine: string | undefined;
  info(): LaneInfo;
  /** Resolves when it is over: undefined for an orderly end, else why. It never rejects. */
  readonly closed: Promise<ModelRtcError | undefined>;
  /** Ends it in order; the peer lives on while it has another. */
  close(): Promise<void>;
  /** Treats it as lost. */
  abort(reason: ModelRtcError): void;
}

/** The other agent. Either side may ask the other. No state of a transfer is in it: it may be replaced at any moment. */
export interface Peer extends AsyncDisposable {
  /** What the other side said of itself. */
  readonly remote: Hello;
  readonly lanes: readonly LaneInfo[];
  /** The lanes that are open now, the best first. */
  openLanes(): readonly PeerLane[];
  /** Calls back whenever a lane was added or has ended. @returns a function that stops it. */
  onLanesChanged(listener: () => void): () => void;
  /**
   * Takes one more lane to the same agent: open, authenticated, and the peer's own from now on. Both sides say hello on it,
   * unless they have (`greeted`).
   * @throws ModelRtcError as `createPeer` does, `network` when the peer has ended and `busy` when it has too many.
   */
  addLane(lane: Lane, options?: { readonly greeted?: boolean }): Promise<PeerLane>;
  /** Announces that much data is about to flow, so that more lanes can open early on a long path. */
  expectBulk(): void;
  /** Whether that was announced. */
  readonly isBulkExpected: boolean;
  /** Sends a message that sets up another lane. @throws ModelRtcError `network` when the peer is gone. */
  sendExchange(message: ExchangeMessage): Promise<void>;
  /**
   * Asks the other side and resolves with its answer. Parameters and answer are checked against the method's schemas.
   *
   * @throws ModelRtcError the other side's error; `bad_argument` for invalid or too long parameters;
   * `malformed_message` for an answer that makes no sense; `busy` when too many requests are open; `timeout`; `network` when the
   * peer is gone; `cancelled`.
   */
  request<M extends Method>(method: M, params: ParamsInput<M>, options?: RequestOptions<M>): Promise<Result<M>>;
  /** Adds handlers, and replaces those of the same methods. */
  setHandlers(handlers: Handlers): void;
  /** Says bye, with the error if there is one, and ends all lanes. Open requests on both sides fail. It never rejects. */
  close(error?: ModelRtcError): Promise<void>;
  /**
   * Resolves when the peer has ended: with undefined for an orderly end by either side, else with why; with the error of the
   * other side's bye if there was one.
   */
  readonly closed: Promise<ModelRtcError | undefined>;
}
