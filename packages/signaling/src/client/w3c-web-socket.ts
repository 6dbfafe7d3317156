import { W3C_SENT_POLL_MS } from '../limits.ts';
import type { ClientWebSocket, OpenWebSocket, WebSocketOptions } from './web-socket.ts';

/** What is used of the W3C's WebSocket (https://websockets.spec.whatwg.org). */
export interface W3cWebSocket {
  binaryType: string;
  readonly readyState: number;
  readonly bufferedAmount: number;
  onopen: ((event: never) => unknown) | null;
  onmessage: ((event: { readonly data: unknown } & never) => unknown) | null;
  onerror: ((event: never) => unknown) | null;
  onclose: ((event: { readonly code: number; readonly reason: string } & never) => unknown) | null;
  send(data: string | Uint8Array<ArrayBuffer>): void;
  close(code?: number, reason?: string): void;
}

export type W3cWebSocketConstructor = new (url: string) => W3cWebSocket;

/** RFC 6455, section 7.4.1: a message is too big. */
const TOO_BIG = 1009;
const OPEN = 1;

/**
 * Opens WebSockets with a browser's own class. That knows no bound for a frame, so each is measured when it came; tells no
 * HTTP status; and says of sent data only how much still waits, so that is looked at until it is gone.
 *
 * @param WebSocketClass `globalThis.WebSocket` of a browser, or one of the same shape
 */
export function w3cWebSocket(WebSocketClass: W3cWebSocketConstructor): OpenWebSocket {
  return (options) => {
    try {
      return new W3cClientWebSocket(new WebSocketClass(options.url), options);
    } catch (error) {
      // A page that came over https: may not dial ws:, which the constructor says by throwing.
      queueMicrotask(() => options.events.failed(error as Error));
      return UNUSABLE;
    }
  };
}

const UNUSABLE: ClientWebSocket = {
  isOpen: false,
  unsentBytes: 0,
  send: (_data, sent) => sent(noReason()),
  pause() {},
  resume() {},
  close() {},
  terminate() {},
};

class W3cClientWebSocket implements ClientWebSocket {
  readonly #socket: W3cWebSocket;
  readonly #options: WebSocketOptions;
  readonly #unsent: { readonly upToBytes: number; sent(error?: Error): void }[] = [];
  #givenBytes = 0;
  #poll: ReturnType<typeof setTimeout> | undefined;
  #isTerminated = false;

  constructor(socket: W3cWebSocket, options: WebSocketOptions) {
    this.#socket = socket;
    this.#options = options;
    const { events } = options;
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => events.open?.();
    socket.onmessage = ({ data }: { readonly data: unknown }) => this.#onMessage(data);
    socket.onerror = () => events.failed(noReason());
    socket.onclose = ({ code, reason }: { readonly code: number; readonly reason: string }) => {
      this.#failUnsent();
      if (!this.#isTerminated) events.closed(code, reason);
    };
  }

  get isOpen(): boolean {
    return this.#socket.readyState === OPEN;
  }

  get unsentBytes(): number {
    return this.#socket.bufferedAmount;
  }

  send(data: string | Uint8Array, sent: (error?: Error) => void): void {
    const before = this.unsentBytes;
    this.#socket.send(data as string | Uint8Array<ArrayBuffer>);
    this.#givenBytes += this.unsentBytes - before;
    this.#unsent.push({ upToBytes: this.#givenBytes, sent });
    this.#poll ??= setTimeout(() => this.#lookWhatIsSent(), 0);
  }

  pause(): void {}

  resume(): void {}

  close(): void {
    this.#socket.close(1000);
  }

  terminate(): void {
    this.#isTerminated = true;
    this.#failUnsent();
    this.#socket.close();
  }

  #onMessage(data: unknown): void {
    if (this.#isTerminated) return;
    const { events, maxFrameBytes } = this.#options;
    const length = typeof data === 'string' ? data.length : (data as ArrayBuffer).byteLength;
    if (length > maxFrameBytes) {
      this.terminate();
      events.closed(TOO_BIG, 'a frame is too long');
    } else if (typeof data === 'string') events.text(data);
    else events.binary(new Uint8Array(data as ArrayBuffer));
  }

  #lookWhatIsSent(): void {
    const sentBytes = this.#givenBytes - this.unsentBytes;
    while (this.#unsent[0] !== undefined && this.#unsent[0].upToBytes <= sentBytes) this.#unsent.shift()?.sent();
    this.#poll = this.#unsent.length === 0 ? undefined : setTimeout(() => this.#lookWhatIsSent(), W3C_SENT_POLL_MS);
  }

  #failUnsent(): void {
    clearTimeout(this.#poll);
    for (const { sent } of this.#unsent.splice(0)) sent(noReason());
  }
}

/** A browser hides from a page why a connection failed. */
function noReason(): Error {
  return Object.assign(new Error('The connection failed.'), { code: 'the browser gives no reason' });
}
