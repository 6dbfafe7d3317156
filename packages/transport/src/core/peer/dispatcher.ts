import {
  isMethod,
  type Log,
  longManifest,
  MAX_OPEN_REQUESTS,
  METHODS,
  type Message,
  type Method,
  ModelRtcError,
  prepareManifest,
  scopeMissingError,
} from '@model-rtc/protocol';
import { checkedParams } from './errors.ts';
import { type AnyHandler, IncomingRequest } from './incoming-request.ts';
import type { LaneLink } from './lane-link.ts';
import { MAX_LATE_ORIGINALS, MAX_REMEMBERED_ANSWERS } from './limits.ts';
import type { Authority, Handlers, Peer, PeerLane } from './peer.ts';
import { toWireError } from './wire-error.ts';

export interface DispatcherOptions {
  readonly peer: Peer;
  readonly authority: Authority;
  readonly handlers: Handlers;
  /** The best lane, for messages that may take any. @throws ModelRtcError when there is none. */
  readonly best: () => LaneLink;
  readonly laneOf: (link: LaneLink) => PeerLane;
  readonly log: Log;
}

type RequestMessage = Extract<Message, { type: 'request' }>;
/** A request that is too long for this asker to be decoded. */
export interface LongRequest {
  readonly id: number;
  readonly method: string;
  readonly totalBytes: number;
  /** Whether there is memory for it now. */
  readonly fits: boolean;
}

type Answer = Extract<Message, { type: 'reply' | 'error' }>;

/** Runs the other side's requests, as far as its authority goes. Each request gets one answer. */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #running = new Map<number, IncomingRequest>();
  /** The lane that each running request last came over: the other side may notice a lost lane first. */
  readonly #askedOver = new Map<number, LaneLink>();
  /** Answers to actions, oldest first, in case an answer was lost with its lane. */
  readonly #answered = new Map<number, Answer>();
  /** Requests whose repetition came first: the late original is ignored. */
  readonly #lateOriginals = new Set<number>();
  #handlers: Handlers;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#handlers = options.handlers;
  }

  setHandlers(handlers: Handlers): void {
    this.#handlers = { ...this.#handlers, ...handlers };
  }

  /** @throws ModelRtcError `malformed_message` for the id of an open request: their answers could not be told apart. */
  onRequest(message: RequestMessage, link: LaneLink): void {
    const isAgain = message.again === true;
    if (!isAgain && this.#lateOriginals.delete(message.id)) return;
    const answer = isAgain ? this.#answered.get(message.id) : undefined;
    if (answer !== undefined) {
      void this.#give(answer, () => link);
      return;
    }
    if (this.#running.has(message.id)) {
      if (isAgain) {
        this.#askedOver.set(message.id, link);
        return;
      }
      throw new ModelRtcError('malformed_message', `two open requests have the number ${message.id}`);
    }
    this.#answered.delete(message.id);
    if (isAgain) this.#expectOriginal(message.id);
    void this.#answer(message, link);
  }

  #expectOriginal(id: number): void {
    this.#lateOriginals.add(id);
    const [oldest] = this.#lateOriginals;
    if (oldest !== undefined && this.#lateOriginals.size > MAX_LATE_ORIGINALS) this.#lateOriginals.delete(oldest);
  }

  /**
   * Whether to accept a long request, before its parameters are read. One that is not allowed is answered with an error at
   * once, and the rest of it is ignored.
   */
  admitLong(request: LongRequest, link: LaneLink): boolean {
    const { id, method, totalBytes, fits } = request;
    // It is being answered already, so it comes again over another lane: what it says is known.
    if (this.#running.get(id)?.method === method) {
      this.#askedOver.set(id, link);
      return false;
    }
    try {
      const known = knownMethod(method);
      this.#checkAuthority(known);
      this.#handlerOf(known);
      if (totalBytes > METHODS[known].maxRequestBytes) throw tooLongError(known, totalBytes);
      if (!fits) throw tooMuchError();
      return true;
    } catch (error) {
      void this.#answerError({ id, method }, error, link);
      return false;
    }
  }

  /** A request that is not running was answered a moment ago. */
  onCancel(id: number): void {
    this.#running.get(id)?.withdraw();
  }

  /** Frames go back on the lane of their request, so requests for chunks that came over this one are void. */
  onLaneLost(link: LaneLink, why: ModelRtcError): void {
    for (const request of this.#running.values()) {
      if (METHODS[request.method].kind === 'stream' && request.link === link) request.cancel(why);
    }
  }

  /** The peer is gone: cancels all handlers. */
  end(error: ModelRtcError): void {
    for (const request of this.#running.values()) request.cancel(error);
  }

  async #answer(message: RequestMessage, link: LaneLink): Promise<void> {
    const { id, method } = message;
    this.#askedOver.set(id, link);
    try {
      const result = await this.#run(message, link);
      const answer: Answer = { type: 'reply', id, result };
      this.#remember(method, answer);
      await this.#send(answer, this.#route(id, link));
    } catch (error) {
      await this.#answerError(message, error, link);
    }
    this.#askedOver.delete(id);
  }

  #remember(method: string, answer: Answer): void {
    if (!isMethod(method) || METHODS[method].kind !== 'action') return;
    this.#answered.set(answer.id, answer);
    const [oldest] = this.#answered.keys();
    if (oldest !== undefined && this.#answered.size > MAX_REMEMBERED_ANSWERS) this.#answered.delete(oldest);
  }

  /** The lane of the request, so that the answer follows its frames; another one when that is gone. */
  #route(id: number, link: LaneLink): LaneLink {
    const route = this.#askedOver.get(id) ?? link;
    return route.isOver ? this.#options.best() : route;
  }

  /** @throws ModelRtcError what may be told instead: that it is too long for the other side. */
  async #send(answer: Answer, link: LaneLink): Promise<void> {
    try {
      await link.sendMessage(answer);
    } catch (error) {
      // If only the lane ended, the answer stays: the other side asks for it again over another lane.
      if (!link.isOver) throw error;
    }
  }

  async #give(answer: Answer, route: () => LaneLink): Promise<void> {
    try {
      await this.#send(answer, route());
    } catch {
      // The lane is gone. The other side is gone too, or asks again over another lane.
    }
  }

  async #answerError(
    { id, method }: Pick<RequestMessage, 'id' | 'method'>,
    thrown: unknown,
    link: LaneLink,
  ): Promise<void> {
    const error = toWireError(thrown);
    this.#options.log.debug({ err: thrown, method, code: error.code }, 'a request of the other side failed');
    if (error.code === 'unexpected') this.#options.log.warn({ err: thrown, method }, 'a request failed unexpectedly');
    const answer: Answer = { type: 'error', id, error };
    this.#remember(method, answer);
    await this.#give(answer, () => this.#route(id, link));
  }

  async #run({ id, method, params }: RequestMessage, link: LaneLink): Promise<unknown> {
    if (this.#running.size >= MAX_OPEN_REQUESTS) throw tooManyError();
    const { peer, laneOf } = this.#options;
    const known = knownMethod(method);
    this.#checkAuthority(known);
    const handler = this.#handlerOf(known);
    const route = () => this.#route(id, link);
    const request = new IncomingRequest({ peer, id, method: known, link, lane: laneOf(link), route });
    this.#running.set(id, request);
    try {
      const manifest = longManifest(params);
      // Other peers get their turn meanwhile.
      if (manifest !== undefined) await prepareManifest(manifest);
      return await request.run(handler, checkedParams(known, params, `The other side refuses this "${known}"`));
    } finally {
      this.#running.delete(id);
    }
  }

  #checkAuthority(method: Method): void {
    const { authority } = this.#options;
    const { scopes } = METHODS[method];
    authority.check?.();
    if (scopes.some((scope) => authority.scopes.includes(scope))) return;
    throw scopeMissingError(method, scopes, authority.scopes);
  }

  #handlerOf(method: Method): AnyHandler {
    const handler = this.#handlers[method] as AnyHandler | undefined;
    if (handler !== undefined) return handler;
    throw new ModelRtcError('refused', `The other side does not answer "${method}".`);
  }
}

function knownMethod(method: string): Method {
  if (isMethod(method)) return method;
  throw new ModelRtcError(
    'protocol_mismatch',
    `The other side does not know the request "${method}"; upgrade model-rtc there.`,
  );
}

function tooLongError(method: Method, totalBytes: number): ModelRtcError {
  return new ModelRtcError(
    'bad_argument',
    `The other side refuses this "${method}": it has ${totalBytes} bytes, and ${METHODS[method].maxRequestBytes} are allowed.`,
  );
}

function tooMuchError(): ModelRtcError {
  return new ModelRtcError(
    'busy',
    'The other side is reading as many long requests as its memory allows; try again in a moment.',
  );
}

function tooManyError(): ModelRtcError {
  return new ModelRtcError(
    'busy',
    `The other side takes ${MAX_OPEN_REQUESTS} requests at once and is busy with all of them; try again when one is done.`,
  );
}
