import {
  isMethod,
  type Log,
  MAX_OPEN_REQUESTS,
  METHODS,
  type Message,
  type Method,
  ModelRtcError,
} from '@model-rtc/protocol';
import { type AnyHandler, IncomingRequest } from './incoming-request.ts';
import type { OutgoingChunk } from './outbox.ts';
import type { Authority, Handlers, Peer } from './peer.ts';
import { toWireError } from './wire-error.ts';

export interface DispatcherOptions {
  readonly peer: Peer;
  readonly authority: Authority;
  readonly handlers: Handlers;
  readonly send: (message: Message) => Promise<void>;
  readonly sendChunk: (chunk: OutgoingChunk, signal: AbortSignal) => Promise<void>;
  readonly log: Log;
}

type RequestMessage = Extract<Message, { type: 'request' }>;

/** Runs what the other side asks, as far as its authority goes. Each request gets one answer. */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #running = new Map<number, IncomingRequest>();
  #handlers: Handlers;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#handlers = options.handlers;
  }

  setHandlers(handlers: Handlers): void {
    this.#handlers = { ...this.#handlers, ...handlers };
  }

  /** @throws ModelRtcError `malformed_message` for the id of a request that is open: no answer to it could be told apart. */
  onRequest(message: RequestMessage): void {
    if (this.#running.has(message.id)) {
      throw new ModelRtcError('malformed_message', `two open requests have the number ${message.id}`);
    }
    void this.#answer(message);
  }

  /** A request that is not there was answered a moment ago. */
  onCancel(id: number): void {
    this.#running.get(id)?.cancel(new ModelRtcError('cancelled', 'The other side cancelled its request.'));
  }

  /** The peer is gone: nobody waits for what the handlers do. */
  end(error: ModelRtcError): void {
    for (const request of this.#running.values()) request.cancel(error);
  }

  async #answer(message: RequestMessage): Promise<void> {
    const { id } = message;
    try {
      const result = await this.#run(message);
      await this.#options.send({ type: 'reply', id, result });
    } catch (error) {
      await this.#answerError(message, error);
    }
  }

  async #answerError({ id, method }: RequestMessage, thrown: unknown): Promise<void> {
    const error = toWireError(thrown);
    this.#options.log.debug({ err: thrown, method, code: error.code }, 'a request of the other side failed');
    if (error.code === 'unexpected') this.#options.log.warn({ err: thrown, method }, 'a request failed unexpectedly');
    try {
      await this.#options.send({ type: 'error', id, error });
    } catch {
      // The lane is gone, and with it whoever asked.
    }
  }

  async #run({ id, method, params }: RequestMessage): Promise<unknown> {
    if (this.#running.size >= MAX_OPEN_REQUESTS) throw tooManyError();
    const { peer, send, sendChunk } = this.#options;
    const known = knownMethod(method);
    this.#checkAuthority(known);
    const handler = this.#handlerOf(known);
    const request = new IncomingRequest({ peer, id, method: known, send, sendChunk });
    const checked = checkedParams(known, params);
    this.#running.set(id, request);
    try {
      return await request.run(handler, checked);
    } finally {
      this.#running.delete(id);
    }
  }

  #checkAuthority(method: Method): void {
    const { authority } = this.#options;
    const { scope } = METHODS[method];
    authority.check?.();
    if (authority.scopes.includes(scope)) return;
    const needed = [...authority.scopes, scope].join(',');
    throw new ModelRtcError(
      'scope_missing',
      `This session may not "${method}": it lacks the scope "${scope}". Ask the worker's owner for another one: model-rtc worker sessions create --scope ${needed}`,
      { details: { method, scope } },
    );
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

function checkedParams(method: Method, params: unknown): unknown {
  const parsed = METHODS[method].params.safeParse(params);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const where = issue?.path.join('.') || 'parameters';
  throw new ModelRtcError(
    'bad_argument',
    `The other side does not take this "${method}": ${where}: ${issue?.message}.`,
    { cause: parsed.error },
  );
}

function tooManyError(): ModelRtcError {
  return new ModelRtcError(
    'busy',
    `The other side takes ${MAX_OPEN_REQUESTS} requests at once and all are in use; try again when one is done.`,
  );
}
