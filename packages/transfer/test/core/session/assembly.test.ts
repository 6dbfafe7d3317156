import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ChunkAssembly } from '../../../src/core/session/assembly.ts';
import { sharedMemory } from '../../../src/node/disk/folder-disk.ts';
import { seededBytes } from '../../support/models.ts';

function assemblyOf(size: number): ChunkAssembly {
  return new ChunkAssembly(size, { id: 0, memory: sharedMemory(size) });
}

describe('a chunk that is put together', () => {
  it('is complete with any cut into pieces in any order', () => {
    const cuts = fc.tuple(
      fc.integer({ min: 1, max: 500 }),
      fc.array(fc.nat(500), { maxLength: 20 }),
      fc.infiniteStream(fc.nat()),
    );
    fc.assert(
      fc.property(cuts, ([size, at, order]) => {
        const bytes = seededBytes(size, size);
        const ends = [...new Set([0, ...at.filter((end) => end < size), size])].sort((a, b) => a - b);
        const pieces = ends.slice(1).map((end, i) => ({ start: ends[i] as number, end }));
        const assembly = assemblyOf(size);
        const shuffled = pieces
          .map((piece) => ({ piece, key: order.next().value as number }))
          .sort((a, b) => a.key - b.key);
        for (const [i, { piece }] of shuffled.entries()) {
          assembly.add(piece.start, bytes.subarray(piece.start, piece.end));
          expect(assembly.complete).toBe(i === pieces.length - 1);
        }
        expect(Buffer.from(assembly.buffer.memory.bytes).equals(bytes)).toBe(true);
      }),
    );
  });

  it.each([
    [0, 11],
    [10, 1],
    [-1, 2],
    [0.5, 2],
    [Number.NaN, 2],
    [Number.MAX_SAFE_INTEGER, 2],
    [3, 0],
  ])('refuses a piece at %d of %d bytes', (offset, length) => {
    expect(() => assemblyOf(10).add(offset, new Uint8Array(length))).toThrow(
      expect.objectContaining({ code: 'malformed_message' }),
    );
  });

  it.each([
    [2, 1],
    [0, 10],
    [4, 1],
    [1, 3],
    [3, 3],
  ])('refuses a piece at %d of %d bytes over bytes 2 to 5', (offset, length) => {
    const assembly = assemblyOf(10);
    assembly.add(2, new Uint8Array(3));
    expect(() => assembly.add(offset, new Uint8Array(length))).toThrow(
      expect.objectContaining({ code: 'malformed_message' }),
    );
  });

  it('refuses to be scattered into single bytes', () => {
    const assembly = assemblyOf(1000);
    expect(() => {
      for (let offset = 0; offset < 1000; offset += 2) assembly.add(offset, new Uint8Array(1));
    }).toThrow(expect.objectContaining({ code: 'malformed_message' }));
  });
});
