import { cancelledBy, longManifest, METHODS, type Method, ModelRtcError, prepareManifest } from '@model-rtc/protocol';
import { badResultError } from './errors.ts';
import type { LaneLink } from './lane-link.ts';
import type { Peer, PeerLane, RequestContext, SendChunkOptions } from './peer.ts';

/** What a handler of any method is, once its parameters are checked. */
export type AnyHandler = (params: unknown, context: RequestContext) => Promise<unknown>;

export interface IncomingRequestOptions {
  readonly peer: Peer;
  readonly id: number;
  readonly method: Method;
  /** The lane that it came over. */
  readonly link: LaneLink;
  readonly lane: PeerLane;
  /** The lane for events: the request's own, or the one over which it was repeated. */
  readonly route: () => LaneLink;
}

/** A running request of the other side: the context for its handler. */
export class IncomingRequest implements RequestContext {
  readonly peer: Peer;
  readonly lane: PeerLane;
  readonly signal: AbortSignal;
  readonly #options: IncomingRequestOptions;
  readonly #controller = new AbortController();
  /** Everything sent for the request so far, events in order; the answer goes after it. It never rejects. */
  #sent: Promise<unknown> = Promise.resolve();
  #answered = false;
  #withdrawn: ModelRtcError | undefined;

  constructor(options: IncomingRequestOptions) {
    this.#options = options;
    this.peer = options.peer;
    this.lane = options.lane;
    this.signal = this.#controller.signal;
  }

  get method(): Method {
    return this.#options.method;
  }

  get link(): LaneLink {
    return this.#options.link;
  }

  cancel(reason: Error): void {
    this.#controller.abort(reason);
  }

  /** The asker does not want it any more: that is what it is told, whatever the handler makes of it. */
  withdraw(): void {
    this.#withdrawn ??= new ModelRtcError('cancelled', 'The request was cancelled by the side that asked it.');
    this.cancel(this.#withdrawn);
  }

  async emit(event: unknown): Promise<void> {
    this.#assertGoing();
    const { id, method, route } = this.#options;
    // A long event goes in fragments, which the next one must not overtake.
    const sending = this.#sent.then(() => {
      this.#assertGoing();
      return route().sendMessage({
        type: 'event',
        id,
        event: METHODS[method].event.parse(event),
      });
    });
    this.#sent = sending.catch(() => {});
    await sending;
  }

  async sendChunk(index: number, bytes: Uint8Array, options: SendChunkOptions = {}): Promise<void> {
    this.#assertGoing();
    const { id, link } = this.#options;
    const sending = link.sendChunk({ ...options, request: id, index, bytes }, this.signal);
    this.#sent = Promise.allSettled([this.#sent, sending]);
    await sending;
  }

  /** Runs the handler. When it resolves, everything that the handler sent is out. */
  async run(handler: AnyHandler, params: unknown): Promise<unknown> {
    try {
      this.#assertGoing();
      const result = await handler(params, this);
      const { method } = this.#options;
      const manifest = longManifest(result);
      if (manifest !== undefined) await prepareManifest(manifest);
      const parsed = METHODS[method].result.safeParse(result);
      if (parsed.success) return parsed.data;
      // A model that breaks the rules is named as one; anything else is a fault of this program.
      throw METHODS[method].badResult === 'invalid_model' ? badResultError(method, parsed.error) : parsed.error;
    } catch (error) {
      throw this.#withdrawn ?? error;
    } finally {
      await this.#sent;
      this.#answered = true;
    }
  }

  #assertGoing(): void {
    if (this.signal.aborted) throw cancelledBy(this.signal);
    if (this.#answered) throw new Error('a handler sends after it has answered');
  }
}
