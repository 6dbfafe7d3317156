import {
  type Clock,
  decodeMessage,
  type ExchangeMessage,
  encodeMessage,
  isSealedMethod,
  type Log,
  METHODS,
  type Message,
  ModelRtcError,
  type Params,
  type ResultInput,
  type SealedMethod,
  scopeMissingError,
} from '@model-rtc/protocol';
import { checkedParams } from '../peer/errors.ts';
import type { Authority } from '../peer/peer.ts';
import { toWireError } from '../peer/wire-error.ts';
import { ALL_SEALED_BYTES_PER_MINUTE, MAX_SEALED_REQUESTS, SEALED_BYTES_PER_MINUTE } from './limits.ts';
import { inPieces, JoinedPieces } from './sealed-pieces.ts';

/** What a worker answers visitors that have no connection. */
export type SealedHandlers = {
  readonly [M in SealedMethod]?: ((params: Params<M>) => Promise<ResultInput<M>>) | undefined;
};

export interface SealedAnswersOptions {
  readonly authority: Authority;
  readonly handlers: SealedHandlers;
  readonly rate: SealedRate;
  readonly send: (message: ExchangeMessage) => Promise<void>;
  readonly log: Log;
}

type RequestPiece = Extract<ExchangeMessage, { type: 'request' }>;

/** Answers the requests of one exchange, one after another. */
export class SealedAnswers {
  readonly #options: SealedAnswersOptions;
  #joining: { readonly lane: number; readonly pieces: JoinedPieces } | undefined;
  #asked = 0;
  #last: Promise<void> = Promise.resolve();

  constructor(options: SealedAnswersOptions) {
    this.#options = options;
  }

  /** How many were asked. */
  get asked(): number {
    return this.#asked;
  }

  /** @throws ModelRtcError `malformed_message`; `refused` for too many; `busy` for too many bytes in a minute. */
  take({ lane, bytes, more }: RequestPiece): void {
    this.#options.rate.spend(this.#options.authority.keyId, bytes.length);
    if (this.#joining?.lane !== lane) {
      this.#asked += 1;
      if (this.#asked > MAX_SEALED_REQUESTS)
        throw new ModelRtcError('refused', 'The visitor asks too much without a connection.');
      this.#joining = { lane, pieces: new JoinedPieces() };
    }
    const message = this.#joining.pieces.add({ bytes, more });
    if (message === undefined) return;
    this.#joining = undefined;
    this.#last = this.#last.then(() => this.#answer(lane, message));
  }

  async #answer(lane: number, bytes: Uint8Array): Promise<void> {
    const { send, rate, authority, log } = this.#options;
    try {
      const answer = await this.#answerTo(lane, bytes);
      rate.spend(authority.keyId, answer.length);
      for (const piece of inPieces(answer)) await send({ type: 'reply', lane, ...piece });
    } catch (error) {
      log.debug({ err: error, keyId: authority.keyId }, 'a visitor without a connection was not answered');
      const answer = encodeMessage({ type: 'error', id: lane, error: toWireError(error) });
      // A visitor that left needs no answer.
      for (const piece of inPieces(answer)) await send({ type: 'reply', lane, ...piece }).catch(() => {});
    }
  }

  async #answerTo(lane: number, bytes: Uint8Array): Promise<Uint8Array> {
    const message: Message = decodeMessage(bytes);
    if (message.type !== 'request') throw new ModelRtcError('malformed_message', 'This is not a request.');
    const { method } = message;
    const handler = isSealedMethod(method) ? this.#options.handlers[method] : undefined;
    if (!isSealedMethod(method) || handler === undefined)
      throw new ModelRtcError('refused', `The other side does not answer "${method}" without a connection.`);
    const { authority } = this.#options;
    const { scopes, result } = METHODS[method];
    authority.check?.();
    if (!scopes.some((scope) => authority.scopes.includes(scope)))
      throw scopeMissingError(method, scopes, authority.scopes);
    const params = checkedParams(method, message.params, `The other side refuses this "${method}"`);
    const answer = await (handler as (params: unknown) => Promise<unknown>)(params);
    return encodeMessage({ type: 'reply', id: lane, result: result.parse(answer) });
  }
}

/** Counts what goes over signaling servers in place of a connection, in both directions. */
export class SealedRate {
  readonly #clock: Pick<Clock, 'nowMs'>;
  #sinceMs = Number.NEGATIVE_INFINITY;
  #all = 0;
  readonly #bytes = new Map<string | undefined, number>();

  constructor(clock: Pick<Clock, 'nowMs'>) {
    this.#clock = clock;
  }

  /** @throws ModelRtcError `busy` when it would be more than may pass in a minute. */
  spend(keyId: string | undefined, bytes: number): void {
    const nowMs = this.#clock.nowMs();
    if (nowMs - this.#sinceMs >= 60_000) {
      this.#sinceMs = nowMs;
      this.#all = 0;
      this.#bytes.clear();
    }
    const spent = (this.#bytes.get(keyId) ?? 0) + bytes;
    if (spent > SEALED_BYTES_PER_MINUTE || this.#all + bytes > ALL_SEALED_BYTES_PER_MINUTE)
      throw new ModelRtcError(
        'busy',
        'As much went over the signaling server in this minute as may go without a connection. Try again in a minute.',
      );
    this.#bytes.set(keyId, spent);
    this.#all += bytes;
  }
}
