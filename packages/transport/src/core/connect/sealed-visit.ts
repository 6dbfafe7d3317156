import {
  type Clock,
  cancelledBy,
  decodeMessage,
  encodeMessage,
  type Log,
  METHODS,
  ModelRtcError,
  type ParamsInput,
  type Result,
  roomOf,
  type SealedMethod,
  type SessionToken,
  systemClock,
} from '@model-rtc/protocol';
import type { SignalingClient } from '@model-rtc/signaling/client';
import { badResultError, checkedParams } from '../peer/errors.ts';
import { SEALED_SILENCE_MS, VISIT_TIMEOUT_MS } from './limits.ts';
import type { Mailbox } from './mailbox.ts';
import { inPieces, JoinedPieces } from './sealed-pieces.ts';
import { VisitorExchange } from './visitor-exchange.ts';

export interface VisitSessionOptions {
  readonly token: SessionToken;
  readonly signal?: AbortSignal | undefined;
  /** For finding the worker, in milliseconds; 10 s when left out. */
  readonly timeoutMs?: number | undefined;
  readonly log?: Log | undefined;
  readonly clock?: Clock | undefined;
}

/** A visit at a worker over a signaling server alone, without a connection. For a few short requests, one after another. */
export interface SealedVisit extends Disposable {
  /**
   * @throws ModelRtcError the worker's refusal: `refused`, `token_revoked`, `busy`; `bad_argument` for what is too long; `timeout`;
   * `network` when the visit has ended
   */
  request<M extends SealedMethod>(method: M, params: ParamsInput<M>): Promise<Result<M>>;
}

/**
 * Visits the worker that issued a token. The server sees nothing of what is said.
 * @throws ModelRtcError `worker_offline` or `network` when the worker or its servers cannot be reached, `cancelled`
 */
export async function visitSessionWith(
  visit: SignalingClient['visit'],
  { token, signal, timeoutMs = VISIT_TIMEOUT_MS, log, clock = systemClock }: VisitSessionOptions,
): Promise<SealedVisit> {
  const link = await visit({ urls: token.urls, room: roomOf(token.workerKey), signal, timeoutMs, log, clock });
  return new ExchangeVisit(new VisitorExchange(link, token), { signal, clock });
}

class ExchangeVisit implements SealedVisit {
  readonly #exchange: VisitorExchange;
  readonly #signal: AbortSignal | undefined;
  readonly #clock: Clock;

  constructor(exchange: VisitorExchange, { signal, clock }: { signal: AbortSignal | undefined; clock: Clock }) {
    this.#exchange = exchange;
    this.#signal = signal;
    this.#clock = clock;
  }

  async request<M extends SealedMethod>(method: M, params: ParamsInput<M>): Promise<Result<M>> {
    const checked = checkedParams(method, params, `"${method}" cannot be asked with these parameters`);
    const lane = this.#exchange.nextLane();
    const pieces = inPieces(encodeMessage({ type: 'request', id: lane, method, params: checked }));
    const mailbox = this.#exchange.open(lane);
    const onAbort = () => mailbox.end(cancelledBy(this.#signal));
    this.#signal?.addEventListener('abort', onAbort, { once: true });
    if (this.#signal?.aborted) onAbort();
    const stopTimer = this.#clock.after(SEALED_SILENCE_MS, () => mailbox.end(silentError(method)));
    try {
      for (const piece of pieces) await this.#exchange.send({ type: 'request', lane, ...piece });
      return resultOf(method, await joinedReply(mailbox)) as Result<M>;
    } finally {
      stopTimer();
      this.#signal?.removeEventListener('abort', onAbort);
      this.#exchange.done(lane);
    }
  }

  [Symbol.dispose](): void {
    this.#exchange.close();
  }
}

async function joinedReply(mailbox: Mailbox): Promise<Uint8Array> {
  const joined = new JoinedPieces();
  for await (const message of mailbox) {
    if (message.type === 'refuse') throw ModelRtcError.fromData(message.error);
    const whole = message.type === 'reply' ? joined.add(message) : undefined;
    if (whole !== undefined) return whole;
  }
  throw new ModelRtcError('network', 'The visit ended before the worker answered; try again.');
}

function resultOf(method: SealedMethod, bytes: Uint8Array): unknown {
  const message = decodeMessage(bytes);
  if (message.type === 'error') throw ModelRtcError.fromData(message.error);
  if (message.type !== 'reply') throw new ModelRtcError('malformed_message', 'The worker answered with no answer.');
  const parsed = METHODS[method].result.safeParse(message.result);
  if (parsed.success) return parsed.data;
  throw badResultError(method, parsed.error);
}

function silentError(method: SealedMethod): ModelRtcError {
  return new ModelRtcError(
    'timeout',
    `The worker did not answer "${method}" within ${SEALED_SILENCE_MS / 1000} s. Try again.`,
  );
}
