import { type Clock, sha256Digest } from '@model-rtc/protocol';

import { MAX_REMEMBERED_EXCHANGES, REMEMBER_EXCHANGE_MS } from './limits.ts';

/**
 * Remembers the first envelopes of exchanges. Only the token's holder can make one, so the same one again is a
 * replay by the signaling server.
 */
export class ExchangeMemory {
  readonly #clock: Clock;
  /** When each was seen, oldest first. */
  readonly #seen = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @returns false when it was seen before. */
  add(firstEnvelope: Uint8Array): boolean {
    const nowMs = this.#clock.nowMs();
    for (const [name, seenMs] of this.#seen) {
      if (nowMs - seenMs < REMEMBER_EXCHANGE_MS && this.#seen.size < MAX_REMEMBERED_EXCHANGES) break;
      this.#seen.delete(name);
    }
    const name = sha256Digest(firstEnvelope);
    if (this.#seen.has(name)) return false;
    this.#seen.set(name, nowMs);
    return true;
  }
}
