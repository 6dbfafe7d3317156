import { describe, expect, it } from '@jest/globals';
import { boundRow, median, ratioRow, reaches } from '../../../bench/support/benchmark.ts';
import { renderTable, withOutcome } from '../../../bench/support/report.ts';

const OF_100 = { samples: [100], failed: undefined };

describe('median', () => {
  it('is the middle value, or the mean of the middle two', () => {
    expect(median([30, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 100])).toBe(3);
    expect(median([7])).toBe(7);
  });

  it('refuses to be of nothing', () => {
    expect(() => median([])).toThrow('no median');
  });
});

describe('reaches', () => {
  it('compares the ratio of the medians with the least that is required', () => {
    // The machine was slow in the second repeat, for both.
    const of = {
      what: 'pull',
      unit: 'MB/s',
      samples: [80, 40, 90],
      beside: { samples: [100, 50, 100], failed: undefined },
    };
    const row = ratioRow({ ...of, atLeast: 0.8 });
    expect(row).toMatchObject({ value: 80, baseline: 100, ratio: 0.8 });
    expect(() => ratioRow({ ...of, samples: [80], atLeast: 0.8 })).toThrow('baseline of its own');
    expect(reaches(row)).toBe(true);
    expect(reaches(ratioRow({ what: 'pull', unit: 'MB/s', samples: [79], beside: OF_100, atLeast: 0.8 }))).toBe(false);
  });

  it('compares a value with the most that is allowed, and nothing with no requirement', () => {
    expect(reaches(boundRow({ what: 'peak', unit: 'MB', samples: [250], atMost: 250 }))).toBe(true);
    expect(reaches(boundRow({ what: 'peak', unit: 'MB', samples: [251], atMost: 250 }))).toBe(false);
    expect(reaches({ what: 'peak', unit: 'MB', value: 1, samples: [1] })).toBeUndefined();
  });
});

const OUTCOMES = [
  {
    name: 'speed',
    title: 'Speed of it',
    rows: [
      ratioRow({ what: 'pull', unit: 'MB/s', samples: [90], beside: OF_100, atLeast: 0.85 }),
      boundRow({ what: 'a longer name', unit: 'ms', samples: [2000], atMost: 1500 }),
    ],
  },
];

describe('renderTable', () => {
  it('shows what was measured beside its baseline and what is required, and marks what is missed', () => {
    expect(renderTable(OUTCOMES)).toBe(
      [
        'Speed of it',
        '                  measured  baseline  ratio    required',
        '  pull           90.0 MB/s  100 MB/s   0.90     >= 0.85      ok',
        '  a longer name    2000 ms                   <= 1500 ms  MISSED',
      ].join('\n'),
    );
  });
});

describe('the file of results', () => {
  const [speed] = OUTCOMES as [(typeof OUTCOMES)[number]];
  const at = (minute: number) => new Date(Date.UTC(2026, 0, 2, 3, minute));

  it('is JSON that tells the machine, and of each outcome when it was measured, with every sample', () => {
    const file = JSON.parse(withOutcome(undefined, speed, at(4)));
    expect(file).toMatchObject({ machine: { node: process.version } });
    expect(file.outcomes).toEqual([{ ...speed, finishedAt: '2026-01-02T03:04:00.000Z' }]);
  });

  it('keeps the outcomes of others, and replaces that of the same benchmark', () => {
    const other = { ...speed, name: 'other' };
    const both = withOutcome(withOutcome(undefined, speed, at(1)), other, at(2));
    const { outcomes } = JSON.parse(withOutcome(both, { ...speed, title: 'anew' }, at(3)));
    expect(outcomes).toMatchObject([
      { name: 'speed', title: 'anew', finishedAt: at(3).toISOString() },
      { name: 'other', finishedAt: at(2).toISOString() },
    ]);
  });

  it('keeps nothing of another machine', () => {
    const elsewhere = JSON.stringify({ machine: { node: 'v1' }, outcomes: [{ ...speed, name: 'other' }] });
    expect(JSON.parse(withOutcome(elsewhere, speed, at(1))).outcomes).toHaveLength(1);
  });
});
