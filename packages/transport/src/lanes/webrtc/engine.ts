import type { SessionDescription } from './description.ts';

/** Those that can be chosen on Node. */
export type EngineName = 'native' | 'werift';

/** A STUN or TURN server, as W3C's RTCIceServer writes it. */
export interface IceServer {
  readonly urls: string | readonly string[];
  readonly username?: string | undefined;
  readonly credential?: string | undefined;
}

export interface LocalCandidate {
  readonly candidate: string;
  readonly mid: string;
}

/** What a connection tells its owner. None is called before `connect` returned, nor after `close`. */
export interface ConnectionEvents {
  /** A way to reach this side, to be told to the other. */
  onCandidate(candidate: LocalCandidate): void;
  /**
   * The channel says that it is open. It may be wrong: only a message that arrives proves it.
   * @param maxMessageSize the longest message that can be sent, in bytes, where the engine learns it only now
   */
  onOpen(maxMessageSize?: number): void;
  /** Bytes are the receiver's own from then on. */
  onMessage(message: Uint8Array | string): void;
  /** The buffered amount fell below half of the high-water mark. A hint: it may be missing. */
  onRoom(): void;
  /** The channel or the connection is over, for whatever reason. Called once at most. */
  onLost(cause: unknown): void;
}

/**
 * One PeerConnection with the one data channel of a lane: reliable, ordered, agreed beforehand as stream 0 by both
 * sides (`negotiated`), so that none has to announce it.
 */
export interface EngineConnection {
  /** Begins as the side that offers. @returns its SDP */
  createOffer(): Promise<string>;
  /** Begins as the side that answers. @returns its SDP */
  acceptOffer(offer: SessionDescription): Promise<string>;
  acceptAnswer(answer: SessionDescription): Promise<void>;
  /** @param candidate checked, as `usableCandidate` gives it. The descriptions must have been accepted before. */
  addCandidate(candidate: string): Promise<void>;
  /** Takes one message; the buffer may be reused afterwards. @throws when the channel cannot take it */
  send(message: Uint8Array | string): void;
  /** Bytes taken by `send` and not yet given to the network. */
  bufferedAmount(): number;
  /** Ends it at once; what is buffered may be lost. Never throws. */
  close(): void;
}

export interface ConnectOptions {
  readonly iceServers: readonly IceServer[];
  readonly events: ConnectionEvents;
  /** The largest IP packets to send, in bytes; the engine's own size, which every path carries, when left out. */
  readonly mtu?: number | undefined;
}

/** A WebRTC implementation, loaded. */
export interface WebRtcEngine {
  readonly name: EngineName | 'browser';
  /** The largest message that it takes, in bytes; it says so in its SDP. */
  readonly maxMessageSize: number;
  /** Buffered bytes at which sending more makes it no faster. */
  readonly highWaterMark: number;
  /** How long it leaves the checks to the answerer when it offers, so that the answerer is ready for its first DTLS packet. */
  readonly answererHeadStartMs: number;
  /** The largest IP packets that it can be told to send, in bytes; undefined where it knows one size only. */
  readonly maxMtu?: number | undefined;
  connect(options: ConnectOptions): EngineConnection;
}
