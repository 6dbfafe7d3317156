import { describe, expect, it } from '@jest/globals';
import { parseYaml } from '../../src/documents/document.ts';
import { yamlNestingBound } from '../../src/documents/yaml-nesting.ts';

/** Each shape of a text with collections in each other, by the number of levels. */
const SHAPES: Record<string, (depth: number) => string> = {
  'flow lists': (depth) => `a: ${'['.repeat(depth)}${']'.repeat(depth)}`,
  'flow maps over lines': (depth) => `${'{a:\n'.repeat(depth)}1${'}'.repeat(depth)}`,
  'lists on one line': (depth) => `${'- '.repeat(depth)}x`,
  'keys on one line': (depth) => `${'? '.repeat(depth)}x`,
  'anchored lists': (depth) => `${'&a - '.repeat(depth)}x`,
  indentation: (depth) => Array.from({ length: depth }, (_, i) => `${' '.repeat(i)}a:`).join('\n'),
};

describe('yamlNestingBound', () => {
  it.each(Object.entries(SHAPES))('is no lower than the levels of %s', (_, shape) => {
    for (const depth of [2, 30, 1000]) expect(yamlNestingBound(shape(depth))).toBeGreaterThanOrEqual(depth - 1);
  });

  it('is low for an ordinary configuration', () => {
    expect(yamlNestingBound('a:\n  b:\n    - c: [1, 2]\n      d: {e: f}\n# ---------- [\n')).toBeLessThan(20);
  });
});

describe('parseYaml', () => {
  it.each(Object.entries(SHAPES))('refuses endless %s', async (_, shape) => {
    const text = shape(100_000 / (shape(2).includes('\n ') ? 50 : 1));
    await expect(parseYaml(text)).rejects.toThrow('nested too deep');
  });

  it('takes what is as deep as it allows', async () => {
    for (const name of ['flow lists', 'lists on one line', 'indentation']) {
      expect(await parseYaml(SHAPES[name]?.(120) ?? '')).toBeTruthy();
    }
  });
});
