import { describe, expect, it } from '@jest/globals';
import { contentsDigest, type Digest } from '@model-rtc/protocol';
import { planLayout } from '@model-rtc/transfer';
import { cut, digestOf, sha256 } from '../../../../test/support/registry-folder.ts';
import { parseStaticManifest } from '../../src/index.ts';

const FILES = { 'a.bin': Buffer.alloc(25, 'a'), empty: Buffer.alloc(0), 'd/b.bin': Buffer.alloc(8, 'b') };

function parse(value: unknown) {
  const bytes = Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
  return parseStaticManifest(bytes, sha256(bytes));
}

function problem(value: unknown): unknown {
  try {
    parse(value);
  } catch (error) {
    return error;
  }
  throw new Error('it was accepted');
}

describe('a manifest of a static registry', () => {
  it('tells the files and the digests of chunks, which span files; the last one is short', () => {
    const { manifest } = cut(FILES, { chunkBytes: 10 });
    const { contents, chunks } = parse({ ...manifest, comment: 'of others' });
    expect(chunks).toHaveLength(4);
    expect(contents.chunks?.map(({ size }) => size)).toEqual([10, 10, 10, 3]);
    expect(contents.files.map(({ path, sha256: known }) => [path, known])).toEqual([
      ['a.bin', undefined],
      ['empty', undefined],
      ['d/b.bin', undefined],
    ]);
    expect(contentsDigest(contents)).toBeUndefined();
  });

  it('tells the digest when it has the hashes of files, or says it', () => {
    const { manifest } = cut(FILES, { chunkBytes: 10, withHashes: true });
    expect(contentsDigest(parse(manifest).contents)).toBe(digestOf(FILES));
    const { digest: _, ...unsaid } = manifest;
    expect(contentsDigest(parse(unsaid).contents)).toBe(digestOf(FILES));
    expect(problem({ ...manifest, digest: sha256('x') })).toMatchObject({ code: 'invalid_model' });
  });

  it('has spans in place of chunks that are longer than ours may be', () => {
    const files = { 'a.bin': Buffer.alloc(9_000_000, 1), 'b.bin': Buffer.alloc(5_000_000, 1) };
    const { contents } = parse(cut(files, { chunkBytes: 5_000_000 }).manifest);
    expect(contents.chunks).toBeUndefined();
    expect(contents.spans?.map(({ size }) => size)).toEqual([5_000_000, 5_000_000, 4_000_000]);
    // The first two are the same.
    expect(planLayout(contents).sizes).toHaveLength(9);
  });

  it('may have a hundred thousand chunks', () => {
    const chunks = Array.from({ length: 100_000 }, (_, i) => sha256(String(i)));
    const total = 100_000 * 10_000_000 - 5;
    const manifest = { total_size: total, chunk_size: 10_000_000, chunks, files: [{ path: 'a', size: total }] };
    const { contents } = parse(manifest);
    expect(planLayout(contents).totalBytes).toBe(total);
  });

  it('is not looked at when its bytes do not have its hash', () => {
    const bytes = Buffer.from(JSON.stringify(cut(FILES, { chunkBytes: 10 }).manifest));
    expect(() => parseStaticManifest(bytes, 'f'.repeat(64) as Digest)).toThrow(
      expect.objectContaining({ code: 'verification_failed' }),
    );
  });

  const good = cut(FILES, { chunkBytes: 10 }).manifest;
  const named = (path: string) => ({ ...good, files: [{ path, size: 33 }] });
  it.each([
    ['text', 'hello'],
    ['a list', []],
    ['no files', { ...good, files: [] }],
    ['a file that climbs out', named('../x')],
    ['an absolute path', named('/etc/passwd')],
    ['a path of Windows', named('C:/x')],
    ['a path with backslashes', named('a\\b')],
    ['a device name', named('NUL.txt')],
    ["the registry's own folder", named('.model-rtc/entry.json')],
    ['a path of another type', { ...good, files: [{ path: 7, size: 33 }] }],
    ['files that are no maps', { ...good, files: ['x'] }],
    [
      'two files of one name',
      {
        ...good,
        files: [
          { path: 'A', size: 30 },
          { path: 'a', size: 3 },
        ],
      },
    ],
    [
      'a file that is a folder too',
      {
        ...good,
        files: [
          { path: 'a', size: 30 },
          { path: 'a/b', size: 3 },
        ],
      },
    ],
    ['files of another size', { ...good, files: [{ path: 'a', size: 34 }] }],
    [
      'a negative size',
      {
        ...good,
        files: [
          { path: 'a', size: -1 },
          { path: 'b', size: 34 },
        ],
      },
    ],
    ['a broken size', { ...good, files: [{ path: 'a', size: 33.5 }] }],
    [
      'sizes that overflow',
      {
        ...good,
        files: [
          { path: 'a', size: 2 ** 53 - 1 },
          { path: 'b', size: 2 ** 53 - 1 },
        ],
      },
    ],
    ['a total that overflows', { ...good, total_size: 2 ** 60 }],
    ['chunks of nothing', { ...good, chunk_size: 0 }],
    ['too few chunks', { ...good, chunks: good.chunks.slice(1) }],
    ['too many chunks', { ...good, chunks: [...good.chunks, good.chunks[0]] }],
    ['a chunk that is a path', { ...good, chunks: [...good.chunks.slice(1), '../../models.json'] }],
    ['a file with a wrong SHA-256', { ...good, files: [{ path: 'a', size: 33, sha256: 'x' }] }],
  ])('is refused with %s', (_what, value) => {
    expect(problem(value)).toMatchObject({ code: 'invalid_model', details: { problem: 'manifest_invalid' } });
  });
});
