import { describe, expect, it } from '@jest/globals';
import { renderVerified, type VerifiedLine, type VerifyTotals } from '../../../../src/commands/client/verify/text.ts';

const TOTALS: VerifyTotals = {
  models: 1,
  bytes: 2e6,
  damaged: 0,
  incomplete: 0,
  repaired: 0,
  orphans: 0,
  seconds: 0.5,
};

function line(alias: string, more: Partial<VerifiedLine> = {}): VerifiedLine {
  return {
    entry: { id: '01234567', alias, size: 2e6, fileCount: 3 } as unknown as VerifiedLine['entry'],
    state: 'sound',
    problems: [],
    damagedFiles: 0,
    damagedChunks: [],
    damagedBytes: 0,
    settled: [],
    incomplete: [],
    ...more,
  };
}

const damaged = (alias: string, files: number): VerifiedLine =>
  line(alias, {
    state: 'damaged',
    damagedFiles: files,
    damagedBytes: 1e6,
    problems: Array.from({ length: files }, (_, i) => ({ path: `f${i}`, problem: 'it is missing' })),
  });

describe('the table of verified models', () => {
  it('says in one line that nothing is damaged', () => {
    const text = renderVerified({ models: [line('mouse')], orphans: [], totals: TOTALS }, 80);
    expect(text).toMatch(/^mouse +sound +2 MB +3$/m);
    expect(text.split('\n').at(-1)).toBe('1 model, 2 MB in 500ms: nothing is damaged');
  });

  it('puts damaged models last, with their first problems and how many more there are', () => {
    const models = [damaged('broken', 7), line('mouse')];
    const text = renderVerified({ models, orphans: [], totals: { ...TOTALS, models: 2, damaged: 1 } }, 80);
    expect(text.indexOf('mouse')).toBeLessThan(text.indexOf('broken'));
    expect(text).toContain('  f4: it is missing\n  and 2 more files');
    expect(text).toContain('1 damaged');
  });

  it('says where a repair came from, or why there was none', () => {
    const [first, second] = [damaged('healed', 1), damaged('lost', 1)];
    const repaired = { outcome: 'repaired', from: 'lab', transferredBytes: 1e6, reusedBytes: 1e6 } as const;
    const models: VerifiedLine[] = [
      { ...first, state: 'sound', repair: repaired },
      { ...second, repair: { outcome: 'failed', reason: 'nowhere else' } },
    ];
    const text = renderVerified({ models, orphans: [], totals: { ...TOTALS, damaged: 1, repaired: 1 } }, undefined);
    expect(text).toContain('repaired: 1 MB from lab, 1 MB from this machine');
    expect(text).toContain('not repaired: nowhere else');
  });

  it('lists orphans, fits the terminal and shows no control characters of a path', () => {
    const path = `/home/someone/.local/share/model-rtc/models/\u001b[31m${'x'.repeat(60)}`;
    const orphans = [{ path, kind: 'file', reason: 'it is not of the registry', bytes: 5 }] as const;
    const text = renderVerified({ models: [], orphans, totals: { ...TOTALS, models: 0, orphans: 1 } }, 60);
    expect(text).not.toContain('\u001b');
    expect(Math.max(...text.split('\n').map((row) => row.length))).toBeLessThanOrEqual(60);
    expect(text).toContain('1 orphan');
  });

  it('is empty when there is nothing to tell of', () => {
    expect(renderVerified({ models: [], orphans: [], totals: { ...TOTALS, models: 0 } }, 80)).toBe('');
  });
});
