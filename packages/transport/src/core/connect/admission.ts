import { ModelRtcError } from '@model-rtc/protocol';
import { MAX_PENDING_EXCHANGES, MAX_PENDING_PER_TOKEN, MAX_UNKNOWN_VISITORS } from './limits.ts';

/**
 * Limits how many visitors are handled at once. Before a visitor shows a token it could be anyone, so nobody is refused a place
 * then: the oldest one, which had the longest time to speak, is evicted instead.
 */
export class Admission {
  /** Evicts each visitor without a token, oldest first. */
  readonly #unknown = new Set<() => void>();
  readonly #pending = new Map<string, number>();
  #pendingCount = 0;

  /** @returns a function that gives the place back; it may be called twice. */
  admitUnknown(evict: () => void): () => void {
    const [oldest] = this.#unknown;
    if (oldest !== undefined && this.#unknown.size >= MAX_UNKNOWN_VISITORS) {
      this.#unknown.delete(oldest);
      oldest();
    }
    const own = () => evict();
    this.#unknown.add(own);
    return () => this.#unknown.delete(own);
  }

  /** Takes a place for the exchange of a token's holder. @returns as `admitUnknown`. @throws ModelRtcError `busy`. */
  admitKnown(keyId: string): () => void {
    const ofToken = this.#pending.get(keyId) ?? 0;
    if (this.#pendingCount >= MAX_PENDING_EXCHANGES || ofToken >= MAX_PENDING_PER_TOKEN) {
      throw new ModelRtcError('busy', 'Too many clients are connecting to this worker right now; try again.');
    }
    this.#pending.set(keyId, ofToken + 1);
    this.#pendingCount += 1;
    let isIn = true;
    return () => {
      if (isIn) this.#leave(keyId);
      isIn = false;
    };
  }

  #leave(keyId: string): void {
    const left = (this.#pending.get(keyId) ?? 1) - 1;
    if (left === 0) this.#pending.delete(keyId);
    else this.#pending.set(keyId, left);
    this.#pendingCount -= 1;
  }
}
