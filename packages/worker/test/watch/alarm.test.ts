import { describe, expect, it } from '@jest/globals';
import { createAlarm } from '../../src/watch/alarm.ts';

describe('an alarm', () => {
  it('ends a sleep whose time has come', async () => {
    expect(await createAlarm(() => 1000).sleepUntil(999)).toBeUndefined();
  });

  it('ends a sleep early when it is set earlier meanwhile, and never later', async () => {
    const alarm = createAlarm(() => 0);
    const sleep = alarm.sleepUntil(Number.POSITIVE_INFINITY);
    alarm.ringBy(0);
    alarm.ringBy(Number.POSITIVE_INFINITY);
    expect(await sleep).toBeUndefined();
  });

  it('ends the next sleep when it was set while nobody slept', async () => {
    const alarm = createAlarm(() => 0);
    alarm.ringBy(0);
    expect(await alarm.sleepUntil(Number.POSITIVE_INFINITY)).toBeUndefined();
  });
});
