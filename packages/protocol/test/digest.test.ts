import { execFileSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  canonicalFileList,
  type Digest,
  type DigestedFile,
  digestSchema,
  isDigest,
  modelDigest,
  sha256Digest,
} from '../src/index.ts';
import { anyText } from './support/code-points.ts';

const digestOf = (byte: string) => byte.repeat(32) as Digest;
const fileArbitrary: fc.Arbitrary<DigestedFile> = fc.record({
  path: anyText({ minLength: 1, maxLength: 12 }),
  size: fc.nat(),
  sha256: fc.constantFrom(digestOf('ab'), digestOf('cd')),
});

describe('a model digest', () => {
  it('is what sha256sum gives for the canonical text', () => {
    const files = [
      { path: 'weights/caf\u00e9 10:30.bin', size: 12, sha256: digestOf('ab') },
      { path: 'config.json', size: 0, sha256: digestOf('cd') },
    ];
    const text = `${digestOf('cd')} 0 config.json\n${digestOf('ab')} 12 weights/caf\u00e9 10:30.bin\n`;
    expect(canonicalFileList(files)).toBe(text);
    const printed = execFileSync('sha256sum', { input: text, encoding: 'utf8' });
    expect(printed.split(' ')[0]).toBe(modelDigest(files));
  });

  it('sorts by the bytes of the paths, not by their UTF-16 units', () => {
    const paths = ['\u{1f42d}', '\uff61', 'a/b', 'a-b', 'a', 'B'];
    const files = paths.map((path) => ({ path, size: 1, sha256: digestOf('ab') }));
    const sorted = canonicalFileList(files).trimEnd().split('\n');
    expect(sorted.map((line) => line.split(' ')[2])).toEqual(['B', 'a', 'a-b', 'a/b', '\uff61', '\u{1f42d}']);
  });

  it('does not depend on the order of the files, and depends on each of their fields', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fileArbitrary, { minLength: 1, selector: (file) => file.path }), (files) => {
        const digest = modelDigest(files);
        expect(modelDigest([...files].reverse())).toBe(digest);
        const [first, ...rest] = files as [DigestedFile, ...DigestedFile[]];
        expect(modelDigest([{ ...first, size: first.size + 1 }, ...rest])).not.toBe(digest);
        expect(modelDigest([{ ...first, path: `${first.path}x` }, ...rest])).not.toBe(digest);
        expect(modelDigest([{ ...first, sha256: digestOf('ef') }, ...rest])).not.toBe(digest);
      }),
    );
  });
});

describe('a digest', () => {
  it('is 64 lower-case hex characters', () => {
    expect(sha256Digest(new Uint8Array())).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    for (const text of ['', 'ab', 'AB'.repeat(32), 'zz'.repeat(32), `${'ab'.repeat(32)}\n`]) {
      expect([isDigest(text), digestSchema.safeParse(text).success]).toEqual([false, false]);
    }
    expect([isDigest(digestOf('ab')), digestSchema.safeParse(digestOf('ab')).success]).toEqual([true, true]);
  });
});
