import {
  createVisitorSeal,
  decodeExchange,
  type ExchangeMessage,
  encodeExchange,
  ModelRtcError,
  type SessionToken,
  type VisitorSeal,
} from '@model-rtc/protocol';
import type { Link } from '@model-rtc/signaling';
import { Mailbox } from './mailbox.ts';

/**
 * The visitor's end of one sealed exchange over one link: what the worker says goes to the attempt that is being made.
 * Nothing that the signaling server makes up or changes gets through: it ends the exchange with `refused`.
 */
export class VisitorExchange {
  readonly #link: Link;
  readonly #seal: VisitorSeal;
  #mailbox: Mailbox | undefined;
  #end: { readonly error: ModelRtcError | undefined } | undefined;

  constructor(link: Link, token: SessionToken) {
    this.#link = link;
    this.#seal = createVisitorSeal({ token });
    void this.#read();
  }

  /** Whether the worker can still be talked to. */
  get isOpen(): boolean {
    return this.#end === undefined;
  }

  /** Why it ended, when trying again with another exchange would only hide it. */
  get failure(): ModelRtcError | undefined {
    return this.#end?.error;
  }

  async send(message: ExchangeMessage): Promise<void> {
    await this.#link.send(this.#seal.seal(encodeExchange(message)));
  }

  /** What the worker says from now on, for a new attempt; the one before gets nothing more. */
  open(): Mailbox {
    this.#mailbox?.end();
    this.#mailbox = new Mailbox();
    if (this.#end !== undefined) this.#mailbox.end(this.#end.error);
    return this.#mailbox;
  }

  close(): void {
    this.#finish(undefined);
    this.#link.close();
  }

  async #read(): Promise<void> {
    try {
      for await (const envelope of this.#link.messages) {
        this.#mailbox?.push(decodeExchange(this.#seal.open(envelope).bytes));
      }
      // An attempt that has its answer needs the link no more; one that has none fails by itself.
      this.#finish(undefined);
    } catch (error) {
      this.#finish(ModelRtcError.from(error));
      this.#link.close();
    }
  }

  #finish(error: ModelRtcError | undefined): void {
    this.#end ??= { error };
    this.#mailbox?.end(this.#end.error);
  }
}
