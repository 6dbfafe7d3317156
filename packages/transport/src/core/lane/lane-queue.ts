/**
 * The messages of a lane that arrived and were not read yet. It has no bound of its own: the lane that fills it keeps
 * the other side within one, from what `onTaken` tells it.
 */
export class LaneQueue implements AsyncIterable<Uint8Array> {
  readonly #onTaken: (message: Uint8Array) => void;
  /** Read from `#head` on; the part before it is given up in bulk, since `shift` on a long array is slow. */
  #messages: (Uint8Array | undefined)[] = [];
  #head = 0;
  #readers: ((result: IteratorResult<Uint8Array, undefined>) => void)[] = [];
  #ended = false;

  /** @param onTaken is told of each message as a reader gets it */
  constructor(onTaken: (message: Uint8Array) => void) {
    this.#onTaken = onTaken;
  }

  /** Messages after `end` are dropped: a lane that ended gives nothing more. */
  push(message: Uint8Array): void {
    if (this.#ended) return;
    const reader = this.#readers.shift();
    if (reader === undefined) this.#messages.push(message);
    else this.#give(reader, message);
  }

  /** No more messages come; readers get what is there and then the end. */
  end(): void {
    this.#ended = true;
    for (const reader of this.#readers.splice(0)) reader({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    return {
      next: () => new Promise((resolve) => this.#read(resolve)),
      return: async () => ({ done: true, value: undefined }),
    };
  }

  #read(reader: (result: IteratorResult<Uint8Array, undefined>) => void): void {
    const message = this.#messages[this.#head];
    if (message !== undefined) {
      this.#messages[this.#head++] = undefined;
      if (this.#head === this.#messages.length || this.#head >= 1024) this.#forgetRead();
      this.#give(reader, message);
    } else if (this.#ended) reader({ done: true, value: undefined });
    else this.#readers.push(reader);
  }

  #give(reader: (result: IteratorResult<Uint8Array, undefined>) => void, message: Uint8Array): void {
    reader({ done: false, value: message });
    this.#onTaken(message);
  }

  #forgetRead(): void {
    this.#messages.splice(0, this.#head);
    this.#head = 0;
  }
}
