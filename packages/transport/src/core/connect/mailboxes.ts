import type { ExchangeMessage } from '@model-rtc/protocol';
import { Mailbox } from './mailbox.ts';

/** The mailboxes of one exchange, by lane number. */
export class Mailboxes {
  readonly #boxes = new Map<number, Mailbox>();
  #end: { readonly error: Error | undefined } | undefined;

  /** Opens an empty mailbox for this lane. */
  open(lane: number): Mailbox {
    const box = new Mailbox();
    this.#boxes.get(lane)?.end();
    if (this.#end === undefined) this.#boxes.set(lane, box);
    else box.end(this.#end.error);
    return box;
  }

  /** Drops messages about unknown lanes; a refusal goes to all. */
  deliver(message: ExchangeMessage): void {
    if (message.type !== 'refuse') this.#boxes.get(message.lane)?.push(message);
    else for (const box of this.#boxes.values()) box.push(message);
  }

  close(lane: number): void {
    this.#boxes.get(lane)?.end();
    this.#boxes.delete(lane);
  }

  end(error?: Error): void {
    this.#end ??= { error };
    for (const box of this.#boxes.values()) box.end(error);
    this.#boxes.clear();
  }
}
