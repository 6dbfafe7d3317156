import { posix, win32 } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../../../test/support/runs.ts';
import { modelPathProblem, modelPathSchema, pathsProblem, windowsPathProblem } from '../src/index.ts';
import { foldCase } from '../src/model-path.ts';
import { syntaxCases } from './support/syntax-cases.ts';

describe('a model path', () => {
  it.each(syntaxCases('model-path-valid.txt') as string[])('may be %j', (path) => {
    expect(modelPathProblem(path)).toBeUndefined();
    expect(modelPathSchema.safeParse(path)).toEqual({ success: true, data: path });
  });

  it.each(syntaxCases('model-path-invalid.txt') as string[])('cannot be %j', (path) => {
    expect(modelPathProblem(path)).toEqual(expect.any(String));
    expect(modelPathSchema.safeParse(path).success).toBe(false);
  });

  it('never leaves the folder that it is joined to, on any platform', () => {
    const piece = fc.oneof(
      fc.constantFrom('..', '.', '/', '\\', 'C:', '', 'a', '...', '\0'),
      fc.string({ maxLength: 4 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 6 }), fc.constantFrom('/', '\\', ''), (pieces, separator) => {
        const path = pieces.join(separator);
        fc.pre(modelPathProblem(path) === undefined);
        expect(posix.join('/models/x', path).startsWith('/models/x/')).toBe(true);
        if (windowsPathProblem(path) !== undefined) return;
        expect(win32.resolve('C:\\models\\x', path).startsWith('C:\\models\\x\\')).toBe(true);
      }),
      { numRuns: runs(2000) },
    );
  });
});

describe('the paths of one model', () => {
  const long = (character: string) => `${character}${'/long/folder'.repeat(40)}`;

  it('are one when they fold to the same, in long folders and in any script', () => {
    const part = fc.constantFrom(
      'a',
      'A',
      'ß',
      'SS',
      'ς',
      'Σ',
      'σ',
      '\u0338',
      'e\u0301',
      'é',
      'İ',
      long('a'),
      long('A'),
    );
    const text = fc.array(part, { minLength: 1, maxLength: 4 }).map((names) => names.join('/'));
    const spelled = fc.array(part, { minLength: 1, maxLength: 3 }).map((letters) => letters.join(''));
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            text,
            fc.array(spelled, { maxLength: 3 }).map((names) => names.join('/')),
          ),
          { maxLength: 8 },
        ),
        (paths) => {
          const folded = paths.map(foldCase);
          const isWrong = folded.some((one, i) =>
            folded.some((other, j) => i !== j && (other === one || other.startsWith(`${one}/`))),
          );
          expect(pathsProblem(paths) !== undefined).toBe(isWrong);
        },
      ),
      { numRuns: runs(2000) },
    );
  });
});

describe('on Windows', () => {
  it.each(['a:b.json', 'c:x', 'x/10:30.csv', 'a?', 'a*b', '<a>', 'a|b', 'a"b'])('a model cannot have %j', (path) => {
    expect(modelPathProblem(path)).toBeUndefined();
    expect(windowsPathProblem(path)).toMatch(/has "/);
  });

  it('a model can have other names', () => {
    expect(windowsPathProblem('weights/best (1).ckpt')).toBeUndefined();
  });
});

describe('the paths of one model', () => {
  it('may stand beside each other', () => {
    expect(pathsProblem(['a/b', 'a/c', 'ab', 'b'])).toBeUndefined();
    expect(pathsProblem(['a', 'a b', 'a-/c', 'a.c', 'a0/b', 'ab/a'])).toBeUndefined();
  });

  it.each([
    [['a', 'a']],
    [['a/B', 'A/b']],
    [['stra\u00dfe', 'STRASSE']],
    [['a', 'a/b']],
    [['x/Y/z', 'X/y']],
    [['a', 'a b', 'a-', 'a.c', 'a/b']],
  ])('cannot be %j together', (paths) => {
    expect(pathsProblem(paths)).toEqual(expect.any(String));
    expect(pathsProblem([...paths].reverse())).toEqual(expect.any(String));
  });

  it('are found wrong together just when two are one, or one is a folder of another', () => {
    const name = fc.constantFrom('a', 'A', 'a-', 'b', 'a b');
    const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join('/'));
    fc.assert(
      fc.property(fc.array(path, { maxLength: 8 }), (paths) => {
        const folded = paths.map((text) => text.toLowerCase());
        const isWrong = folded.some((one, i) =>
          folded.some((other, j) => i !== j && (other === one || other.startsWith(`${one}/`))),
        );
        expect(pathsProblem(paths) !== undefined).toBe(isWrong);
      }),
    );
  });
});
