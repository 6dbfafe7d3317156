import { describe, expect, it } from '@jest/globals';
import type { Digest, Manifest } from '@model-rtc/protocol';
import fc from 'fast-check';
import { extentsAt, fileAt, placeAt, placesOf, planLayout, sizeOf } from '../../../src/core/layout/layout.ts';
import { contentsOf, makeModel, seededBytes } from '../../support/models.ts';

describe('the layout of a model', () => {
  it('covers every byte of every file exactly once, however files and chunks are cut', () => {
    const shape = fc.tuple(
      fc.array(fc.nat(50), { minLength: 1, maxLength: 10 }),
      fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 4 }),
    );
    fc.assert(
      fc.property(shape, ([sizes, cut]) => {
        const model = makeModel(Object.fromEntries(sizes.map((size, i) => [`f${i}`, seededBytes(size, i)])), cut);
        const layout = planLayout(contentsOf(model));
        const covered = sizes.map((size) => new Uint8Array(size));
        for (const [place, id] of layout.idAt.entries()) {
          let bytes = 0;
          for (const { file, fileOffset, chunkOffset, length } of extentsAt(layout, place)) {
            expect(chunkOffset).toBe(bytes);
            bytes += length;
            const counts = covered[file] as Uint8Array;
            for (let at = fileOffset; at < fileOffset + length; at++) counts[at] = (counts[at] ?? 0) + 1;
          }
          expect(bytes).toBe(sizeOf(layout, id));
          expect([...placesOf(layout, id)]).toContain(place);
          expect(placeAt(layout, layout.offsetAt[place] as number)).toBe(place);
        }
        expect(covered.every((counts) => counts.every((count) => count === 1))).toBe(true);
        for (const [i, { offset, size }] of layout.files.entries())
          if (size > 0) expect(fileAt(layout, offset)).toBe(i);
      }),
    );
  });

  const { manifest, digest } = makeModel({ a: seededBytes(100, 1), b: Buffer.alloc(0) }, [30]);
  const chunk = { digest: '1'.repeat(64) as Digest, size: 30 };
  const bad: [string, Partial<Manifest>, string][] = [
    ['names the same chunk with two sizes', { chunks: [chunk, { ...chunk, size: 70 }] }, 'two sizes'],
    ['has too few chunks', { chunks: manifest.chunks.slice(1) }, 'do not cover'],
    ['has too many chunks', { chunks: [...manifest.chunks, chunk] }, 'do not cover'],
    ['has other files', { files: manifest.files.slice(1) }, 'not those of the digest'],
  ];
  it.each(bad)('is refused when the manifest %s', (_what, part, message) => {
    expect(() => planLayout({ ...manifest, digest, ...part })).toThrow(
      expect.objectContaining({ code: 'invalid_model', message: expect.stringContaining(message) }),
    );
  });
});
