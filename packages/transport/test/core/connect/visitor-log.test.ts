import { describe, expect, it } from '@jest/globals';
import { VirtualClock } from '../../../../../test/support/virtual-clock.ts';
import { VisitorLog } from '../../../src/core/connect/visitor-log.ts';

function createLog() {
  const [warned, rest]: [string[], string[]] = [[], []];
  const clock = new VirtualClock();
  const log = {
    debug: (_: object, message: string) => void rest.push(message),
    info() {},
    warn: (_: object, message: string) => void warned.push(message),
  };
  return { warned, rest, clock, visitors: new VisitorLog(log, clock) };
}

describe('VisitorLog', () => {
  it('warns once of what a visitor repeats, and again when it goes on after a while', async () => {
    const { warned, rest, clock, visitors } = createLog();
    for (let i = 0; i < 100; i++) visitors.warn({}, 'refused');
    expect([warned.length, rest.length]).toEqual([1, 99]);
    await clock.advance(10 * 60_000);
    visitors.warn({}, 'refused');
    expect(warned).toHaveLength(2);
  });

  it('warns of no more than some different things', () => {
    const { warned, visitors } = createLog();
    for (let i = 0; i < 1_000; i++) visitors.warn({}, `refused ${i}`);
    expect(warned).toHaveLength(20);
  });
});
