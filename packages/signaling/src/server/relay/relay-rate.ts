import { RELAY_BURST_SECONDS, type RelayLimits } from '../../limits.ts';
import { TokenBucket } from '../token-bucket.ts';

/** Tells, of bytes that a side sent, for how many milliseconds it must not be read. */
export type Meter = (bytes: number) => number;

export interface RelayRate {
  /** A fresh pair's own limit and the server's as one. */
  meterPair(): Meter;
}

export function createRelayRate(limits: RelayLimits, nowMs: () => number): RelayRate {
  const total = meterOf(limits.bytesPerSecond, nowMs);
  return {
    meterPair() {
      const pair = meterOf(limits.bytesPerSecondPerPair, nowMs);
      return (bytes) => Math.max(pair(bytes), total(bytes));
    },
  };
}

function meterOf(bytesPerSecond: number | undefined, nowMs: () => number): Meter {
  if (bytesPerSecond === undefined) return () => 0;
  const bucket = new TokenBucket(bytesPerSecond, bytesPerSecond * RELAY_BURST_SECONDS, nowMs());
  return (bytes) => bucket.take(bytes, nowMs());
}
