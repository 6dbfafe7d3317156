import { REQUEST_BYTES } from '../limits.ts';
import type { RateLimiter } from '../rate/rate-limiter.ts';

/**
 * Lets through what a limiter allows to be asked for. A chunk is asked for whole; what that asks too much is made up for
 * before the next request.
 */
export class AskGate {
  readonly #limiter: RateLimiter | undefined;
  readonly #onOpen: () => void;
  readonly #closed = new AbortController();
  #credit = 0;
  #waiting = false;

  /** @param onOpen - called when there is room again after there was none */
  constructor(limiter: RateLimiter | undefined, onOpen: () => void) {
    this.#limiter = limiter;
    this.#onOpen = onOpen;
  }

  /** Whether nothing may be asked for at the moment. */
  get waiting(): boolean {
    return this.#waiting;
  }

  /** Bytes that may be asked for now. */
  room(): number {
    if (this.#limiter === undefined) return REQUEST_BYTES;
    if (this.#limiter.room() === Number.POSITIVE_INFINITY) {
      // What was asked for without a limit is not paid for when there is one again.
      this.#credit = Math.max(0, this.#credit);
      return REQUEST_BYTES;
    }
    if (this.#credit <= 0) this.#wait(this.#limiter);
    return Math.max(0, this.#credit);
  }

  /** This many bytes were asked for. */
  use(bytes: number): void {
    this.#credit -= bytes;
  }

  /** Bytes that were asked for will not come. */
  refund(bytes: number): void {
    this.#credit += bytes;
  }

  close(): void {
    this.#closed.abort();
  }

  #wait(limiter: RateLimiter): void {
    if (this.#waiting) return;
    this.#waiting = true;
    // A whole request if the limiter allows it at once, else just enough to pay for what was asked for.
    const bytes = Math.max(1 - this.#credit, Math.min(REQUEST_BYTES, limiter.room()));
    limiter.take(bytes, this.#closed.signal).then(
      () => {
        this.#waiting = false;
        this.#credit += bytes;
        this.#onOpen();
      },
      // The transfer is over.
      () => {},
    );
  }
}
