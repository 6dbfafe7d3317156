import {
  type Clock,
  cancelledBy,
  type Deferred,
  deferred,
  type ErrorData,
  longManifest,
  METHODS,
  type Method,
  ModelRtcError,
  prepareManifest,
} from '@model-rtc/protocol';

import { checkedParams } from './errors.ts';
import type { LaneLink } from './lane-link.ts';
import { SLOTS_FOR_QUERIES } from './limits.ts';
import type { ChunkPiece } from './peer.ts';
import { PendingRequest, type PendingRequestCallbacks } from './pending-request.ts';

export interface AskOptions extends PendingRequestCallbacks {
  /** The lane that the request is bound to. */
  readonly link?: LaneLink | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
}

export interface AskedRequestsOptions {
  /** The best lane, for messages that may take any. @throws ModelRtcError when there is none. */
  readonly best: () => LaneLink;
  /** How many requests the other side handles at once. */
  readonly maxOpen: number;
  readonly clock: Clock;
}

/** One transmission of a request, which the other side knows by its id. */
interface Asking {
  readonly pending: PendingRequest;
  readonly params: unknown;
  /** The lane that it last went over. */
  link: LaneLink;
  /** The request is with the lane; a cancel must not overtake it. */
  sent: Promise<void>;
}

/** The requests that this side has open at the other. */
export class AskedRequests {
  readonly #options: AskedRequestsOptions;
  /** Cancelled ones too, until the other side is done with them: they still occupy a slot there. */
  readonly #open = new Map<number, Asking>();
  /** Streams that wait for a slot, in order. */
  readonly #waiting: Deferred<void>[] = [];
  #lastId = 0;
  #ended: ModelRtcError | undefined;

  constructor(options: AskedRequestsOptions) {
    this.#options = options;
  }

  /** The parsed result. @throws ModelRtcError as `Peer.request` does. */
  async ask(method: Method, params: unknown, options: AskOptions): Promise<unknown> {
    const { signal } = options;
    const manifest = longManifest(params);
    if (manifest !== undefined) await prepareManifest(manifest);
    const checked = checkedParams(method, params, `"${method}" cannot be asked with these parameters`);
    if (signal?.aborted) throw cancelledBy(signal);
    if (METHODS[method].kind === 'stream') {
      // Checked again each time, with nothing awaited before the slot is taken: many may ask in the same turn.
      while (this.#isFullForStreams && this.#ended === undefined) await this.#placeFreed(signal);
      const obstacle = signal?.aborted ? cancelledBy(signal) : options.link?.isOver ? laneOverError() : undefined;
      if (obstacle !== undefined) {
        this.#wakeNext();
        throw obstacle;
      }
    }
    const silenceMs = options.timeoutMs ?? METHODS[method].silenceMs;
    let retriesLeft: number = METHODS[method].retries;
    const onSilent = () => {
      if (retriesLeft === 0) return pending.fail(silentError(method, silenceMs ?? 0));
      retriesLeft -= 1;
      pending.watchAgain();
      // Without a slot for the repetition, the first transmission still counts.
      if (!this.#isFull) this.#send(pending, checked, options.link?.isOver ? undefined : options.link);
    };
    const { onEvent, onChunk } = options;
    const pending = new PendingRequest({ method, clock: this.#options.clock, silenceMs, onSilent, onEvent, onChunk });
    const onAbort = () => pending.fail(cancelledBy(signal));
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      this.#send(pending, checked, options.link);
      return await pending.answer;
    } finally {
      signal?.removeEventListener('abort', onAbort);
      this.#cancelOpen(pending);
    }
  }

  onReply(id: number, result: unknown): void {
    this.#take(id)?.onReply(result);
  }

  onError(id: number, error: Omit<ErrorData, 'code'> & { readonly code: string }): void {
    this.#take(id)?.fail(ModelRtcError.fromData(error));
  }

  /**
   * Whether to accept a long reply: only to a request that has long answers. One that is too long fails its request; one that
   * belongs to no open request is ignored.
   */
  admitLong(id: number, totalBytes: number): boolean {
    const method = this.#open.get(id)?.pending.method;
    if (method === undefined) return false;
    const { maxReplyBytes } = METHODS[method];
    if (totalBytes <= maxReplyBytes) return true;
    this.#fail(id, tooLongReplyError(method, totalBytes));
    return false;
  }

  onEvent(id: number, event: unknown): void {
    this.#open.get(id)?.pending.onEvent(event);
  }

  onChunk(id: number, piece: ChunkPiece): void {
    this.#open.get(id)?.pending.onChunk(piece);
  }

  /**
   * A piece of a long message arrived. Its request is known only when it is whole, so it ends the silence of all:
   * on a slow link, a manifest may take longer than any limit.
   */
  touchAll(): void {
    for (const { pending } of this.#open.values()) pending.touch();
  }

  /** Requests that went over this lane are sent again over another, since their answers may be lost; those bound to it fail. */
  onLaneLost(link: LaneLink, why: ModelRtcError): void {
    for (const [id, asking] of this.#open) {
      if (asking.link !== link) continue;
      const { pending } = asking;
      if (pending.settled || METHODS[pending.method].kind === 'stream') {
        // The other side may or may not be done with it; it ends what came over a lost lane.
        this.#free(id);
        pending.fail(new ModelRtcError(why.code, why.message, { cause: why }));
      } else this.#askAgain(id, asking);
    }
  }

  /** The peer is gone: all open requests fail. */
  end(error: ModelRtcError): void {
    this.#ended ??= error;
    const open = [...this.#open.values()];
    this.#open.clear();
    for (const { pending } of open) pending.fail(error);
    for (const waiting of this.#waiting.splice(0)) waiting.resolve();
  }

  get #isFull(): boolean {
    return this.#open.size >= this.#options.maxOpen;
  }

  /** Streams leave some slots to queries, which fail at once when none is free. */
  get #isFullForStreams(): boolean {
    const { maxOpen } = this.#options;
    return this.#open.size >= maxOpen - Math.min(SLOTS_FOR_QUERIES, Math.floor(maxOpen / 2));
  }

  /**
   * Waits until a slot may be free. At its end, a transfer of thousands of tiny files asks idle lanes for single chunks: 236
   * requests of 256 were open at once over eight lanes. A full moment must not end it.
   * @throws ModelRtcError `cancelled` by the signal
   */
  async #placeFreed(signal: AbortSignal | undefined): Promise<void> {
    const place = deferred<void>();
    const onAbort = () => place.reject(cancelledBy(signal));
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#waiting.push(place);
    try {
      await place.promise;
    } finally {
      signal?.removeEventListener('abort', onAbort);
      const index = this.#waiting.indexOf(place);
      if (index >= 0) this.#waiting.splice(index, 1);
    }
  }

  #free(id: number): void {
    if (this.#open.delete(id)) this.#wakeNext();
  }

  #wakeNext(): void {
    this.#waiting.shift()?.resolve();
  }

  #askAgain(id: number, asking: Asking): void {
    const { pending, params } = asking;
    try {
      asking.link = this.#options.best();
    } catch (error) {
      this.#fail(id, ModelRtcError.from(error));
      return;
    }
    asking.sent = asking.link.sendMessage({ type: 'request', id, method: pending.method, params, again: true });
    asking.sent.catch((error: unknown) => this.#failUnlessLost(id, asking.link, error));
  }

  #send(pending: PendingRequest, params: unknown, bound: LaneLink | undefined): void {
    const obstacle = this.#ended ?? (this.#isFull ? tooManyError(this.#options.maxOpen) : undefined);
    if (obstacle !== undefined) {
      pending.fail(obstacle);
      return;
    }
    const id = this.#newId();
    const link = bound ?? this.#options.best();
    const sent = link.sendMessage({ type: 'request', id, method: pending.method, params });
    this.#open.set(id, { pending, params, link, sent });
    sent.catch((error: unknown) => this.#failUnlessLost(id, link, error));
  }

  /** A request that could not be sent fails, unless its lane ended: then `onLaneLost` decides. */
  #failUnlessLost(id: number, link: LaneLink, error: unknown): void {
    if (this.#open.get(id)?.link !== link || link.isOver) return;
    this.#fail(id, ModelRtcError.from(error));
  }

  #fail(id: number, error: ModelRtcError): void {
    this.#take(id)?.fail(error);
  }

  #newId(): number {
    do this.#lastId = (this.#lastId + 1) >>> 0;
    while (this.#open.has(this.#lastId));
    return this.#lastId;
  }

  /** An answer frees a slot at the other side. One to an unknown request is late. */
  #take(id: number): PendingRequest | undefined {
    const pending = this.#open.get(id)?.pending;
    this.#free(id);
    return pending;
  }

  /** Tells the other side to stop working on a settled request. */
  #cancelOpen(pending: PendingRequest): void {
    for (const [id, asking] of this.#open) {
      if (asking.pending === pending)
        asking.sent.then(() => asking.link.sendMessage({ type: 'cancel', id })).catch(() => {});
    }
  }
}

function silentError(method: Method, silenceMs: number): ModelRtcError {
  return new ModelRtcError(
    'timeout',
    `The other side did not answer "${method}" within ${silenceMs / 1000} s; it may be overloaded: try again.`,
  );
}

function tooLongReplyError(method: Method, totalBytes: number): ModelRtcError {
  return new ModelRtcError(
    'malformed_message',
    `The other side answered "${method}" with ${totalBytes} bytes; ${METHODS[method].maxReplyBytes} are allowed. Run the same version of model-rtc on both sides.`,
  );
}

function laneOverError(): ModelRtcError {
  return new ModelRtcError('network', 'The connection was lost before the request could be sent.');
}

function tooManyError(maxOpen: number): ModelRtcError {
  return new ModelRtcError(
    'busy',
    `The other side takes ${maxOpen} requests at once and is busy with all of them; try again when one is done.`,
  );
}
