import { type Clock, systemClock } from '@model-rtc/protocol';
import { DelayBasedRate, type DelaySample } from './delay-based-rate.ts';
import type { RateLimiter } from './rate-limiter.ts';
import { createRateLimiter } from './token-bucket.ts';

export interface BackgroundLimiterOptions {
  /** The highest rate that it allows. */
  readonly maxBytesPerSecond?: number | undefined;
  readonly clock?: Clock | undefined;
}

export interface BackgroundLimiter extends RateLimiter {
  /** Takes a measurement. Call it a few times a second, with the shortest round-trip time of the lanes in use. */
  sample(measured: DelaySample): void;
  /** The present rate, in bytes a second. */
  readonly rate: number;
}

/** A limiter that yields to other traffic: it slows down when round-trip times grow. Without samples it stays slow. */
export function createBackgroundLimiter({
  maxBytesPerSecond,
  clock = systemClock,
}: BackgroundLimiterOptions = {}): BackgroundLimiter {
  const delayBased = new DelayBasedRate(maxBytesPerSecond);
  const limiter = createRateLimiter({ bytesPerSecond: delayBased.bytesPerSecond, clock });
  return {
    take: (bytes, signal) => limiter.take(bytes, signal),
    room: () => limiter.room(),
    sample(measured) {
      limiter.rate = delayBased.update(measured, clock.nowMs());
    },
    get rate() {
      return limiter.rate;
    },
  };
}
