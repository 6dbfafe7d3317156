import { describe, expect, it } from '@jest/globals';
import { DEFAULT_RELAY_LIMITS, type RelayLimits } from '../../../src/limits.ts';
import { createRelayRate } from '../../../src/server/relay/relay-rate.ts';

const FRAME_BYTES = 250_000;

/** How much two pairs carry in a minute when both always have something to send and wait as they are told. */
function carriedInAMinute(limits: Partial<RelayLimits>): readonly number[] {
  let nowMs = 0;
  const rate = createRelayRate({ ...DEFAULT_RELAY_LIMITS, ...limits }, () => nowMs);
  const pairs = [0, 1].map(() => ({ meter: rate.meterPair(), waitsUntilMs: 0, bytes: 0 }));
  for (; nowMs < 60_000; nowMs++) {
    for (const pair of pairs) {
      if (pair.waitsUntilMs > nowMs) continue;
      pair.waitsUntilMs = nowMs + pair.meter(FRAME_BYTES);
      pair.bytes += FRAME_BYTES;
    }
  }
  return pairs.map(({ bytes }) => bytes / 60);
}

describe('the rates of a relay', () => {
  it('hold for each pair by itself', () => {
    for (const carried of carriedInAMinute({ bytesPerSecondPerPair: 2e6 })) {
      expect(carried).toBeGreaterThan(1.9e6);
      expect(carried).toBeLessThan(2.1e6);
    }
  });

  it('hold for all pairs together, and let none starve', () => {
    const carried = carriedInAMinute({ bytesPerSecond: 2e6 });
    expect(carried.reduce((sum, bytes) => sum + bytes, 0)).toBeGreaterThan(1.9e6);
    expect(carried.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThan(2.1e6);
    for (const bytes of carried) expect(bytes).toBeGreaterThan(0.5e6);
  });

  it('are none when none is given', () => {
    const meter = createRelayRate(DEFAULT_RELAY_LIMITS, () => 0).meterPair();
    expect([meter(1e12), meter(1e12)]).toEqual([0, 0]);
  });
});
