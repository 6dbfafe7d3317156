import {
  createVisitorSeal,
  decodeExchange,
  type ExchangeMessage,
  encodeExchange,
  ModelRtcError,
  type SessionToken,
  type VisitorSeal,
} from '@model-rtc/protocol';
import type { Link } from '@model-rtc/signaling/client';
import type { LaneChannel } from './lane-channel.ts';
import type { Mailbox } from './mailbox.ts';
import { Mailboxes } from './mailboxes.ts';

/**
 * The visitor's end of one sealed exchange over one link. The worker's messages go to the attempt that they concern.
 * Anything that the signaling server forges or changes ends the exchange with `refused`.
 */
export class VisitorExchange implements LaneChannel {
  readonly serverUrl: string;
  readonly #link: Link;
  readonly #seal: VisitorSeal;
  readonly #mailboxes = new Mailboxes();
  #lastLane = -1;
  #end: { readonly error: ModelRtcError | undefined } | undefined;

  constructor(link: Link, token: SessionToken) {
    this.serverUrl = link.serverUrl;
    this.#link = link;
    this.#seal = createVisitorSeal({ token });
    void this.#read();
  }

  /** Whether the worker can still be reached over it. */
  get isOpen(): boolean {
    return this.#end === undefined;
  }

  /** Why it ended, if a new exchange would only hide the problem. */
  get failure(): ModelRtcError | undefined {
    return this.#end?.error;
  }

  nextLane(): number {
    this.#lastLane += 1;
    return this.#lastLane;
  }

  async send(message: ExchangeMessage): Promise<void> {
    await this.#link.send(this.#seal.seal(encodeExchange(message)));
  }

  open(lane: number): Mailbox {
    return this.#mailboxes.open(lane);
  }

  done(lane: number): void {
    this.#mailboxes.close(lane);
  }

  close(): void {
    this.#finish(undefined);
    this.#link.close();
  }

  async #read(): Promise<void> {
    try {
      for await (const envelope of this.#link.messages) {
        const message = decodeExchange(this.#seal.open(envelope).bytes);
        if (message !== undefined) this.#mailboxes.deliver(message);
      }
      // An attempt that has its answer no longer needs the link; one without an answer fails by itself.
      this.#finish(undefined);
    } catch (error) {
      this.#finish(ModelRtcError.from(error));
      this.#link.close();
    }
  }

  #finish(error: ModelRtcError | undefined): void {
    this.#end ??= { error };
    this.#mailboxes.end(this.#end.error);
  }
}
