import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LineSplitter, type OutputLine } from '../../src/log/line-splitter.ts';

function split(parts: readonly Uint8Array[]): OutputLine[] {
  const splitter = new LineSplitter();
  return [...parts.flatMap((part) => splitter.push(part)), ...splitter.end()];
}

function texts(text: string): string[] {
  return split([Buffer.from(text)]).map((line) => line.text);
}

describe('the lines of a program', () => {
  it.each([
    ['a\nb\n', ['a', 'b']],
    ['a\r\nb', ['a', 'b']],
    ['\n\n', ['', '']],
    ['', []],
    ['x\r', ['x']],
    ['x'.repeat(4097), ['x'.repeat(4096), 'x']],
    [`${'x'.repeat(4096)}\n`, ['x'.repeat(4096)]],
    [`${'x'.repeat(4095)}😀`, ['x'.repeat(4095), '😀']],
  ])('of %j are %j', (text, lines) => {
    expect(texts(text)).toEqual(lines);
  });

  it('that are drawn over are marked, and those that end with both characters are not', () => {
    const lines = split([Buffer.from('10%\r20%\r\ndone\n')]);
    expect(lines.map(({ isDrawnOver }) => isDrawnOver)).toEqual([true, false, false]);
  });

  it('are the same however their bytes come', () => {
    const text = fc.string({
      unit: fc.constantFrom('a', 'é', '😀', '\n', '\r', '\r\n', 'x'.repeat(3000)),
      maxLength: 20,
    });
    fc.assert(
      fc.property(text, fc.array(fc.nat(5000), { maxLength: 8 }), (all, cuts) => {
        const bytes = Buffer.from(all);
        const sorted = [0, ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length];
        const parts = sorted.slice(1).map((end, index) => bytes.subarray(sorted[index], end));
        const lines = split(parts);
        expect(lines).toEqual(split([bytes]));
        expect(lines.every(({ text: line }) => line.length <= 4096)).toBe(true);
        expect(lines.map((line) => line.text).join('')).toBe(all.replaceAll(/[\r\n]/g, ''));
      }),
    );
  });
});
