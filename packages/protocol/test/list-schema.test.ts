import { describe, expect, it } from '@jest/globals';
import { METHODS } from '../src/index.ts';
import { schemaProblem } from '../src/schema-problem.ts';

const CHUNK = { digest: 'ab'.repeat(32), size: 1 };
const FILE = { path: 'a', size: 3, sha256: 'ab'.repeat(32) };

/** The problems of a request with this manifest. */
function problemsOf(manifest: object): NonNullable<ReturnType<typeof METHODS.plan_push.params.safeParse>['error']> {
  const parsed = METHODS.plan_push.params.safeParse({ manifest: { version: 1, chunker: 'c', ...manifest } });
  if (parsed.success) throw new Error('it was taken');
  return parsed.error;
}

describe('a long list from outside', () => {
  it('is taken when every item of it is right, without what items have besides', () => {
    const manifest = { version: 1, chunker: 'c', files: [{ ...FILE, colour: 'blue' }], chunks: [CHUNK, CHUNK, CHUNK] };
    expect(METHODS.plan_push.params.parse({ manifest })).toEqual({ manifest: { ...manifest, files: [FILE] } });
  });

  it('is refused at its first bad item, with the place of that, however many follow', () => {
    const bad = Array.from({ length: 1_000 }, () => ({ digest: 'x', size: -1 }));
    const problems = problemsOf({ files: [FILE], chunks: [CHUNK, ...bad] });
    expect(problems.issues.map(({ path }) => path.join('.'))).toEqual([
      'manifest.chunks.1.digest',
      'manifest.chunks.1.size',
    ]);
    expect(schemaProblem(problems)).toMatch(/^manifest\.chunks\.1\.digest: a SHA-256 is/);
  });

  it.each([
    ['no list', { files: 7, chunks: [] }, 'manifest.files'],
    ['an empty list where one item must be', { files: [], chunks: [] }, 'manifest.files'],
    ['a path that breaks a rule', { files: [FILE, { ...FILE, path: '../a' }], chunks: [] }, 'manifest.files.1.path'],
  ])('is refused as %s', (_, manifest, place) => {
    expect(problemsOf(manifest).issues[0]?.path.join('.')).toBe(place);
  });
});
