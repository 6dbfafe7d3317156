import { describe, expect, it } from '@jest/globals';
import { nextJob } from '../../src/queue/next-job.ts';

const rules = { maxRunning: 3, maxRunningPerOwner: 2, concurrencyOf: (runner: string) => (runner === 'big' ? 1 : 2) };

function job(name: string) {
  const [owner = '', runner = ''] = name.split(':');
  return { owner, runner, name };
}

function next(waiting: readonly string[], running: readonly string[]): string | undefined {
  return nextJob(waiting.map(job), running.map(job), rules)?.name;
}

describe('the next job', () => {
  it.each([
    [['a:big', 'b:small'], [], 'a:big'],
    [['a:big', 'b:small'], ['b:big'], 'b:small'],
    [['a:small', 'b:small'], ['a:big', 'a:small'], 'b:small'],
    [['b:small'], ['a:small', 'c:small'], undefined],
    [['b:big'], ['a:small', 'b:small', 'c:x'], undefined],
    [[], [], undefined],
  ])('of %j beside %j is %j', (waiting, running, expected) => {
    expect(next(waiting, running)).toBe(expected);
  });
});
