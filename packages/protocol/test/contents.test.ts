import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  contentsDigest,
  contentsManifest,
  type Digest,
  MAX_CHUNK_BYTES,
  type ModelContents,
  type ModelPath,
  manifestDigest,
  parseContents,
  parseManifest,
} from '../src/index.ts';

const SHA256 = 'a'.repeat(64) as Digest;
const file = (path: string, size = 5) => ({ path: path as ModelPath, size });
const MANIFEST = parseManifest({
  version: 1,
  files: [
    { ...file('a'), sha256: SHA256 },
    { ...file('b/c'), sha256: SHA256, mode: 0o755 },
  ],
  chunker: 'test',
  chunks: [{ digest: SHA256, size: 10 }],
});

describe('contents', () => {
  it('are what a hub knows, what a static registry knows, and a manifest', () => {
    const given: ModelContents[] = [
      {
        files: [
          { ...file('a'), sha256: SHA256 },
          { ...file('b'), gitSha1: 'b'.repeat(40) },
        ],
      },
      { files: [file('a'), file('b')], chunks: [{ digest: SHA256, size: 7 }, { size: 3 }] },
    ];
    for (const contents of given) expect(parseContents(contents)).toEqual(contents);
    const { version: _, ...known } = MANIFEST;
    expect(parseContents(MANIFEST)).toEqual(known);
  });

  const bad: [string, object, string][] = [
    ['have a path that leaves the model', { files: [file('../a')] }, '".."'],
    ['have an absolute path', { files: [file('/a')] }, 'absolute'],
    ['have a path twice after case folding', { files: [file('a'), file('A')] }, 'twice'],
    ['have a file that is also a folder', { files: [file('a'), file('a/b')] }, 'both a file and a folder'],
    ['have no file', { files: [] }, 'files'],
    ['have a negative size', { files: [file('a', -1)] }, 'files.0.size'],
    ['have sizes beyond any disk', { files: [file('a', 2 ** 53 - 1), file('b', 2 ** 53 - 1)] }, 'larger than any disk'],
    ['have chunks that are too few', { files: [file('a')], chunks: [{ size: 4 }] }, 'have 4 bytes'],
    ['have an empty chunk', { files: [file('a')], chunks: [{ size: 5 }, { size: 0 }] }, 'chunks.1.size'],
    ['have a huge chunk', { files: [file('a', 2 ** 30)], chunks: [{ size: MAX_CHUNK_BYTES + 1 }] }, 'chunks.0.size'],
    ['have a SHA-256 in capitals', { files: [{ ...file('a'), sha256: 'A'.repeat(64) }] }, 'files.0.sha256'],
    ['have a short git SHA-1', { files: [{ ...file('a'), gitSha1: 'a'.repeat(39) }] }, 'files.0.gitSha1'],
  ];
  it.each(bad)('are refused when they %s', (_what, contents, message) => {
    expect(() => parseContents(contents)).toThrow(
      expect.objectContaining({ code: 'invalid_model', message: expect.stringContaining(message) }),
    );
  });

  it('are refused with an error of ours or parsed, whatever is given', () => {
    const value = fc.oneof(
      fc.anything(),
      fc.record({ files: fc.array(fc.record({ path: fc.string(), size: fc.anything() })), chunks: fc.anything() }),
    );
    fc.assert(
      fc.property(value, (given) => {
        try {
          expect(parseContents(given).files.length).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toMatchObject({ code: 'invalid_model' });
        }
      }),
    );
  });

  it('are the manifest again when all of it is known, byte for byte, and none when anything is missing', () => {
    const contents = { ...MANIFEST, digest: manifestDigest(MANIFEST) };
    expect(JSON.stringify(contentsManifest(contents))).toBe(JSON.stringify(MANIFEST));
    const parts: Partial<ModelContents>[] = [
      { chunker: undefined },
      { chunks: undefined },
      { chunks: [{ size: 10 }] },
      { files: [{ ...file('a'), sha256: SHA256 }, file('b/c')] },
    ];
    for (const part of parts) expect(contentsManifest({ ...contents, ...part })).toBeUndefined();
  });

  it('have the digest that is given, else the one that their files give', () => {
    expect(contentsDigest({ digest: SHA256, files: [file('a')] })).toBe(SHA256);
    expect(contentsDigest({ files: MANIFEST.files })).toBe(manifestDigest(MANIFEST));
    expect(contentsDigest({ files: [file('a')] })).toBeUndefined();
  });
});
