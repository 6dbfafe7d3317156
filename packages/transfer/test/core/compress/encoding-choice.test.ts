import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { EncodingChoice } from '../../../src/core/compress/encoding-choice.ts';

const CHUNK = 1024 * 1024;

interface Path {
  /** Bytes a second that the link carries. */
  readonly link: number;
  /** Bytes of chunks a second that can be encoded and decoded. */
  readonly cpu: number;
  /** What encoding leaves of a chunk. */
  readonly ratio: number;
}

/** Chunks come one after another as fast as link and CPU allow; gives the part of the time that they came encoded. */
function run(choice: EncodingChoice, pathAt: (seconds: number) => Path, { from = 0, seconds = 200 } = {}): number {
  let now = from;
  let encodedSeconds = 0;
  while (now < from + seconds) {
    const { link, cpu, ratio } = pathAt(now);
    const offered = choice.offers;
    const wireBytes = offered ? Math.ceil(CHUNK * ratio) : CHUNK;
    const took = offered ? Math.max(wireBytes / link, CHUNK / cpu) : CHUNK / link;
    now += took;
    if (offered) encodedSeconds += took;
    choice.arrived({ offered, decodedBytes: CHUNK, wireBytes }, now);
  }
  return encodedSeconds / seconds;
}

describe('the choice of encodings', () => {
  it('offers them nearly always on a path that is slower than the CPU', () => {
    const link = fc.integer({ min: 100_000, max: 20_000_000 });
    fc.assert(
      fc.property(link, fc.double({ min: 0.1, max: 0.9, noNaN: true }), (link, ratio) => {
        const path = { link, cpu: 200e6, ratio };
        expect(run(new EncodingChoice(), () => path, { seconds: 1000 })).toBeGreaterThan(0.85);
      }),
      { numRuns: 15 },
    );
  });

  it('never offers them on a fast path, or when they are off', () => {
    const fast = new EncodingChoice();
    expect(run(fast, () => ({ link: 200e6, cpu: 400e6, ratio: 0.6 }))).toBe(0);
    const off = new EncodingChoice('off');
    expect(run(off, () => ({ link: 1e6, cpu: 400e6, ratio: 0.6 }))).toBe(0);
  });

  it.each([
    ['the CPU is slower than the link', { link: 20e6, cpu: 10e6, ratio: 0.6 }],
    ['the chunks do not shrink', { link: 20e6, cpu: 400e6, ratio: 1 }],
  ])('tries them now and then alone where %s', (_where, path) => {
    const part = run(new EncodingChoice(), () => path, { seconds: 1000 });
    expect(part).toBeGreaterThan(0);
    expect(part).toBeLessThan(0.05);
  });

  it('follows when what comes, or the path, changes', () => {
    const choice = new EncodingChoice();
    const random = { link: 5e6, cpu: 200e6, ratio: 1 };
    const weights = { link: 5e6, cpu: 200e6, ratio: 0.68 };
    const fast = { link: 90e6, cpu: 120e6, ratio: 0.68 };
    run(choice, () => random, { seconds: 100 });
    expect(choice.offers).toBe(false);
    run(choice, () => weights, { from: 100, seconds: 130 });
    expect(run(choice, () => weights, { from: 230, seconds: 200 })).toBeGreaterThan(0.9);
    run(choice, () => fast, { from: 430, seconds: 10 });
    expect(run(choice, () => fast, { from: 440, seconds: 100 })).toBe(0);
    run(choice, () => weights, { from: 540, seconds: 130 });
    expect(run(choice, () => weights, { from: 670, seconds: 200 })).toBeGreaterThan(0.9);
  });

  it('does not count what still comes of requests that were asked the other way', () => {
    const choice = new EncodingChoice();
    const plain = { offered: false, decodedBytes: CHUNK, wireBytes: CHUNK };
    for (let second = 0; second < 10 && !choice.offers; second++) choice.arrived(plain, second);
    expect(choice.offers).toBe(true);
    for (let second = 10; second < 100; second++) choice.arrived(plain, second);
    expect(choice.offers).toBe(true);
  });
});
