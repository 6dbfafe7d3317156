import type { ExchangeMessage } from '@model-rtc/protocol';
import { MAX_WAITING_EXCHANGE_MESSAGES } from './limits.ts';

/** The part of an exchange that is for one connection, in order, until it is ended. One reader. */
export class Mailbox implements AsyncIterable<ExchangeMessage> {
  readonly #waiting: ExchangeMessage[] = [];
  #end: { readonly error: Error | undefined } | undefined;
  #wake: () => void = () => {};

  /** What is too much is dropped: candidates beyond the bound are ways that are not tried. */
  push(message: ExchangeMessage): void {
    if (this.#end !== undefined || this.#waiting.length >= MAX_WAITING_EXCHANGE_MESSAGES) return;
    this.#waiting.push(message);
    this.#wake();
  }

  /** No more comes; with an error, reading throws it after what is there. */
  end(error?: Error): void {
    this.#end ??= { error };
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ExchangeMessage, void> {
    for (;;) {
      const message = this.#waiting.shift();
      if (message !== undefined) yield message;
      else if (this.#end === undefined) await this.#change();
      else if (this.#end.error === undefined) return;
      else throw this.#end.error;
    }
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
