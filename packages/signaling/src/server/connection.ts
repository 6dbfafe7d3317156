import type { RawData, WebSocket } from 'ws';
import { MAX_FRAME_BYTES, type SignalingLimits, WORKER_RATE_FACTOR } from '../limits.ts';
import { type ClientMessage, parseClientMessage, type ServerErrorCode, type ServerMessage } from '../messages.ts';
import type { EndReason } from './effects.ts';
import { ServerSocket } from './server-socket.ts';
import { TokenBucket } from './token-bucket.ts';

export interface ConnectionEvents {
  message(message: ClientMessage): void;
  /** The other side broke a rule; the owner tells it and ends the connection. */
  violation(code: ServerErrorCode, problem: string): void;
  /** Once, however the connection ended. */
  closed(): void;
}

export interface ConnectionOptions {
  readonly socket: WebSocket;
  readonly limits: SignalingLimits;
  readonly events: ConnectionEvents;
  readonly nowMs: () => number;
}

/** RFC 6455 section 7.4.1: what the close frame says. The error message before it has the details. */
const CLOSE_CODES: Readonly<Record<EndReason, number>> = {
  done: 1000,
  replaced: 1000,
  worker_offline: 1000,
  peer_gone: 1000,
  too_large: 1009,
  too_many: 1013,
  malformed: 1008,
  refused: 1008,
  wrong_host: 1008,
  timeout: 1008,
};

/** One WebSocket of the server: parses and meters what comes in, and knows how far behind its receiver is. */
export class Connection {
  readonly #options: ConnectionOptions;
  #messages: TokenBucket;
  #bytes: TokenBucket;
  readonly #socket: ServerSocket;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    const { socket, nowMs, events } = options;
    this.#socket = new ServerSocket({ socket, nowMs, onClosed: () => events.closed() });
    [this.#messages, this.#bytes] = this.#buckets(1);
  }

  /** Begins to listen. */
  open(): void {
    const { socket } = this.#options;
    socket.on('message', (data, isBinary) => this.#onFrame(data, isBinary));
    socket.on('ping', () => this.#socket.heard());
  }

  /** Bytes that were given to `send` and are not on the network yet. */
  get bufferedBytes(): number {
    return this.#options.socket.bufferedAmount;
  }

  /** A worker answers many visitors, so it may send more than one of them. */
  raiseRates(): void {
    [this.#messages, this.#bytes] = this.#buckets(WORKER_RATE_FACTOR);
  }

  send(message: ServerMessage): void {
    this.#socket.send(JSON.stringify(message));
  }

  /** Says goodbye; what was sent before still goes out, but nothing more comes in. */
  end(reason: EndReason): void {
    this.#socket.end(CLOSE_CODES[reason], reason);
  }

  /** Says that the server goes, and lets the caller decide how long to wait for the answer. */
  shutDown(): void {
    this.#socket.shutDown();
  }

  terminate(): void {
    this.#socket.terminate();
  }

  /** Pings, or gives up on a socket that has been silent for too long: half-open TCP connections never say so. */
  heartbeat(): void {
    if (this.#socket.isHeld) return;
    if (this.#socket.silentMs >= this.#options.limits.staleMs) this.terminate();
    else this.#socket.ping();
  }

  #onFrame(data: RawData, isBinary: boolean): void {
    if (this.#socket.isEnded) return;
    this.#socket.heard();
    const size = sizeOf(data);
    if (this.#meter(size)) this.#read(data, size, isBinary);
  }

  #read(data: RawData, size: number, isBinary: boolean): void {
    const { events } = this.#options;
    if (isBinary) events.violation('malformed', 'Binary frames are not supported here.');
    else if (size > MAX_FRAME_BYTES)
      events.violation('too_large', `A message may have at most ${MAX_FRAME_BYTES} bytes.`);
    else this.#readText(data.toString());
  }

  #readText(text: string): void {
    const { events } = this.#options;
    const parsed = parseClientMessage(text);
    if ('message' in parsed) events.message(parsed.message);
    else events.violation('malformed', `This message cannot be understood: ${parsed.problem}.`);
  }

  /** Slows a fast sender down by not reading from it; ends one that sent far more than that can hold back. */
  #meter(size: number): boolean {
    const { limits, nowMs, events } = this.#options;
    const now = nowMs();
    const waitMs = Math.max(this.#messages.take(1, now), this.#bytes.take(size, now));
    if (waitMs > limits.burstSeconds * 1000) {
      events.violation('too_many', 'You are sending more than this server accepts; send less, or more slowly.');
      return false;
    }
    if (waitMs > 0) this.#socket.hold('rate', waitMs);
    return true;
  }

  #buckets(factor: number): [TokenBucket, TokenBucket] {
    const { messagesPerSecond, bytesPerSecond, burstSeconds } = this.#options.limits;
    const now = this.#options.nowMs();
    const bucket = (rate: number) => new TokenBucket(rate * factor, rate * factor * burstSeconds, now);
    return [bucket(messagesPerSecond), bucket(bytesPerSecond)];
  }
}

function sizeOf(data: RawData): number {
  return Array.isArray(data) ? data.reduce((sum, part) => sum + part.length, 0) : data.byteLength;
}
