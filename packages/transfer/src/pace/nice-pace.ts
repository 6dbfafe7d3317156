import { type Clock, systemClock } from '@model-rtc/protocol';
import { NiceRate, type NiceSample } from './nice-rate.ts';
import type { Pace } from './pace.ts';
import { createPace } from './token-bucket.ts';

export interface NicePaceOptions {
  /** What it never goes beyond. */
  readonly maxBytesPerSecond?: number | undefined;
  readonly clock?: Clock | undefined;
}

export interface NicePace extends Pace {
  /** Takes a measurement; to be told a few times a second, with the least round-trip time of the lanes in use. */
  sample(measured: NiceSample): void;
  /** Bytes a second, at present. */
  readonly rate: number;
}

/** A pace that yields to other traffic: it slows down when round-trip times grow. Without samples it stays slow. */
export function createNicePace({ maxBytesPerSecond, clock = systemClock }: NicePaceOptions = {}): NicePace {
  const nice = new NiceRate(maxBytesPerSecond);
  const pace = createPace({ bytesPerSecond: nice.bytesPerSecond, clock });
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
