import { expect, it } from '@jest/globals';
import { VirtualClock } from '../../../../test/support/virtual-clock.ts';
import { SleepWatch } from '../../src/node/sleep-watch.ts';

const EVERY_MS = 2_000;

it.each([
  ['a machine that slept, since only the date went on', EVERY_MS, 3_600_000, true],
  ['a process that stood still', 60_000, 60_000, true],
  ['a clock that was set back', EVERY_MS, -3_600_000, true],
  ['nothing where a timer is late', 9_000, 9_000, false],
])('notices %s', (_, timerMs, dateMs, hasSlept) => {
  const clock = new VirtualClock();
  let wallMs = Date.UTC(2026, 0, 1);
  const watch = new SleepWatch(clock, () => wallMs);
  clock.sleep(timerMs);
  wallMs += dateMs;
  expect(watch.hasSlept(EVERY_MS)).toBe(hasSlept);
  clock.sleep(EVERY_MS);
  wallMs += EVERY_MS;
  expect(watch.hasSlept(EVERY_MS)).toBe(false);
});
