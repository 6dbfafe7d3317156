import {
  type Clock,
  fromBase64Url,
  type Identity,
  type Log,
  ModelRtcError,
  registrationText,
  toBase64Url,
} from '@model-rtc/protocol';
import { BACKOFF_RESET_MS, CONNECT_TIMEOUT_MS } from '../limits.ts';
import type { ServerMessage } from '../messages.ts';
import { Backoff } from './backoff.ts';
import { fromServerError } from './server-errors.ts';
import type { ServerUrl } from './server-url.ts';
import { openSignalingSocket, type SignalingSocket } from './signaling-socket.ts';
import { type Visitor, VisitorLinks } from './visitor-links.ts';
import type { OpenWebSocket } from './web-socket.ts';

/** What a worker is at one server. `replaced` is final. */
export type RegistrationState = 'connecting' | 'online' | 'replaced';

export interface ServerRegistrationOptions {
  readonly url: ServerUrl;
  /** What registrations are signed for: the URL's host, or `ANY_HOST`. */
  readonly host: string;
  readonly identity: Identity;
  /** Random, one for the life of the worker: a server tells by it whether another run has the same key. */
  readonly instance: string;
  readonly clock: Clock;
  readonly openWebSocket: OpenWebSocket;
  readonly random: () => number;
  readonly log: Log;
  /** @returns false when the visitor cannot be taken. */
  readonly onVisitor: (visitor: Visitor) => boolean;
  /** Called after each change of `state`. */
  readonly onChange: () => void;
}

/** A worker's place at one server: registers there, and comes back whenever the connection is lost. */
export class ServerRegistration {
  readonly #options: ServerRegistrationOptions;
  readonly #backoff: Backoff;
  #state: RegistrationState = 'connecting';
  #error: ModelRtcError | undefined;
  #socket: SignalingSocket | undefined;
  #links: VisitorLinks | undefined;
  #onlineSinceMs = 0;
  #cancelTimer: () => void = () => {};
  #isClosed = false;

  constructor(options: ServerRegistrationOptions) {
    this.#options = options;
    this.#backoff = new Backoff(options.random);
  }

  get state(): RegistrationState {
    return this.#state;
  }

  /** Why it is not online: the last failure, until it is online again. */
  get error(): ModelRtcError | undefined {
    return this.#error;
  }

  connect(): void {
    const { url, clock, openWebSocket } = this.#options;
    let challenged = false;
    const events = {
      message: (message: ServerMessage) => {
        // One signature a connection: whatever a server asks for, it gets no second one.
        if (message.type !== 'challenge') this.#onMessage(message);
        else if (!challenged) this.#register(message.nonce);
        challenged ||= message.type === 'challenge';
      },
      end: (reason: ModelRtcError) => this.#reconnectLater(reason),
    };
    const socket = openSignalingSocket({ url, events, clock, openWebSocket });
    this.#socket = socket;
    this.#links = new VisitorLinks(url.given, (message) => socket.send(message), this.#options.onVisitor);
    this.#cancelTimer = clock.after(CONNECT_TIMEOUT_MS, () => this.#reconnectLater(this.#tooSlow()));
  }

  close(): void {
    this.#isClosed = true;
    this.#leave(undefined);
  }

  #register(nonce: string): void {
    const { identity, host, instance } = this.#options;
    const signature = identity.sign(registrationText(host, fromBase64Url(nonce)));
    // A failed send ends the socket, which is told by `end`.
    this.#socket
      ?.send({
        type: 'register',
        publicKey: toBase64Url(identity.publicKey),
        host,
        instance,
        signature: toBase64Url(signature),
      })
      .catch(() => {});
  }

  #onMessage(message: ServerMessage): void {
    if (message.type === 'registered') this.#registered();
    else if (message.type === 'replaced') this.#replaced();
    else if (message.type === 'error' && message.visitor === undefined) {
      this.#reconnectLater(fromServerError(message, this.#options.url.given));
    } else if (this.#state === 'online') this.#links?.onMessage(message);
  }

  #registered(): void {
    if (this.#state === 'online') return;
    this.#cancelTimer();
    this.#onlineSinceMs = this.#options.clock.nowMs();
    const { log, url } = this.#options;
    // The loss was said with a warning, so its end is too.
    if (this.#error !== undefined) log.warn({ url: url.given }, `The signaling server ${url.given} answers again.`);
    this.#error = undefined;
    this.#become('online');
  }

  #replaced(): void {
    this.#error = new ModelRtcError(
      'busy',
      `Another worker with the same identity key took this one's place at ${this.#options.url.given}. Stop one of them: a copied data folder must not run twice.`,
    );
    this.#leave(this.#error);
    this.#become('replaced');
  }

  /** The connection is gone or useless: tells everyone who visited over it, and waits before the next attempt. */
  #reconnectLater(reason: ModelRtcError): void {
    if (this.#isClosed || this.#state === 'replaced') return;
    const { clock, log, url } = this.#options;
    this.#leave(reason);
    this.#reportProblem(reason);
    const wasOnline = this.#state === 'online';
    if (wasOnline && clock.nowMs() - this.#onlineSinceMs >= BACKOFF_RESET_MS) this.#backoff.reset();
    const delayMs = this.#backoff.nextMs();
    log.debug({ url: url.given, delayMs: Math.round(delayMs) }, 'signaling server: next attempt is set');
    this.#cancelTimer = clock.after(delayMs, () => this.connect());
    this.#become('connecting');
  }

  /** Once for each new problem, not for each of many attempts that meet the same one. */
  #reportProblem(reason: ModelRtcError): void {
    const { log, url } = this.#options;
    if (this.#error?.message !== reason.message) log.warn({ url: url.given, code: reason.code }, reason.message);
    this.#error = reason;
  }

  #leave(reason: ModelRtcError | undefined): void {
    this.#cancelTimer();
    this.#links?.endAll(reason);
    this.#socket?.close();
  }

  #become(state: RegistrationState): void {
    const { log, url, onChange } = this.#options;
    if (state !== this.#state) log.info({ url: url.given, state }, `signaling server: ${state}`);
    this.#state = state;
    onChange();
  }

  #tooSlow(): ModelRtcError {
    return new ModelRtcError('timeout', `The signaling server ${this.#options.url.given} did not answer in time.`);
  }
}
