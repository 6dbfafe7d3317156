import { describe, expect, it } from '@jest/globals';
import { createBaseline, runBaseline } from '../../../bench/support/baseline.ts';
import { beside, besideRow, boundRow, ratioRow, reaches, rowsOrFailure } from '../../../bench/support/benchmark.ts';
import { renderTable } from '../../../bench/support/report.ts';

const HANGS = 'setInterval(() => {}, 1000)';

describe('a baseline', () => {
  it('that hangs is killed at its limit, and named', async () => {
    const hanging = runBaseline([process.execPath, '-e', HANGS, 'raw.ts'], { limitMs: 300 });
    await expect(hanging).rejects.toThrow('raw.ts did not end within 0.3 s');
  });

  it('that fails says how, with what it wrote', async () => {
    const failing = runBaseline([process.execPath, '-e', 'console.error("no link"); process.exit(3)'], {});
    await expect(failing).rejects.toThrow(/ended with 3: no link/);
  });

  it('that failed once is not tried again, and is told at once', async () => {
    const told: string[] = [];
    const baseline = createBaseline((text) => told.push(text));
    let tries = 0;
    const fails = () => {
      tries += 1;
      return Promise.reject(new Error('it never opened\n    with a long story'));
    };
    await baseline.measure(() => Promise.resolve(7));
    await baseline.measure(fails);
    await baseline.measure(fails);
    expect(tries).toBe(1);
    expect(baseline.samples).toEqual([7]);
    expect(told).toEqual(['the baseline failed: it never opened']);
  });

  it('that failed leaves its row what was measured, with the reason, and no ratio', async () => {
    const baseline = createBaseline(() => undefined);
    await baseline.measure(() => Promise.reject(new Error('gone')));
    const row = { what: 'pull', unit: 'MB/s', samples: [9, 11, 10], ...beside(baseline) };
    expect(besideRow(row)).toMatchObject({ value: 10, failed: 'the baseline failed: gone' });
    expect(ratioRow({ ...row, atLeast: 0.9 }).ratio).toBeUndefined();
    expect(reaches(ratioRow({ ...row, atLeast: 0.9 }))).toBe(false);
    expect(reaches(besideRow({ ...row, required: { of: 'value', atLeast: 10 } }))).toBe(true);
  });
});

describe('rows of a benchmark, one of which fails', () => {
  it('are all in the table, the failed one with its reason below', async () => {
    const measured = () => Promise.resolve([boundRow({ what: 'memory', unit: 'MB', samples: [90], atMost: 250 })]);
    const rows = [
      ...(await rowsOrFailure('1 % loss, werift', () => Promise.reject(new Error('the transfer ended with 5')))),
      ...(await rowsOrFailure('1 % loss, direct', measured)),
    ];
    expect(renderTable([{ name: 'wan-loss', title: 'With loss', rows }]).split('\n')).toEqual([
      'With loss',
      '                    measured  baseline  ratio   required',
      '  1 % loss, werift                                        FAILED',
      '  memory             90.0 MB                   <= 250 MB      ok',
      '  FAILED 1 % loss, werift: the transfer ended with 5',
    ]);
  });
});
