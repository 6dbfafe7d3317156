import type { Clock, ModelRtcError } from '@model-rtc/protocol';
import type { ServerMessage } from '../messages.ts';
import { createLink, type DrivenLink, type Link } from './link.ts';
import { fromServerError, goneError } from './server-errors.ts';
import type { ServerUrl } from './server-url.ts';
import { openSignalingSocket, type SignalingSocket } from './signaling-socket.ts';
import type { OpenWebSocket } from './web-socket.ts';

/** How far the visit at one server is. */
export type AttemptState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'open' }
  | { readonly kind: 'asked' }
  | { readonly kind: 'visiting'; readonly link: Link }
  /** The server answered: the worker is not there. */
  | { readonly kind: 'offline' }
  | { readonly kind: 'failed'; readonly error: ModelRtcError };

export interface AttemptOptions {
  readonly url: ServerUrl;
  readonly room: string;
  readonly clock: Clock;
  readonly openWebSocket: OpenWebSocket;
  /** Called after each change of `state`. */
  readonly onChange: (attempt: VisitAttempt) => void;
}

/** One visit at one server, from dialling to the end of the link. */
export class VisitAttempt {
  readonly url: ServerUrl;
  readonly #options: AttemptOptions;
  #state: AttemptState = { kind: 'connecting' };
  #socket: SignalingSocket | undefined;
  #driven: DrivenLink | undefined;

  constructor(options: AttemptOptions) {
    this.#options = options;
    this.url = options.url;
  }

  get state(): AttemptState {
    return this.#state;
  }

  get isOver(): boolean {
    return this.#state.kind === 'offline' || this.#state.kind === 'failed';
  }

  start(): void {
    const events = {
      open: () => this.#become({ kind: 'open' }),
      message: (message: ServerMessage) => this.#onMessage(message),
      end: (reason: ModelRtcError) => this.#onEnd(reason),
    };
    const { clock, openWebSocket } = this.#options;
    this.#socket = openSignalingSocket({ url: this.url, events, clock, openWebSocket });
  }

  /** Asks the server, which must be open, for the room. */
  ask(): void {
    this.#become({ kind: 'asked' });
    // A failed send ends the socket, which is told by `end`.
    this.#socket?.send({ type: 'visit', room: this.#options.room }).catch(() => {});
  }

  cancel(): void {
    this.#socket?.close();
    this.#driven?.end(undefined);
  }

  #onMessage(message: ServerMessage): void {
    if (message.type === 'visiting') this.#onVisiting();
    else if (message.type === 'from') this.#driven?.deliver(message.payload);
    else if (message.type === 'gone') this.#onEnd(goneError('worker', message.reason));
    else if (message.type === 'error') this.#onError(message);
  }

  #onVisiting(): void {
    if (this.#state.kind !== 'asked') return;
    this.#driven = createLink({
      serverUrl: this.url.given,
      send: async (payload) => this.#socket?.send({ type: 'send', payload }),
      close: () => this.#socket?.close(),
    });
    this.#become({ kind: 'visiting', link: this.#driven.link });
  }

  #onError(message: Extract<ServerMessage, { type: 'error' }>): void {
    const isOffline = message.code === 'worker_offline' && this.#state.kind === 'asked';
    if (isOffline) this.#onOffline();
    else this.#onEnd(fromServerError(message, this.url.given));
  }

  #onOffline(): void {
    this.#socket?.close();
    this.#become({ kind: 'offline' });
  }

  #onEnd(error: ModelRtcError): void {
    this.#socket?.close();
    if (this.#driven !== undefined) this.#driven.end(error);
    else if (!this.isOver) this.#become({ kind: 'failed', error });
  }

  #become(state: AttemptState): void {
    this.#state = state;
    this.#options.onChange(this);
  }
}
