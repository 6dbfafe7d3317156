import type { WebSocket } from 'ws';
import { CLOSE_GRACE_MS } from '../limits.ts';

export interface ServerSocketOptions {
  readonly socket: WebSocket;
  readonly nowMs: () => number;
  /** Called once, however the connection ended. */
  readonly onClosed: () => void;
}

/** One WebSocket of the server: when it was last heard, why it is not read now, and how it ends. */
export class ServerSocket {
  readonly #socket: WebSocket;
  readonly #nowMs: () => number;
  /** Why it is not read, each reason with the timer that ends it, where a timer does. */
  readonly #holds = new Map<'reader' | 'rate', NodeJS.Timeout | undefined>();
  #heardMs: number;
  #isEnded = false;

  constructor({ socket, nowMs, onClosed }: ServerSocketOptions) {
    this.#socket = socket;
    this.#nowMs = nowMs;
    this.#heardMs = nowMs();
    socket.on('pong', () => this.heard());
    // An error is always followed by 'close'; without a listener it would end the process.
    socket.on('error', () => this.#endSoon());
    socket.on('close', () => {
      this.#isEnded = true;
      this.#clearHolds();
      onClosed();
    });
  }

  /** It was told goodbye, or is gone: nothing more comes in. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  get isHeld(): boolean {
    return this.#holds.size > 0;
  }

  get silentMs(): number {
    return this.#nowMs() - this.#heardMs;
  }

  heard(): void {
    this.#heardMs = this.#nowMs();
  }

  send(data: string | Buffer, sent: () => void = ignoreSendError): void {
    if (!this.#isEnded) this.#socket.send(data, sent);
  }

  ping(): void {
    if (!this.#isEnded) this.#socket.ping(ignoreSendError);
  }

  /** Reads nothing more until `release`, or for a time. */
  hold(why: 'reader' | 'rate', forMs?: number): void {
    if (this.#isEnded) return;
    clearTimeout(this.#holds.get(why));
    this.#holds.set(why, forMs === undefined ? undefined : setTimeout(() => this.release(why), forMs));
    this.#socket.pause();
  }

  release(why: 'reader' | 'rate'): void {
    if (!this.#holds.delete(why) || this.isHeld) return;
    // It was silent because this side did not read.
    this.heard();
    this.#socket.resume();
  }

  /** Says goodbye; what was sent before still goes out. */
  end(code: number, reason: string): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#socket.close(code, reason);
    this.#endSoon();
  }

  /** Says that the server goes, and lets the caller decide how long to wait for the answer. */
  shutDown(): void {
    this.#isEnded = true;
    this.#socket.close(1001, 'the server is closing');
  }

  terminate(): void {
    this.#isEnded = true;
    this.#socket.terminate();
  }

  /** A peer that does not answer the close frame must not keep the socket. */
  #endSoon(): void {
    this.#clearHolds();
    // A paused socket would never see the answer.
    this.#socket.resume();
    const timer = setTimeout(() => this.#socket.terminate(), CLOSE_GRACE_MS);
    this.#socket.once('close', () => clearTimeout(timer));
  }

  #clearHolds(): void {
    for (const timer of this.#holds.values()) clearTimeout(timer);
    this.#holds.clear();
  }
}

/** The socket's own 'close' event reports a failed send. */
function ignoreSendError(): void {}
