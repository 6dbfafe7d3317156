import { describe, expect, it } from '@jest/globals';
import { createMemoryLanes } from '../../../src/core/lane/memory-lane.ts';
import { laneConformance } from '../../support/lane-conformance.ts';
import { LANE_SCENARIOS } from '../../support/lane-scenarios.ts';
import { createSideline } from '../../support/sideline.ts';

laneConformance('memory', async () => ({
  async play(name) {
    const scenario = LANE_SCENARIOS[name];
    const [left, right] = createMemoryLanes();
    const leftSide = createSideline((event) => rightSide.hear(event));
    const rightSide = createSideline((event) => leftSide.hear(event));
    await Promise.all([scenario?.left(left, leftSide), scenario?.right(right, rightSide)]);
  },
  async close() {},
}));

describe('the faults of a memory lane', () => {
  it('a hung lane takes messages up to its mark, delivers none of them, tells nobody, and can still be ended', async () => {
    const [left, right] = createMemoryLanes({ highWaterMark: 10 });
    left.faults.hang();
    await left.send(new Uint8Array(9));
    const stuck = left.send(new Uint8Array(1));
    await right.send(new Uint8Array(3));
    await left.close();
    await stuck;
    expect(right.stats().receivedBytes).toBe(0);
    expect(left.stats().receivedBytes).toBe(3);
    right.abort();
    expect(await left.closed).toBeUndefined();
  });

  it('a damaged message arrives changed, and a lost one not at all', async () => {
    const [left, right] = createMemoryLanes();
    left.faults.damage((message) => (message[0] === 1 ? undefined : message.fill(7)));
    await left.send(new Uint8Array([1, 1]));
    await left.send(new Uint8Array([2, 2]));
    await left.close();
    const received = [];
    for await (const message of right.messages) received.push([...message]);
    expect(received).toEqual([[7, 7]]);
  });

  it('a cut lane fails on both sides, and so does a send that waits', async () => {
    const [left, right] = createMemoryLanes({ highWaterMark: 1 });
    const waiting = left.send(new Uint8Array(5));
    right.faults.cut();
    await expect(waiting).rejects.toMatchObject({ code: 'network' });
    expect(await left.closed).toMatchObject({ code: 'network' });
    expect(await right.closed).toMatchObject({ code: 'network' });
  });

  it('acknowledges what is read, so that a slow lane can be told from a dead one', async () => {
    const [left, right] = createMemoryLanes();
    await left.send(new Uint8Array(5));
    expect(left.stats().heard).toBe(0);
    await right.messages[Symbol.asyncIterator]().next();
    expect(left.stats().heard).toBe(1);
  });
});
