import { describe, expect, it } from '@jest/globals';
import { blockOf, cutParts, plainCuts } from '../../src/chunks/cut-parts.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

/** Parts of these sizes one after the other from `start`, all of one block or each of its own. */
function parts(start: number, sizes: readonly number[], block: string | readonly string[] = 'b') {
  let at = start;
  return sizes.map((size, i) => {
    at += size;
    return { start: at - size, end: at, block: typeof block === 'string' ? block : block[i] };
  });
}

describe('plainCuts', () => {
  it.each([
    [0, []],
    [1, [1]],
    [MIB, [MIB]],
    [MIB + 1, [MIB, 1]],
    [3 * MIB - 1, [MIB, MIB, MIB - 1]],
  ])('cuts %i bytes every 1 MiB', (size, expected) => {
    expect(plainCuts(size)).toEqual(expected);
  });
});

describe('cutParts', () => {
  it('gives a part of 256 KiB chunks of its own, cut every 1 MiB from its start', () => {
    const tiles = parts(100, [256 * KIB, 2 * MIB + 5, 256 * KIB]);
    const size = 100 + 2 * MIB + 5 + 512 * KIB;
    expect(cutParts(size, tiles)).toEqual([100, 256 * KIB, MIB, MIB, 5, 256 * KIB]);
  });

  it('groups smaller neighbours of a block up to 1 MiB', () => {
    const tiles = parts(
      0,
      [200, 200, 200, 200, 200, 200, 200].map((kib) => kib * KIB),
    );
    expect(cutParts(1400 * KIB, tiles)).toEqual([1000 * KIB, 400 * KIB]);
  });

  it('ends a group exactly at 1 MiB', () => {
    const tiles = parts(0, Array.from({ length: 8 }, () => 128 * KIB).concat(128 * KIB));
    expect(cutParts(9 * 128 * KIB, tiles)).toEqual([MIB, 128 * KIB]);
  });

  it('starts a chunk where a block of 16 KiB starts', () => {
    const tiles = parts(0, [20 * KIB, 20 * KIB, 30 * KIB], ['a', 'a', 'b']);
    expect(cutParts(70 * KIB, tiles)).toEqual([40 * KIB, 30 * KIB]);
  });

  it('groups blocks below 16 KiB with each other, but not with larger ones', () => {
    const tiles = parts(0, [KIB, KIB, KIB, 16 * KIB, KIB], ['a', 'b', 'c', 'd', 'e']);
    expect(cutParts(20 * KIB, tiles)).toEqual([3 * KIB, 16 * KIB, KIB]);
  });

  it('keeps what lies between parts out of their chunks', () => {
    const tiles = [
      { start: 10, end: 20, block: 'a' },
      { start: 30, end: 40, block: 'a' },
    ];
    expect(cutParts(50, tiles)).toEqual([10, 10, 10, 10, 10]);
  });

  it('takes parts in any order and passes over empty ones', () => {
    const tiles = [...parts(0, [300 * KIB, 0, 400 * KIB])].reverse();
    expect(cutParts(700 * KIB, tiles)).toEqual([300 * KIB, 400 * KIB]);
  });

  it.each([
    [
      'overlap',
      [
        { start: 0, end: 11, block: 'a' },
        { start: 10, end: 20, block: 'a' },
      ],
    ],
    ['end before they start', [{ start: 5, end: 4, block: 'a' }]],
    ['leave the file', [{ start: 5, end: 21, block: 'a' }]],
    ['start before the file', [{ start: -1, end: 4, block: 'a' }]],
    ['are no numbers', [{ start: Number.NaN, end: 4, block: 'a' }]],
  ])('refuses parts that %s', (_, tiles) => {
    expect(() => cutParts(20, tiles)).toThrow('parts overlap or leave the file');
  });
});

describe('blockOf', () => {
  it.each([
    ['model.layers.3.self_attn.q_proj.weight', 'model.layers.3'],
    ['blk.0.ffn_up.weight', 'blk.0'],
    ['encoder.0.weight', 'encoder.0'],
    ['model.norm.weight', 'model.norm'],
    ['lm_head.weight', 'lm_head'],
    ['weight', ''],
    ['', ''],
  ])('takes %j into %j', (name, block) => {
    expect(blockOf(name)).toBe(block);
  });
});
