/** Bytes that messages may take while they are put together from fragments. One budget may be part of a larger one. */
export class MessageBudget {
  readonly #maxBytes: number;
  readonly #whole: MessageBudget | undefined;
  #usedBytes = 0;

  constructor(maxBytes: number, whole?: MessageBudget) {
    this.#maxBytes = maxBytes;
    this.#whole = whole;
  }

  /** Whether it has so many left. */
  fits(bytes: number): boolean {
    return this.#usedBytes + bytes <= this.#maxBytes && this.#whole?.fits(bytes) !== false;
  }

  /** @returns false when it does not have so many left; nothing is taken then. */
  take(bytes: number): boolean {
    if (!this.fits(bytes)) return false;
    this.#whole?.take(bytes);
    this.#usedBytes += bytes;
    return true;
  }

  /** Gives back what was taken. */
  give(bytes: number): void {
    this.#usedBytes -= bytes;
    this.#whole?.give(bytes);
  }
}
