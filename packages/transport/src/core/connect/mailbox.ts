import { type ExchangeMessage, ModelRtcError, unavailableError } from '@model-rtc/protocol';
import { MAX_WAITING_EXCHANGE_MESSAGES } from './limits.ts';

/** The messages of an exchange about one lane, in order, until it ends. One reader. */
export class Mailbox implements AsyncIterable<ExchangeMessage> {
  readonly #waiting: ExchangeMessage[] = [];
  #end: { readonly error: Error | undefined } | undefined;
  #wake: () => void = () => {};

  /** Drops messages beyond the bound: those are candidates, which are then not tried. */
  push(message: ExchangeMessage): void {
    if (this.#end !== undefined || this.#waiting.length >= MAX_WAITING_EXCHANGE_MESSAGES) return;
    this.#waiting.push(message);
    this.#wake();
  }

  /** Ends it. With an error, reading throws it after the waiting messages. */
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

/**
 * Waits for the other side's answer to an ask.
 * @throws ModelRtcError the other side's refusal; unavailable when it has no such lane; `network` when the exchange ends before;
 * what aborted the signal
 */
export async function awaitAnswer<T extends 'direct_offer' | 'relay_offer'>(
  mailbox: Mailbox,
  type: T,
  signal: AbortSignal,
): Promise<Extract<ExchangeMessage, { type: T }>> {
  const onAbort = () => mailbox.end(ModelRtcError.from(signal.reason));
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    for await (const message of mailbox) {
      if (message.type === type) return message as Extract<ExchangeMessage, { type: T }>;
      if (message.type === 'refuse') throw ModelRtcError.fromData(message.error);
      if (message.type === 'unavailable') throw unavailableError(message.message);
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
  throw new ModelRtcError('network', 'The exchange ended before the worker answered; try again.');
}
