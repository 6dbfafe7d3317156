import { describe, expect, it } from '@jest/globals';
import { SimulatedSwarm, type SwarmOfNodes } from '../../support/simulated-swarm.ts';

const MIB = 1024 * 1024;
const MB = 1_000_000;

/** Numbers from 0 to below 1 that are the same in each run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const twenty: SwarmOfNodes = {
  ...{ chunks: 96, chunkBytes: MIB, nodes: 20, peers: 8, newsMs: 400 },
  ...{ seedBytesPerSecond: 4 * MB, nodeBytesPerSecond: 40 * MB, random: seeded(1) },
};

/** How long the seed needs to send the model once. */
function downloadMs({ chunks, chunkBytes, seedBytesPerSecond }: SwarmOfNodes): number {
  return (chunks * chunkBytes * 1000) / seedBytesPerSecond;
}

describe('twenty nodes that fetch one model from one slow seed', () => {
  it.each([1, 2])('finish in less than one and a half downloads (random %d)', (seed) => {
    const options = { ...twenty, random: seeded(seed) };
    const { lastMs, seedBytes } = new SimulatedSwarm(options).run();
    expect(lastMs).toBeLessThan(1.5 * downloadMs(options));
    expect(seedBytes).toBeLessThan(1.2 * options.chunks * MIB);
  });

  it('take little longer where news travels slowly and the model has few chunks', () => {
    const options = { ...twenty, chunks: 24, newsMs: 600, random: seeded(7) };
    expect(new SimulatedSwarm(options).run().lastMs).toBeLessThan(1.5 * downloadMs(options));
  });

  it('take no longer over several connections to a seed that needs half a minute for a chunk on each', () => {
    const slow = { nodes: 10, chunks: 20, lanes: 4, seedBytesPerSecond: MB / 2, newsMs: 1_000 };
    const options = { ...twenty, ...slow, random: seeded(5) };
    const { lastMs, seedBytes } = new SimulatedSwarm(options).run();
    expect(lastMs).toBeLessThan(1.5 * downloadMs(options));
    expect(seedBytes).toBeLessThan(1.2 * options.chunks * MIB);
  });

  it('would take more than twice as long without a seed that lets chunks spread', () => {
    const options = { ...twenty, chunks: 24, random: seeded(7), spreads: false };
    const { seedBytes } = new SimulatedSwarm(options).run();
    expect(seedBytes).toBeGreaterThan(2 * options.chunks * MIB);
  });

  it('finish without the seed once every chunk is out', () => {
    const options = { ...twenty, random: seeded(3), seedLeavesAfter: twenty.chunks };
    const { lastMs, seedBytes } = new SimulatedSwarm(options).run();
    expect(lastMs).toBeLessThan(1.5 * downloadMs(options));
    expect(seedBytes).toBeLessThan(1.2 * options.chunks * MIB);
  });
});
