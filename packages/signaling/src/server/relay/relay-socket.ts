import type { RawData, WebSocket } from 'ws';
import { CLOSE_GRACE_MS, RELAY_FRAME_OVERHEAD_BYTES } from '../../limits.ts';

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
  readonly #holds = new Set<'reader' | 'rate'>();
  #rateTimer: NodeJS.Timeout | undefined;
  #unsentCost = 0;
  #heardMs: number;
  #wroteMs: number;
  #ended = false;

  constructor(options: RelaySocketOptions) {
    this.#options = options;
    this.#heardMs = options.nowMs();
    this.#wroteMs = options.nowMs();
  }

  /** Begins to listen. */
  open(): void {
    const { socket, events } = this.#options;
    socket.on('message', (data, isBinary) => this.#onMessage(data, isBinary));
    socket.on('pong', () => this.#heard());
    socket.on('ping', (data) => this.#onPing(data));
    // An error is always followed by 'close'; without a listener it would end the process.
    socket.on('error', () => this.#endSoon());
    socket.on('close', () => {
      this.#ended = true;
      clearTimeout(this.#rateTimer);
      events.closed();
    });
  }

  get isFull(): boolean {
    return this.#unsentCost > this.#options.maxBufferedBytes;
  }

  sayJoined(): void {
    if (!this.#ended) this.#options.socket.send(JOINED, ignoreSendError);
  }

  /** Passes a frame of the other side on. */
  pass(data: Buffer): void {
    if (!this.#ended) this.#options.socket.send(data, this.#countUnsent(data.length));
  }

  /** Reads no more until the other side has room. */
  holdForReader(): void {
    this.#hold('reader');
  }

  /** Reads no more for a time. */
  holdForRate(delayMs: number): void {
    this.#hold('rate');
    clearTimeout(this.#rateTimer);
    this.#rateTimer = setTimeout(() => this.#release('rate'), delayMs);
  }

  readOn(): void {
    this.#release('reader');
  }

  /** Says goodbye; what was passed before still goes out, but nothing more comes in. */
  end(reason: RelayEnd): void {
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

  /**
   * Pings, or gives up on a dead one. A side that is not read cannot be heard, and a ping may be far behind what waits
   * for a slow reader: then that its network takes more and more shows that it lives.
   */
  heartbeat(): void {
    const { socket, staleMs, nowMs } = this.#options;
    const now = nowMs();
    const isStuck = this.#unsentCost > 0 && now - this.#wroteMs >= staleMs;
    const isSilent = this.#unsentCost === 0 && this.#holds.size === 0 && now - this.#heardMs >= staleMs;
    if (isStuck || isSilent) socket.terminate();
    else if (!this.#ended) socket.ping(ignoreSendError);
  }

  #onMessage(data: RawData, isBinary: boolean): void {
    this.#heard();
    if (this.#ended) return;
    // The socket's binaryType is that of `ws`: each frame comes as one Buffer.
    if (isBinary) this.#options.events.frame(data as Buffer);
    else this.#options.events.violation();
  }

  /** Answers by hand, since answers to one that sends pings and reads nothing would pile up. */
  #onPing(data: Buffer): void {
    this.#heard();
    if (!this.#ended && !this.isFull) this.#options.socket.pong(data, false, this.#countUnsent(data.length));
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

  #hold(why: 'reader' | 'rate'): void {
    if (this.#ended) return;
    this.#holds.add(why);
    this.#options.socket.pause();
  }

  #release(why: 'reader' | 'rate'): void {
    if (!this.#holds.delete(why) || this.#holds.size > 0) return;
    // The silence was ours.
    this.#heard();
    this.#options.socket.resume();
  }

  #heard(): void {
    this.#heardMs = this.#options.nowMs();
  }

  /** A peer that does not answer the close frame must not keep the socket. */
  #endSoon(): void {
    const { socket } = this.#options;
    // A paused socket would never see the answer.
    clearTimeout(this.#rateTimer);
    this.#holds.clear();
    socket.resume();
    const timer = setTimeout(() => socket.terminate(), CLOSE_GRACE_MS);
    socket.once('close', () => clearTimeout(timer));
  }
}

/** The socket's own 'close' event tells; a failed send needs no second word. */
function ignoreSendError(): void {}
