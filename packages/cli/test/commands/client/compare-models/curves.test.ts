import { describe, expect, it } from '@jest/globals';
import { drawCurves } from '../../../../src/commands/client/compare-models/curves.ts';

const falling = (count: number, from: number): number[] => Array.from({ length: count }, (_, i) => from * 0.9 ** i);

describe('drawCurves', () => {
  it('draws the curves of one name into one chart, each with the symbol of its model', async () => {
    const text = await drawCurves(
      [
        { label: '1 mouse', curves: [{ name: 'val_loss', values: falling(40, 1) }] },
        { label: '2 rat', curves: [{ name: 'val_loss', values: falling(20, 0.2) }] },
      ],
      80,
    );
    const lines = text.split('\n');
    expect(lines[0]).toBe('val_loss');
    expect(lines.at(-1)).toBe('1 mouse   2 rat');
    const drawn = lines.filter((line) => line.includes('┤'));
    expect(drawn.length).toBeGreaterThan(5);
    // The first curve starts at the top and goes on to the right of where the second one, below it, ends.
    expect(drawn[0]).toContain('┤1');
    const last = (symbol: string) =>
      Math.max(...drawn.map((line) => line.slice(line.indexOf('┤')).lastIndexOf(symbol)));
    expect(last('1')).toBeGreaterThan(last('2'));
    expect(last('2')).toBeGreaterThan(0);
  });

  it.each([40, 60, 80, 200])('fits a terminal of %i columns', async (width) => {
    const curves = [{ name: 'train_loss', values: falling(1000, 12_345.678) }];
    const text = await drawCurves([{ label: '1 mouse', curves }], width);
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(width);
  });

  it('puts validation before training, and leaves out what is too much', async () => {
    const curves = ['head_a_loss', 'train_loss', 'head_b_loss', 'val_loss', 'head_c_loss'].map((name) => ({
      name,
      values: falling(5, 1),
    }));
    const text = await drawCurves([{ label: '1 mouse', curves }], 60);
    const titles = text.split('\n').filter((line) => line.endsWith('_loss'));
    expect(titles).toEqual(['val_loss', 'train_loss', 'head_a_loss', 'head_b_loss']);
    expect(text).toContain('1 more curve; --json has all of them.');
  });

  it('bridges gaps, and draws one value as one point', async () => {
    const gaps = await drawCurves(
      [{ label: '1 a', curves: [{ name: 'loss', values: [1, null, null, 0.5, null] }] }],
      60,
    );
    expect(gaps).toContain('111');
    const one = await drawCurves([{ label: '1 a', curves: [{ name: 'loss', values: [null, 0.5] }] }], 60);
    expect(one.match(/1(?! a)/g)?.length).toBeGreaterThanOrEqual(1);
  });

  it('is empty where there is nothing to draw', async () => {
    expect(await drawCurves([{ label: '1 a', curves: [] }], 80)).toBe('');
    expect(await drawCurves([{ label: '1 a', curves: [{ name: 'loss', values: [null] }] }], 80)).toBe('');
  });

  it('lets no name steer the terminal', async () => {
    const text = await drawCurves([{ label: '1 a', curves: [{ name: '\u001b[31mloss', values: [1, 2] }] }], 60);
    expect(text).not.toContain('\u001b');
  });
});
