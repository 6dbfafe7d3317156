import { describe, expect, it } from '@jest/globals';
import { createFileChoice, MAX_PATTERNS, rebased } from '../../src/import/file-choice.ts';

describe('a pattern', () => {
  it.each([
    ['*.sh', 'run.sh', true],
    ['*.sh', 'a/b/run.sh', true],
    ['*.sh', 'run.sh.txt', false],
    ['logs', 'logs', true],
    ['logs', 'logs/version_0/best.ckpt', true],
    ['logs', 'a/logs/x', true],
    ['logs/', 'logs/x', true],
    ['/logs', 'logs/x', true],
    ['logs/**', 'logs/a/b', true],
    ['logs/*', 'logs/a/b', true],
    ['logs/*.ckpt', 'logs/a/b.ckpt', false],
    ['a/*.sh', 'b/run.sh', false],
    ['a/*.sh', 'b/a/run.sh', false],
    ['**/a/*.sh', 'b/a/run.sh', true],
    ['**', '.hidden/x', true],
    ['*', '.hidden', true],
    ['{a,b}.pt', 'b.pt', true],
    ['a:b.json', 'a:b.json', true],
    ['!*.pt', 'a.pt', false],
    ['e\u0301.pt', '\u00e9.pt', true],
    ['*.PT', 'a.pt', false],
  ])('%j on %j: %j', (pattern, path, matches) => {
    expect(createFileChoice([pattern]).includes(path)).toBe(matches);
    expect(createFileChoice([], [pattern]).excludes(path)).toBe(matches);
  });

  it.each(['', '/', './', 'x'.repeat(1025)])('cannot be %j', (pattern) => {
    expect(() => createFileChoice([], [pattern])).toThrow(/no pattern for --exclude/);
  });
});

it('counts --exclude before --include', () => {
  const choice = createFileChoice(['logs/**'], ['*.tfevents']);
  expect(['logs/a', 'logs/a.tfevents'].map(choice.includes)).toEqual([true, false]);
});

it('takes only so many patterns', () => {
  const many = Array.from({ length: MAX_PATTERNS + 1 }, (_, i) => `${i}`);
  expect(() => createFileChoice(many)).toThrow(/at most 64 patterns with --include/);
});

it('counts from the folder that it was made for', () => {
  const inside = rebased(createFileChoice(['version_0/run.sh']), 'version_0');
  expect(inside.includes('run.sh')).toBe(true);
  expect(inside.includes('version_0/run.sh')).toBe(false);
});
