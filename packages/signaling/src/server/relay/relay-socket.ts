import type { RawData, WebSocket } from 'ws';
import { RELAY_FRAME_OVERHEAD_BYTES } from '../../limits.ts';
import { ServerSocket } from '../server-socket.ts';

/** Why the relay ends a connection: the reason of the close frame. */
export type RelayEnd = 'peer_gone' | 'timeout' | 'malformed';

/** RFC 6455 section 7.4.1. */
const CLOSE_CODES: Readonly<Record<RelayEnd, number>> = { peer_gone: 1000, timeout: 1008, malformed: 1008 };

/** What the relay says itself is text, since all that it passes on is binary. */
const JOINED = 'joined';

export interface RelaySocketEvents {
  /** A frame for the other side. */
  frame(data: Buffer): void;
  /** Enough of what was passed to this side is on the network: the other may be read again. */
  room(): void;
  /** Something came that the relay does not take. */
  violation(): void;
  /** Once, however the connection ended. */
  closed(): void;
}

export interface RelaySocketOptions {
  readonly socket: WebSocket;
  readonly maxBufferedBytes: number;
  readonly staleMs: number;
  readonly events: RelaySocketEvents;
  readonly nowMs: () => number;
}

/** One side of a meeting. It counts what it holds for its reader, and is not read for as long as the other's reader is behind. */
export class RelaySocket {
  readonly #options: RelaySocketOptions;
  readonly #socket: ServerSocket;
  #unsentCost = 0;
  #wroteMs: number;

  constructor(options: RelaySocketOptions) {
    this.#options = options;
    const { socket, nowMs, events } = options;
    this.#socket = new ServerSocket({ socket, nowMs, onClosed: () => events.closed() });
    this.#wroteMs = nowMs();
  }

  /** Begins to listen. */
  open(): void {
    const { socket } = this.#options;
    socket.on('message', (data, isBinary) => this.#onMessage(data, isBinary));
    socket.on('ping', (data) => this.#onPing(data));
  }

  get isFull(): boolean {
    return this.#unsentCost > this.#options.maxBufferedBytes;
  }

  sayJoined(): void {
    this.#socket.send(JOINED);
  }

  /** Passes a frame of the other side on. */
  pass(data: Buffer): void {
    if (!this.#socket.isEnded) this.#socket.send(data, this.#countUnsent(data.length));
  }

  /** Stops reading until the other side has room. */
  holdForReader(): void {
    this.#socket.hold('reader');
  }

  /** Stops reading for a time. */
  holdForRate(delayMs: number): void {
    this.#socket.hold('rate', delayMs);
  }

  readOn(): void {
    this.#socket.release('reader');
  }

  /** Says goodbye; what was passed before still goes out, but nothing more comes in. */
  end(reason: RelayEnd): void {
    this.#socket.end(CLOSE_CODES[reason], reason);
  }

  /** Says that the server goes, and lets the caller decide how long to wait for the answer. */
  shutDown(): void {
    this.#socket.shutDown();
  }

  /**
   * Pings, or gives up on a dead one. A side that is not read cannot be heard, and a ping may be far behind what waits
   * for a slow reader: then that its network takes more and more shows that it lives.
   */
  heartbeat(): void {
    const { staleMs, nowMs } = this.#options;
    const isStuck = this.#unsentCost > 0 && nowMs() - this.#wroteMs >= staleMs;
    const isSilent = this.#unsentCost === 0 && !this.#socket.isHeld && this.#socket.silentMs >= staleMs;
    if (isStuck || isSilent) this.#socket.terminate();
    else this.#socket.ping();
  }

  #onMessage(data: RawData, isBinary: boolean): void {
    this.#socket.heard();
    if (this.#socket.isEnded) return;
    // The socket's binaryType is that of `ws`: each frame comes as one Buffer.
    if (isBinary) this.#options.events.frame(data as Buffer);
    else this.#options.events.violation();
  }

  /** Answers by hand, since answers to one that sends pings and reads nothing would pile up. */
  #onPing(data: Buffer): void {
    this.#socket.heard();
    if (!this.#socket.isEnded && !this.isFull) this.#options.socket.pong(data, false, this.#countUnsent(data.length));
  }

  /** @returns what to call when the bytes are on the network. */
  #countUnsent(bytes: number): () => void {
    const { maxBufferedBytes, events, nowMs } = this.#options;
    const cost = bytes + RELAY_FRAME_OVERHEAD_BYTES;
    if (this.#unsentCost === 0) this.#wroteMs = nowMs();
    this.#unsentCost += cost;
    return () => {
      this.#unsentCost -= cost;
      this.#wroteMs = nowMs();
      if (this.#unsentCost <= maxBufferedBytes / 2) events.room();
    };
  }
}
