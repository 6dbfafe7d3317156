import { describe, expect, it } from '@jest/globals';
import { progressReader } from '../../src/runners/read-progress.ts';

describe('progress', () => {
  it.each([
    ['(\\d+)%', 'epoch 3:  45% done', { fraction: 0.45, text: '45%' }],
    ['(?<percent>[\\d.]+) ?%', 'at 99.5 %', { fraction: 0.995, text: '99.5 %' }],
    ['(?P<total>\\d+) in all, (?P<done>\\d+)', '200 in all, 50', { fraction: 0.25, text: '200 in all, 50' }],
    ['frame (\\d+)/(\\d+)', 'frame 3/4', { fraction: 0.75, text: 'frame 3/4' }],
    ['([\\d,]+) of ([\\d,]+)', '1,000 of 2,000', { fraction: 0.5, text: '1,000 of 2,000' }],
    ['(\\d+)%', 'at 250%', { fraction: 1, text: '250%' }],
  ])('%j finds it in %j', (pattern, line, progress) => {
    expect(progressReader(pattern)(line)).toEqual(progress);
  });

  it.each([
    ['(\\d+)%', 'nothing here'],
    ['(\\w+)%', 'what%'],
    ['(\\d+)/(\\d+)', '0/0'],
    ['\\d+%', '45%'],
  ])('%j finds none in %j', (pattern, line) => {
    expect(progressReader(pattern)(line)).toBeUndefined();
  });

  it('is looked for in bounded time', () => {
    expect(progressReader('(a+)+(\\d+)%$')(`${'a'.repeat(100_000)}`)).toBeUndefined();
  });
});
