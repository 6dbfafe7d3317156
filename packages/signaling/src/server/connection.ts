import type { RawData, WebSocket } from 'ws';
import { CLOSE_GRACE_MS, MAX_FRAME_BYTES, type SignalingLimits, WORKER_RATE_FACTOR } from '../limits.ts';
import { type ClientMessage, parseClientMessage, type ServerErrorCode, type ServerMessage } from '../messages.ts';
import type { EndReason } from './effects.ts';
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

/** RFC 6455 section 7.4.1: what the close frame says. The words are in the error message before it. */
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
  #heardMs: number;
  #resumeTimer: NodeJS.Timeout | undefined;
  #ended = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#heardMs = options.nowMs();
    [this.#messages, this.#bytes] = this.#buckets(1);
  }

  /** Begins to listen. */
  open(): void {
    const { socket, events } = this.#options;
    socket.on('message', (data, isBinary) => this.#onFrame(data, isBinary));
    socket.on('pong', () => this.#heard());
    socket.on('ping', () => this.#heard());
    // An error is always followed by 'close'; without a listener it would end the process.
    socket.on('error', () => this.#endSoon());
    socket.on('close', () => {
      this.#ended = true;
      clearTimeout(this.#resumeTimer);
      events.closed();
    });
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
    if (!this.#ended) this.#options.socket.send(JSON.stringify(message), ignoreSendError);
  }

  /** Says goodbye; what was sent before still goes out, but nothing more comes in. */
  end(reason: EndReason): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#options.socket.close(CLOSE_CODES[reason], reason);
    this.#endSoon();
  }

  /** Says that the server goes, and lets the caller decide how long to wait for the answer. */
  shutDown(): void {
    this.#ended = true;
    this.#options.socket.close(1001, 'the server is closing');
  }

  terminate(): void {
    this.#ended = true;
    this.#options.socket.terminate();
  }

  /** Pings, or gives up on a socket that has been silent for too long: half-open TCP connections never say so. */
  heartbeat(): void {
    const { socket, limits, nowMs } = this.#options;
    if (this.#resumeTimer !== undefined) return;
    if (nowMs() - this.#heardMs >= limits.staleMs) this.terminate();
    else if (!this.#ended) socket.ping(ignoreSendError);
  }

  #onFrame(data: RawData, isBinary: boolean): void {
    if (this.#ended) return;
    this.#heard();
    const size = sizeOf(data);
    if (this.#meter(size)) this.#read(data, size, isBinary);
  }

  #read(data: RawData, size: number, isBinary: boolean): void {
    const { events } = this.#options;
    if (isBinary) events.violation('malformed', 'Binary frames have no meaning here yet.');
    else if (size > MAX_FRAME_BYTES) events.violation('too_large', `A message may have ${MAX_FRAME_BYTES} bytes.`);
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
      events.violation('too_many', 'You send more than this server takes; send less, or slower.');
      return false;
    }
    if (waitMs > 0) this.#pause(waitMs);
    return true;
  }

  #pause(waitMs: number): void {
    const { socket } = this.#options;
    clearTimeout(this.#resumeTimer);
    socket.pause();
    this.#resumeTimer = setTimeout(() => {
      this.#resumeTimer = undefined;
      // The silence was ours.
      this.#heard();
      socket.resume();
    }, waitMs);
  }

  #heard(): void {
    this.#heardMs = this.#options.nowMs();
  }

  /** A peer that does not answer the close frame must not keep the socket. */
  #endSoon(): void {
    const { socket } = this.#options;
    // A paused socket would never see the answer.
    clearTimeout(this.#resumeTimer);
    this.#resumeTimer = undefined;
    socket.resume();
    const timer = setTimeout(() => socket.terminate(), CLOSE_GRACE_MS);
    socket.once('close', () => clearTimeout(timer));
  }

  #buckets(factor: number): [TokenBucket, TokenBucket] {
    const { messagesPerSecond, bytesPerSecond, burstSeconds } = this.#options.limits;
    const now = this.#options.nowMs();
    const bucket = (rate: number) => new TokenBucket(rate * factor, rate * factor * burstSeconds, now);
    return [bucket(messagesPerSecond), bucket(bytesPerSecond)];
  }
}

/** The socket's own 'close' event tells; a failed send needs no second word. */
function ignoreSendError(): void {}

function sizeOf(data: RawData): number {
  return Array.isArray(data) ? data.reduce((sum, part) => sum + part.length, 0) : data.byteLength;
}
