import { type Clock, systemClock } from '@model-rtc/protocol';
import { DelayBasedRate, type DelaySample } from './delay-based-rate.ts';
import type { RateLimiter } from './rate-limiter.ts';
import { createRateLimiter } from './token-bucket.ts';

export interface BackgroundLimiterOptions {
  /** The highest rate that it allows. */
  readonly maxBytesPerSecond?: number | undefined;
  readonly clock?: Clock | undefined;
  /** Whether it limits from the start; true when left out. */
  readonly isOn?: boolean | undefined;
}

export interface BackgroundLimiter extends RateLimiter {
  /** Takes a measurement. Call it a few times a second, with the shortest round-trip time of the lanes in use. */
  sample(measured: DelaySample): void;
  /** The present rate, in bytes a second; infinity while it is off. */
  readonly rate: number;
  /** Off, it lets everything through, and learns nothing. */
  isOn: boolean;
}

/** A limiter that yields to other traffic: it slows down when round-trip times grow. Without samples it stays slow. */
export function createBackgroundLimiter({
  maxBytesPerSecond,
  clock = systemClock,
  isOn = true,
}: BackgroundLimiterOptions = {}): BackgroundLimiter {
  let delayBased = new DelayBasedRate(maxBytesPerSecond);
  const open = Number.POSITIVE_INFINITY;
  const limiter = createRateLimiter({ bytesPerSecond: isOn ? delayBased.bytesPerSecond : open, clock });
  return {
    take: (bytes, signal) => limiter.take(bytes, signal),
    room: () => limiter.room(),
    sample(measured) {
      if (this.isOn) limiter.rate = delayBased.update(measured, clock.nowMs());
    },
    get isOn() {
      return limiter.rate !== open;
    },
    set isOn(wanted) {
      if (wanted === this.isOn) return;
      // What was measured before may be true no longer.
      delayBased = new DelayBasedRate(maxBytesPerSecond);
      limiter.rate = wanted ? delayBased.bytesPerSecond : open;
    },
    get rate() {
      return limiter.rate;
    },
  };
}
