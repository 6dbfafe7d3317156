import { type Clock, systemClock } from '@model-rtc/protocol';
import type { RateLimiter } from './rate-limiter.ts';

/** What may go at once after a rest: timers are too coarse for less, and more would be a noticeable burst. */
const BURST_MS = 50;
const MIN_BURST_BYTES = 16 * 1024;

export interface RateLimiterOptions {
  /** Infinity for no limit at present. */
  readonly bytesPerSecond: number;
  readonly clock?: Clock | undefined;
}

/** A limiter whose rate can be changed, and that can be shared out. */
export interface AdjustableLimiter extends RateLimiter {
  /** Bytes a second; infinity lets everything through. */
  rate: number;
  share(): RateLimiter;
}

interface Waiting {
  readonly bytes: number;
  readonly grant: () => void;
}

/** One taker, or several that count as one. */
interface Share {
  readonly waiting: Waiting[];
  /** Bytes that it was granted, or would have been if it had always wanted some. */
  served: number;
}

/**
 * Keeps to a rate, as a token bucket that may be overdrawn: whoever takes while nothing is owed goes at once, and the next
 * one waits until that is paid for. So the rate holds for any sizes, even one larger than the bucket.
 */
export function createRateLimiter({ bytesPerSecond, clock = systemClock }: RateLimiterOptions): AdjustableLimiter {
  return new TokenBucket(bytesPerSecond, clock);
}

class TokenBucket implements AdjustableLimiter {
  readonly #clock: Clock;
  readonly #shares = new Set<Share>();
  readonly #common: Share = { waiting: [], served: 0 };
  #bytesPerSecond: number;
  #balance: number;
  #atMs: number;
  /** What the last share to be served has had: a share that wants more after a rest starts there. */
  #served = 0;
  #stopTimer: (() => void) | undefined;

  constructor(bytesPerSecond: number, clock: Clock) {
    this.#clock = clock;
    this.#bytesPerSecond = bytesPerSecond;
    this.#atMs = clock.nowMs();
    this.#balance = this.#burstBytes;
  }

  get rate(): number {
    return this.#bytesPerSecond;
  }

  set rate(bytesPerSecond: number) {
    this.#refill();
    this.#bytesPerSecond = bytesPerSecond;
    this.#balance = Math.min(this.#balance, this.#burstBytes);
    this.#arm();
  }

  take(bytes: number, signal?: AbortSignal): Promise<void> {
    return this.#take(this.#common, bytes, signal);
  }

  room(): number {
    this.#refill();
    return this.#shares.size > 0 ? 0 : Math.max(0, Math.floor(this.#balance));
  }

  share(): RateLimiter {
    const share: Share = { waiting: [], served: 0 };
    return { take: (bytes, signal) => this.#take(share, bytes, signal), room: () => this.room() };
  }

  async #take(share: Share, bytes: number, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const giveUp = (): void => {
        share.waiting.splice(share.waiting.indexOf(waiting), 1);
        if (share.waiting.length === 0) this.#shares.delete(share);
        reject(signal?.reason);
      };
      const grant = (): void => {
        signal?.removeEventListener('abort', giveUp);
        resolve();
      };
      const waiting: Waiting = { bytes, grant };
      signal?.addEventListener('abort', giveUp, { once: true });
      if (share.waiting.length === 0) share.served = Math.max(share.served, this.#served);
      share.waiting.push(waiting);
      this.#shares.add(share);
      this.#serve();
    });
  }

  /** Grants what is due, first to the share that has had the least. */
  #serve(): void {
    this.#refill();
    while (this.#balance > 0) {
      const share = this.#neediest();
      const waiting = share?.waiting.shift();
      if (share === undefined || waiting === undefined) break;
      this.#served = share.served;
      share.served += waiting.bytes;
      if (share.waiting.length === 0) this.#shares.delete(share);
      this.#balance -= waiting.bytes;
      waiting.grant();
    }
    this.#arm();
  }

  #neediest(): Share | undefined {
    let least: Share | undefined;
    for (const share of this.#shares) if (least === undefined || share.served < least.served) least = share;
    return least;
  }

  #refill(): void {
    const nowMs = this.#clock.nowMs();
    const isOpen = this.#bytesPerSecond === Number.POSITIVE_INFINITY;
    const earned = isOpen ? Number.POSITIVE_INFINITY : ((nowMs - this.#atMs) * this.#bytesPerSecond) / 1000;
    this.#balance = Math.min(this.#burstBytes, this.#balance + earned);
    this.#atMs = nowMs;
  }

  #arm(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    if (this.#shares.size === 0) return;
    // One byte more than is owed, since the balance must be above zero.
    const delayMs = (Math.max(0, 1 - this.#balance) * 1000) / this.#bytesPerSecond;
    this.#stopTimer = this.#clock.after(Math.ceil(delayMs), () => this.#serve());
  }

  get #burstBytes(): number {
    return Math.max(MIN_BURST_BYTES, (this.#bytesPerSecond * BURST_MS) / 1000);
  }
}
