import { describe, expect, it } from '@jest/globals';
import { codeFileFacts, codeMark } from '../../src/commands/code-files.ts';

const PLAIN = { path: 'best.ckpt', suspicious: [] };
const EVIL = { path: 'last.ckpt', suspicious: ['os.system'] };

describe('the marks of models that run code', () => {
  it('tells data, code, suspicious code and what nobody looked into apart', () => {
    expect(codeMark({ codeFiles: [] })).toBe('');
    expect(codeMark({ codeFiles: [PLAIN] })).toBe('code');
    expect(codeMark({ codeFiles: [PLAIN, EVIL] })).toBe('code!');
    expect(codeMark({})).toBe('?');
  });

  it('marks what could not be examined, and says why', () => {
    const unexamined = { path: 'w.pt', suspicious: ['(too long)'], unexamined: true as const };
    expect(codeMark({ codeFiles: [PLAIN, unexamined] })).toBe('code?');
    expect(codeMark({ codeFiles: [EVIL, unexamined] })).toBe('code!');
    expect(codeFileFacts({ codeFiles: [PLAIN, unexamined, EVIL] }).map(([path]) => path)).toEqual([
      'last.ckpt',
      'w.pt',
      'best.ckpt',
    ]);
    expect(codeFileFacts({ codeFiles: [unexamined] })[0]?.[1]).toMatch(
      /^could not be examined: too long\. Do not load/,
    );
    const both = { ...unexamined, suspicious: ['(too long)', 'os.system'] };
    expect(codeMark({ codeFiles: [both] })).toBe('code!');
    expect(codeFileFacts({ codeFiles: [both] })[0]?.[1]).toMatch(/imports os\.system.*could not be examined: too long/);
  });

  it('names the suspicious files first, with what they import', () => {
    const facts = codeFileFacts({ codeFiles: [PLAIN, EVIL] });
    expect(facts.map(([path]) => path)).toEqual(['last.ckpt', 'best.ckpt']);
    expect(facts[0]?.[1]).toContain('os.system');
    expect(codeFileFacts({})).toEqual([]);
  });

  it('does not list names without end', () => {
    const suspicious = Array.from({ length: 30 }, (_, i) => `os.f${i}`);
    expect(codeFileFacts({ codeFiles: [{ path: 'a.pt', suspicious }] })[0]?.[1]).toContain('and 24 more');
  });
});
