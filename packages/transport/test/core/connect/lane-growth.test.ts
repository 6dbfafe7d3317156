import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../../../../../test/support/runs.ts';
import { LaneGrowth } from '../../../src/core/connect/lane-growth.ts';
import { LANE_GROWTH } from '../../../src/core/connect/lane-growth-settings.ts';

const STEP_MS = 10;
const OPENING_MS = 400;
const MEGABYTE = 1_000_000;

interface Path {
  /** What so many lanes carry together, in bytes a second. */
  readonly carries: (lanes: number, atMs: number) => number;
  /** How far a sample may be off, as a part of what it should be. */
  readonly noise?: number;
  readonly seed?: number;
  readonly max?: number;
  readonly first?: number;
  readonly sampleMs?: number;
  /** Of the lanes that are asked for, how many open. */
  readonly opens?: (asked: number) => number;
  readonly busy?: (atMs: number) => boolean;
  readonly isShort?: boolean;
}

/** A path on which lanes open after some round trips, and carry nothing until then. */
class Simulation {
  atMs = 0;
  lanes = 1;
  /** The number of lanes at each sample. */
  readonly history: { readonly atMs: number; readonly lanes: number }[] = [];
  readonly #path: Path;
  readonly #growth: LaneGrowth;
  readonly #random: () => number;
  #bytes = 0;
  #opening: { readonly atMs: number; readonly count: number }[] = [];
  #deviation = 1;

  constructor(path: Path) {
    this.#path = path;
    this.#growth = new LaneGrowth({ max: path.max ?? 32, first: path.first, nowMs: () => this.atMs });
    this.#random = randomOf(path.seed ?? 1);
  }

  run(forMs: number): this {
    for (const endMs = this.atMs + forMs; this.atMs < endMs; this.#step());
    return this;
  }

  /** From now on there may be only so many. */
  allow(max: number): void {
    this.#growth.max = max;
  }

  /** When the lanes first were so many. */
  reached(lanes: number): number {
    return this.history.find((sample) => sample.lanes >= lanes)?.atMs ?? Number.POSITIVE_INFINITY;
  }

  mostSince(atMs: number): number {
    return Math.max(...this.history.filter((sample) => sample.atMs >= atMs).map(({ lanes }) => lanes));
  }

  get bytes(): number {
    return this.#bytes;
  }

  #step(): void {
    const { carries, busy = () => true, sampleMs = LANE_GROWTH.sampleMs } = this.#path;
    this.atMs += STEP_MS;
    for (const { count } of this.#opening.filter(({ atMs }) => atMs <= this.atMs)) this.lanes += count;
    this.#opening = this.#opening.filter(({ atMs }) => atMs > this.atMs);
    if (busy(this.atMs)) this.#bytes += (carries(this.lanes, this.atMs) * this.#deviation * STEP_MS) / 1000;
    if (this.atMs % sampleMs === 0) this.#sample(busy(this.atMs));
  }

  #sample(busy: boolean): void {
    const { noise = 0, opens = (asked) => asked, isShort } = this.#path;
    this.#deviation = 1 + noise * (2 * this.#random() - 1);
    const change = this.#growth.sample({ lanes: this.lanes, bytes: Math.floor(this.#bytes), busy, isShort });
    this.history.push({ atMs: this.atMs, lanes: this.lanes });
    if (change === undefined) return;
    if ('close' in change) this.lanes -= change.close;
    else this.#opening.push({ atMs: this.atMs + OPENING_MS, count: opens(change.open) });
    expect(this.lanes).toBeGreaterThanOrEqual(1);
  }
}

/** Marsaglia's xorshift: the same numbers on every machine. */
function randomOf(seed: number): () => number {
  let state = (seed * 2654435761) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
}

/** As measured at 0.1 % loss and 50 ms: each association carries its part, up to the link. */
const lossy = (lanes: number): number => Math.min(lanes * 0.65, 24) * MEGABYTE;
/** As on loopback: the processor is the limit, and each further lane costs a little. */
const cpuBound = (lanes: number): number => (90 - lanes) * MEGABYTE;

describe('lane growth', () => {
  it('reaches 32 lanes within 6 s where goodput grows with their number', () => {
    const simulation = new Simulation({ carries: lossy }).run(20_000);
    expect(simulation.reached(32)).toBeLessThanOrEqual(6_000);
    expect(simulation.mostSince(6_000)).toBe(32);
    expect(simulation.lanes).toBe(32);
  });

  it('reaches them even when samples come once a second', () => {
    const simulation = new Simulation({ carries: lossy, sampleMs: 1_000 }).run(20_000);
    expect(simulation.reached(32)).toBeLessThanOrEqual(12_000);
    expect(simulation.lanes).toBe(32);
  });

  it('reaches the most, however much samples vary, when each lane carries as much as the first', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), (seed) => {
        const simulation = new Simulation({ carries: lossy, noise: 0.3, seed }).run(30_000);
        expect(simulation.reached(32)).toBeLessThanOrEqual(30_000);
      }),
      { numRuns: runs(300) },
    );
  });

  it('stays at 1 or 2 lanes where the processor is the limit', () => {
    const simulation = new Simulation({ carries: cpuBound, noise: 0.05 }).run(300_000);
    expect(simulation.mostSince(0)).toBe(2);
    expect(simulation.lanes).toBe(1);
  });

  it('loses next to nothing by trying, however much samples vary', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), (seed) => {
        const simulation = new Simulation({ carries: cpuBound, noise: 0.15, seed }).run(60_000);
        expect(simulation.bytes).toBeGreaterThan(0.85 * 60 * cpuBound(1));
        expect(simulation.mostSince(30_000)).toBeLessThanOrEqual(8);
      }),
      { numRuns: runs(300) },
    );
  });

  it('tries no second lane where one carries enough', () => {
    const growth = new LaneGrowth({ max: 16, enough: 64 * MEGABYTE, nowMs: () => atMs });
    let atMs = 0;
    for (let bytes = 0; atMs < 30_000; atMs += LANE_GROWTH.sampleMs, bytes += 40 * MEGABYTE) {
      expect(growth.sample({ lanes: 1, bytes, busy: true })).toBeUndefined();
    }
  });

  it('finds a number between two that it jumped over', () => {
    const carries = (lanes: number): number => (lanes <= 4 ? lanes * 5 : 60 / lanes) * MEGABYTE;
    const simulation = new Simulation({ carries }).run(30_000);
    // Not the very best number, which would take more time to find than it is worth.
    expect(carries(simulation.lanes)).toBeGreaterThanOrEqual(0.7 * carries(4));
  });

  it('ends with no more lanes than fill the link', () => {
    const carries = (lanes: number): number => Math.min(lanes * 3.4, 25) * MEGABYTE;
    const simulation = new Simulation({ carries, max: 16 }).run(15_000);
    expect(simulation.lanes).toBe(8);
  });

  it('tries no second lane on a short path where the other side sends slowly', () => {
    const slow = (): number => MEGABYTE / 20;
    expect(new Simulation({ carries: slow, noise: 0.9, isShort: true }).run(300_000).mostSince(0)).toBe(1);
    expect(new Simulation({ carries: slow, noise: 0.9 }).run(300_000).mostSince(0)).toBeGreaterThan(8);
  });

  it('goes down when fewer are allowed than before, and stays there', () => {
    const simulation = new Simulation({ carries: lossy }).run(20_000);
    simulation.allow(4);
    simulation.run(2_000);
    const sinceMs = simulation.atMs;
    expect(simulation.run(120_000).mostSince(sinceMs)).toBe(4);
    simulation.allow(32);
    expect(simulation.run(120_000).lanes).toBe(32);
  });

  it('never asks for more than the most', () => {
    const simulation = new Simulation({ carries: lossy, max: 6 }).run(30_000);
    expect(simulation.mostSince(0)).toBe(6);
  });
});

describe('what lane growth settled on', () => {
  it('is questioned after a minute, and grows when the path has become one that is worth it', () => {
    const carries = (lanes: number, atMs: number): number => (atMs < 20_000 ? 15 * MEGABYTE : 20 * lossy(lanes));
    const simulation = new Simulation({ carries });
    expect(simulation.run(19_000).lanes).toBe(1);
    // Less than before, by not so much that it would be questioned at once.
    expect(simulation.run(30_000).lanes).toBe(1);
    expect(simulation.run(40_000).lanes).toBeGreaterThanOrEqual(8);
  });

  it('is questioned at once when goodput falls by half', () => {
    const carries = (lanes: number, atMs: number): number => (atMs < 20_000 ? 20 * MEGABYTE : lossy(lanes));
    const simulation = new Simulation({ carries });
    expect(simulation.run(19_000).lanes).toBe(1);
    expect(simulation.run(9_000).lanes).toBe(32);
  });

  it('is compared again when the first seconds of the first lane were its best', () => {
    // A connection that has lost nothing yet is faster than it will ever be again.
    const carries = (lanes: number, atMs: number): number => lossy(lanes) + (atMs < 2_000 ? 0.6 * MEGABYTE : 0);
    const simulation = new Simulation({ carries }).run(20_000);
    expect(simulation.reached(32)).toBeLessThanOrEqual(20_000);
  });

  it('is found where a lane carries much until it first loses a packet, as each does', () => {
    const until = new Map<number, number>();
    const carries = (lanes: number, atMs: number): number => {
      for (let lane = 0; lane < lanes; lane++) if (!until.has(lane)) until.set(lane, atMs + 1_500);
      for (const lane of until.keys()) if (lane >= lanes) until.delete(lane);
      const young = [...until.values()].filter((endMs) => atMs < endMs).length;
      return Math.min(lossy(lanes) + young * 3 * MEGABYTE, 24 * MEGABYTE);
    };
    const simulation = new Simulation({ carries, noise: 0.1 }).run(30_000);
    expect(simulation.reached(32)).toBeLessThanOrEqual(15_000);
    expect(simulation.lanes).toBe(32);
  });

  it('is a lane or two where the link is slow, whatever was tried', () => {
    const simulation = new Simulation({ carries: () => MEGABYTE, noise: 0.2 }).run(50_000);
    expect(simulation.lanes).toBeLessThanOrEqual(2);
  });

  it('is restored when lanes are lost', () => {
    const simulation = new Simulation({ carries: lossy }).run(10_000);
    simulation.lanes = 20;
    expect(simulation.run(10_000).lanes).toBe(32);
  });
});

describe('lane growth with what goes wrong', () => {
  it('makes do with the lanes that open', () => {
    const simulation = new Simulation({ carries: lossy, opens: (asked) => Math.ceil(asked * 0.75) }).run(60_000);
    expect(simulation.mostSince(0)).toBeGreaterThanOrEqual(24);
  });

  it.each([0, 3])(
    'measures what there is when of the lanes with which it begins only %i more open, and asks seldom for others',
    (more) => {
      let asked = 0;
      const opens = (): number => {
        asked += 1;
        return asked === 1 ? more : 0;
      };
      const simulation = new Simulation({ carries: lossy, first: 16, opens }).run(50_000);
      expect(simulation.lanes).toBe(1 + more);
      // At the beginning, once more since each carries little, and once more when nothing came of that.
      expect(asked).toBeLessThanOrEqual(3);
    },
  );

  it('stays with what there is when no more open', () => {
    const simulation = new Simulation({ carries: lossy, opens: () => 0 }).run(60_000);
    expect(simulation.mostSince(0)).toBe(1);
    expect(simulation.bytes).toBeGreaterThan(0);
  });

  it('does not take a pause of the transfer for a slow path', () => {
    const busy = (atMs: number): boolean => atMs % 20_000 < 15_000;
    const simulation = new Simulation({ carries: (lanes, atMs) => (busy(atMs) ? lossy(lanes) : 0), busy }).run(60_000);
    expect(simulation.mostSince(10_000)).toBe(32);
    expect(simulation.history.filter(({ atMs, lanes }) => atMs > 10_000 && lanes < 32)).toEqual([]);
  });

  it('says nothing while nothing flows, and when the count of bytes begins anew', () => {
    const growth = new LaneGrowth({ max: 32, nowMs: () => 0 });
    expect(growth.sample({ lanes: 1, bytes: 0, busy: false })).toBeUndefined();
    expect(growth.sample({ lanes: 1, bytes: 10, busy: true })).toBeUndefined();
    expect(growth.sample({ lanes: 1, bytes: 5, busy: true })).toBeUndefined();
  });
});
