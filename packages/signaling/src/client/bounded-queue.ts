export interface QueueBounds {
  readonly maxItems: number;
  /** Sum of the sizes that `push` was given. */
  readonly maxBytes: number;
}

/**
 * What one side puts in and the other takes out by `for await`, in order. It never holds more than its bounds. After
 * `finish` a reader gets what is left, and then the end. One reader at a time; one that leaves early loses nothing.
 */
export class BoundedQueue<T> implements AsyncIterable<T> {
  readonly #bounds: QueueBounds;
  readonly #items: { readonly item: T; readonly size: number }[] = [];
  readonly #readers: (() => void)[] = [];
  #bytes = 0;
  #finished = false;

  constructor(bounds: QueueBounds) {
    this.#bounds = bounds;
  }

  /** @returns false when it is full or finished: the item was not taken. */
  push(item: T, size = 0): boolean {
    const isFull = this.#items.length >= this.#bounds.maxItems || this.#bytes + size > this.#bounds.maxBytes;
    if (this.#finished || isFull) return false;
    this.#items.push({ item, size });
    this.#bytes += size;
    this.#readers.shift()?.();
    return true;
  }

  finish(): void {
    this.#finished = true;
    for (const wake of this.#readers.splice(0)) wake();
  }

  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    return { next: () => this.#next(), return: async () => ({ done: true, value: undefined }) };
  }

  async #next(): Promise<IteratorResult<T, undefined>> {
    for (;;) {
      const first = this.#items.shift();
      if (first !== undefined) {
        this.#bytes -= first.size;
        return { done: false, value: first.item };
      }
      if (this.#finished) return { done: true, value: undefined };
      await new Promise<void>((wake) => this.#readers.push(wake));
    }
  }
}
