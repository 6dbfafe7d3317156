import { describe, expect, it } from '@jest/globals';
import { CutNetwork } from '../support/cut-network.ts';

const MINUTE_MS = 60_000;
/** What whoever mended the network waits without wondering. */
const SOON_MS = 35_000;

/** Cuts the network in two halves for a while. */
async function cutFor(network: CutNetwork, ms: number): Promise<void> {
  await network.clock.advance(10_000);
  expect(network.reachedFrom(network.keys[0] as string).size).toBe(network.keys.length);
  network.cut(network.keys.slice(network.keys.length / 2));
  await network.clock.advance(ms);
  expect(network.reachedFrom(network.keys[0] as string).size).toBe(network.keys.length / 2);
  network.cut([]);
}

describe('a mesh whose network was cut in two halves', () => {
  it.each([
    [4, 1 * MINUTE_MS],
    [4, 10 * MINUTE_MS],
    [16, 1 * MINUTE_MS],
    [16, 10 * MINUTE_MS],
  ])('is one again soon after the network is: %i nodes, cut for %i ms', async (count, ms) => {
    const network = new CutNetwork(count);
    await cutFor(network, ms);
    await network.clock.advance(SOON_MS);
    for (const key of network.keys) expect(network.reachedFrom(key).size).toBe(count);
  });

  it('is one again at once where a node of the other half is heard nearby', async () => {
    const network = new CutNetwork(16);
    await cutFor(network, 10 * MINUTE_MS);
    const [first = '', last = ''] = [network.keys[0], network.keys.at(-1)];
    await network.clock.advance(1);
    network.node(first).neighbourhood.sighted(last);
    network.node(first).links.retry(last);
    await network.clock.advance(1);
    expect(network.reachedFrom(first).size).toBe(16);
  });

  it('tries few members that are gone, however many there are', async () => {
    const network = new CutNetwork(16);
    await network.clock.advance(10_000);
    network.cut(network.keys.slice(4));
    await network.clock.advance(10 * MINUTE_MS);
    network.takeDials();
    await network.clock.advance(10 * MINUTE_MS);
    // Each node has up to three attempts under way of 10 s, with a wait of 20 s between two.
    expect(network.takeDials() / 16 / 10).toBeLessThan(12);
  });

  it('tries all at once that wait, after a machine slept', async () => {
    const network = new CutNetwork(2);
    await network.clock.advance(10_000);
    network.cut(network.keys.slice(1));
    await network.clock.advance(5 * MINUTE_MS);
    network.takeDials();
    const [first = ''] = network.keys;
    for (let i = 0; i < 40 && network.takeDials() === 0; i++) await network.clock.advance(500);
    await network.clock.advance(11_000);
    network.cut([]);
    network.node(first).links.retryAll();
    await network.clock.advance(1);
    expect(network.reachedFrom(first).size).toBe(2);
  });
});
