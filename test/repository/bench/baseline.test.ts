import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { createBaseline, runBaseline } from '../../../bench/support/baseline.ts';
import { besideRow, boundRow, ratioRow, reaches, rowsOrFailure } from '../../../bench/support/benchmark.ts';
import { renderTable } from '../../../bench/support/report.ts';

const HANGS = 'setInterval(() => {}, 1000)';

describe('a baseline', () => {
  it('that is a program is killed when its time is over', async () => {
    const hanging = runBaseline([process.execPath, '-e', HANGS, 'raw.ts'], AbortSignal.timeout(300));
    await expect(hanging).rejects.toThrow('raw.ts ended with SIGKILL');
  });

  it('that fails says how, with what it wrote', async () => {
    const command = [process.execPath, '-e', 'console.error("no link"); process.exit(3)'] as const;
    await expect(runBaseline([...command], new AbortController().signal)).rejects.toThrow(/ended with 3: no link/);
  });

  it('that hangs in this process loses its own row at the limit, and the other rows stay', async () => {
    const told: string[] = [];
    const hangs = createBaseline((text) => told.push(text), 50);
    const throws = createBaseline((text) => told.push(text), 50);
    const works = createBaseline((text) => told.push(text), 50);
    const samples: number[] = [];
    for (const sample of [10, 12]) {
      await hangs.measure(() => new Promise(() => {}));
      await throws.measure(() => {
        throw new Error('no such file');
      });
      await works.measure(() => Promise.resolve(20));
      samples.push(sample);
    }
    const row = { what: 'verify', unit: 'MB/s', samples, atLeast: 0.5 };
    expect(ratioRow({ ...row, beside: hangs })).toMatchObject({ value: 11, failed: told[0] });
    expect(ratioRow({ ...row, beside: throws })).toMatchObject({ value: 11, failed: told[1] });
    expect(ratioRow({ ...row, beside: works })).toMatchObject({ value: 11, baseline: 20, ratio: 0.55 });
    expect(told).toEqual(['the baseline failed: it did not end within 0.05 s', 'the baseline failed: no such file']);
  });

  it('is how every benchmark measures what it stands beside', async () => {
    const folder = new URL('../../../bench/benchmarks/', import.meta.url);
    for (const name of await readdir(folder)) {
      const source = await readFile(new URL(name, folder), 'utf8');
      // Only a row of `support/benchmark.ts` fills this field, and it takes it from a baseline.
      expect({ name, fills: source.includes('baselineSamples') }).toEqual({ name, fills: false });
    }
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
    const row = { what: 'pull', unit: 'MB/s', samples: [9, 11, 10], beside: baseline };
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
