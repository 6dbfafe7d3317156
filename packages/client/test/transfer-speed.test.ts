import { describe, expect, it } from '@jest/globals';
import type { Priority } from '@model-rtc/transfer';
import type { LaneInfo } from '@model-rtc/transport';
import { VirtualClock } from '../../../test/support/virtual-clock.ts';
import { TransferSpeed } from '../src/transfer-speed.ts';

const LANES = [{ kind: 'direct', rttMs: 20 }] as unknown as readonly LaneInfo[];

function speedOf(priority: Priority) {
  const clock = new VirtualClock();
  let tell = (_: Priority): void => {};
  const onPriority = (listener: (priority: Priority) => void): void => {
    tell = listener;
    listener(priority);
  };
  const speed = new TransferSpeed({}, undefined, clock, { onPriority });
  return {
    speed,
    tell: (now: Priority) => tell(now),
    isSlow: () => speed.limiter?.room() !== Number.POSITIVE_INFINITY,
  };
}

describe('a transfer with the priority low', () => {
  it('begins slowly over lanes, whose round trips tell when to give way', () => {
    const { speed, isSlow, tell } = speedOf('low');
    expect(isSlow()).toBe(true);
    speed.moved(1000, LANES);
    expect(isSlow()).toBe(true);
    tell('normal');
    expect(isSlow()).toBe(false);
  });

  it('does not stay slow where its sources tell no round trip, and gives way again once one does', () => {
    const { speed, isSlow, tell } = speedOf('normal');
    speed.moved(500, []);
    tell('low');
    expect(isSlow()).toBe(true);
    // Nothing has come yet over lanes that are being opened.
    speed.moved(0, []);
    expect(isSlow()).toBe(true);
    speed.moved(1000, []);
    expect(isSlow()).toBe(false);
    speed.moved(2000, LANES);
    expect(isSlow()).toBe(true);
  });
});
