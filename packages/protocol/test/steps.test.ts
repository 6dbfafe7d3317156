import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../../../test/support/runs.ts';
import { canonicalFileList, type Digest, runAtOnce, runInSlices, type Steps } from '../src/index.ts';
import { sortTexts } from '../src/steps.ts';

/** Work without an end of its own: it goes on until others had their turn so often. */
function* until(isDone: () => boolean): Steps<string> {
  while (!isDone()) yield;
  return 'done';
}

it('gives others their turn while it goes on, and two works at once one slice a turn', async () => {
  let [turns, ended] = [0, 0];
  const count = (): void => {
    turns++;
    if (ended < 2) setImmediate(count);
  };
  setImmediate(count);
  // At once, neither of them would ever end.
  const work = (): Promise<string> => runInSlices(until(() => turns >= 5)).finally(() => ended++);
  expect(await Promise.all([work(), work()])).toEqual(['done', 'done']);
});

it('passes on what the work throws', async () => {
  function* failing(): Steps<void> {
    yield;
    throw new Error('broken');
  }
  await expect(runInSlices(failing())).rejects.toThrow('broken');
});

it('sorts as native code does, also where it has to merge', () => {
  const texts = Array.from({ length: 100_000 }, (_, n) => `${(n * 7_919) % 65_537} \u20ac`);
  expect(runAtOnce(sortTexts(texts))).toEqual([...texts].sort());
  const long = Array.from({ length: 40 }, (_, n) => `${(n * 7) % 41}${'x'.repeat(500_000)}`);
  expect(runAtOnce(sortTexts(long))).toEqual([...long].sort());
});

it('lists files by the bytes of their paths, characters beyond 16 bits and equal paths included', () => {
  const unit = fc.constantFrom(
    'a',
    'b',
    '/',
    '\u00e9',
    '\u20ac',
    '\ud7ff',
    '\ue000',
    '\uffff',
    '\u{10000}',
    '\u{10ffff}',
  );
  const files = fc.array(fc.string({ unit, minLength: 1, maxLength: 4 }), { maxLength: 8 });
  fc.assert(
    fc.property(files, (paths) => {
      const sha256 = 'ab'.repeat(32) as Digest;
      const sorted = [...paths].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      const list = canonicalFileList(paths.map((path) => ({ path, size: 1, sha256 })));
      expect(list).toBe(sorted.map((path) => `${sha256} 1 ${path}\n`).join(''));
    }),
    { numRuns: runs(1_000) },
  );
});
