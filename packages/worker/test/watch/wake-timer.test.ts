import { describe, expect, it } from '@jest/globals';
import { createWakeTimer } from '../../src/watch/wake-timer.ts';

describe('an alarm', () => {
  it('ends a sleep whose time has come', async () => {
    expect(await createWakeTimer(() => 1000).sleepUntil(999)).toBeUndefined();
  });

  it('ends a sleep early when it is set earlier meanwhile, and never later', async () => {
    const alarm = createWakeTimer(() => 0);
    const sleep = alarm.sleepUntil(Number.POSITIVE_INFINITY);
    alarm.wakeBy(0);
    alarm.wakeBy(Number.POSITIVE_INFINITY);
    expect(await sleep).toBeUndefined();
  });

  it('ends the next sleep when it was set while nobody slept', async () => {
    const alarm = createWakeTimer(() => 0);
    alarm.wakeBy(0);
    expect(await alarm.sleepUntil(Number.POSITIVE_INFINITY)).toBeUndefined();
  });
});
