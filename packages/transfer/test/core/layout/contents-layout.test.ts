import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { ContentsFile, Digest, ModelContents, ModelPath } from '@model-rtc/protocol';
import fc from 'fast-check';
import { contentsKey } from '../../../src/core/layout/contents-key.ts';
import {
  deciderOf,
  digestOf,
  extentsAt,
  isRange,
  placesOf,
  planLayout,
  sizeOf,
} from '../../../src/core/layout/layout.ts';
import { wantedChunk } from '../../../src/core/sources/wanted-chunk.ts';
import { contentsOf, makeModel, seededBytes } from '../../support/models.ts';

const MEBI = 1024 * 1024;
const digest = (text: string): Digest => createHash('sha256').update(text).digest('hex') as Digest;
const file = (path: string, size: number, more: Partial<ContentsFile> = {}): ContentsFile => ({
  path: path as ModelPath,
  size,
  ...(size === 0 ? {} : { sha256: digest(path) }),
  ...more,
});
const unhashed = { sha256: undefined };

describe('the layout of contents that are known in part', () => {
  it('cuts files without chunks every mebibyte from their own start', () => {
    const layout = planLayout({ files: [file('a', 2 * MEBI + 5), file('b', 0), file('c', 7)] });
    expect([...layout.sizes]).toEqual([MEBI, MEBI, 5, 7]);
    expect([...(layout.ranges ?? [])]).toEqual([1, 1, 1, 1]);
    expect([0, 1, 2, 3].map((id) => deciderOf(layout, id))).toEqual([0, 0, 0, 2]);
    expect(wantedChunk(layout, 1)).toMatchObject({ index: 1, digest: undefined, size: MEBI });
    expect(wantedChunk(layout, 2).extents()).toEqual([{ path: 'a', offset: 2 * MEBI, length: 5 }]);
  });

  it('covers every byte once, keeps every range in one file, and every chunk with a digest as it is listed', () => {
    const shape = fc.record({
      sizes: fc.array(fc.nat(50), { minLength: 1, maxLength: 10 }),
      cut: fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 4 }),
      known: fc.array(fc.boolean(), { minLength: 1, maxLength: 5 }),
    });
    fc.assert(
      fc.property(shape, ({ sizes, cut, known }) => {
        const model = makeModel(Object.fromEntries(sizes.map((size, i) => [`f${i}`, seededBytes(size, i)])), cut);
        const chunks = model.manifest.chunks.map(({ size, ...chunk }, i) =>
          known[i % known.length] ? { ...chunk, size } : { size },
        );
        const layout = planLayout({ ...contentsOf(model), chunks });
        const covered = sizes.map((size) => new Uint8Array(size));
        for (const [place, id] of layout.idAt.entries()) {
          const extents = extentsAt(layout, place);
          if (isRange(layout, id)) {
            expect(extents).toHaveLength(1);
            expect(placesOf(layout, id)).toHaveLength(1);
            expect(deciderOf(layout, id)).toBe(extents[0]?.file);
          }
          for (const { file: at, fileOffset, length } of extents) {
            const counts = covered[at] as Uint8Array;
            for (let i = fileOffset; i < fileOffset + length; i++) counts[i] = (counts[i] ?? 0) + 1;
          }
          expect(extents.reduce((sum, { length }) => sum + length, 0)).toBe(sizeOf(layout, id));
        }
        expect(covered.every((counts) => counts.every((count) => count === 1))).toBe(true);
        const listed = new Set(chunks.flatMap((chunk) => ('digest' in chunk ? [chunk.digest] : [])));
        const laid = new Set([...layout.sizes.keys()].flatMap((id) => digestOf(layout, id) ?? []));
        expect(laid).toEqual(listed);
      }),
    );
  });

  const dark: [string, ModelContents][] = [
    ['that has no hash and no chunks', { files: [file('a', 5), file('dark.bin', 5, unhashed)] }],
    [
      'that has no hash, when one of its chunks has no digest',
      {
        files: [file('a', 5), file('dark.bin', 5, unhashed)],
        chunks: [{ digest: digest('1'), size: 7 }, { size: 1 }, { digest: digest('2'), size: 2 }],
      },
    ],
  ];
  it.each(dark)('is refused for a file %s, by its name', (_what, contents) => {
    expect(() => planLayout(contents)).toThrow(
      expect.objectContaining({ code: 'invalid_model', details: { file: 'dark.bin' } }),
    );
  });

  it('takes a file without a hash whose chunks have digests, and one that git knows', () => {
    const chunks = [{ digest: digest('1'), size: 7 }, { size: 3 }];
    const files = [
      file('a', 5, unhashed),
      file('b', 2, unhashed),
      file('c', 3, { ...unhashed, gitSha1: 'a'.repeat(40) }),
    ];
    expect([...(planLayout({ files, chunks }).ranges ?? [])]).toEqual([0, 1]);
  });

  it('is refused when an empty file is said to have the hash of something', () => {
    for (const more of [{ sha256: digest('x') }, { gitSha1: 'a'.repeat(40) }]) {
      expect(() => planLayout({ files: [file('a', 0, more)] })).toThrow(
        expect.objectContaining({ code: 'invalid_model' }),
      );
    }
    expect(planLayout({ files: [file('a', 0)] }).files[0]?.sha256).toBe(digest(''));
  });

  it('is another one when the list is cut otherwise, and the same where only hashes of files are added', () => {
    const files = [file('a', 5, { ...unhashed, gitSha1: 'a'.repeat(40) })];
    const { listHash } = planLayout({ files });
    expect(planLayout({ files: [file('a', 5)] }).listHash).toBe(listHash);
    expect(planLayout({ files, chunks: [{ size: 2 }, { size: 3 }] }).listHash).not.toBe(listHash);
    expect(planLayout({ files, chunks: [{ digest: digest('1'), size: 5 }] }).listHash).not.toBe(listHash);
  });
});

describe('the key of contents', () => {
  const git = (path: string) => file(path, 5, { ...unhashed, gitSha1: 'a'.repeat(40) });

  it('is the digest, where it is given or every file has its SHA-256', () => {
    const model = makeModel({ a: seededBytes(100, 1) }, [30]);
    expect(contentsKey({ digest: model.digest, files: [git('a')] })).toBe(model.digest);
    expect(contentsKey({ files: model.manifest.files })).toBe(model.digest);
  });

  it('is the same for the same files in another order, and another for other hashes, sizes, paths and chunks', () => {
    const key = contentsKey({ files: [git('a'), git('b')] });
    expect(contentsKey({ files: [git('b'), git('a')] })).toBe(key);
    const others: ModelContents[] = [
      { files: [git('a'), git('c')] },
      { files: [git('a'), { ...git('b'), size: 6 }] },
      { files: [git('a'), { ...git('b'), gitSha1: 'b'.repeat(40) }] },
      { files: [git('a'), git('b')], chunks: [{ size: 10 }] },
      { files: [git('b'), git('a')], chunks: [{ size: 10 }] },
    ];
    expect(new Set([key, ...others.map(contentsKey)]).size).toBe(1 + others.length);
  });
});
