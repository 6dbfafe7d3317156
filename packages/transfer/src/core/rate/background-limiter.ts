import { type Clock, systemClock } from '@model-rtc/protocol';
import { DelayBasedRate, type DelaySample } from './delay-based-rate.ts';
import type { RateLimiter } from './rate-limiter.ts';
import { createRateLimiter } from './token-bucket.ts';

export interface BackgroundLimiterOptions {
  /** What it never goes beyond. */
  readonly maxBytesPerSecond?: number | undefined;
  readonly clock?: Clock | undefined;
}

export interface BackgroundLimiter extends RateLimiter {
  /** Takes a measurement; to be told a few times a second, with the least round-trip time of the lanes in use. */
  sample(measured: DelaySample): void;
  /** Bytes a second, at present. */
  readonly rate: number;
}

/** A pace that yields to other traffic: it slows down when round-trip times grow. Without samples it stays slow. */
export function createBackgroundLimiter({
  maxBytesPerSecond,
  clock = systemClock,
}: BackgroundLimiterOptions = {}): BackgroundLimiter {
  const nice = new DelayBasedRate(maxBytesPerSecond);
  const pace = createRateLimiter({ bytesPerSecond: nice.bytesPerSecond, clock });
  return {
    take: (bytes, signal) => pace.take(bytes, signal),
    room: () => pace.room(),
    sample(measured) {
      pace.rate = nice.update(measured, clock.nowMs());
    },
    get rate() {
      return pace.rate;
    },
  };
}
