import { describe, expect, it } from '@jest/globals';
import { silentLog, systemClock } from '@model-rtc/protocol';
import { settle } from '../../../../../test/support/virtual-clock.ts';
import type { AnswerLane } from '../../../src/core/connect/components.ts';
import { workerLanes } from '../../../src/core/connect/worker-lanes.ts';
import { MessageBudget } from '../../../src/core/peer/message-budget.ts';
import { createMemoryLanes, type Peer } from '../../../src/index.ts';
import { ALL, HELLO, rawSide } from '../peer/support.ts';

/** A worker that answers each further ask at once, with a lane. */
function worker() {
  const peers: Peer[] = [];
  const further = createMemoryLanes();
  const answer: AnswerLane = async ({ lane, send }) => {
    await send({ type: 'relay_offer', lane, publicKey: new Uint8Array(32) });
    return further[1];
  };
  const take = workerLanes({
    agent: { name: 'gpu-box', version: '1' },
    authority: ALL,
    handlers: {},
    budget: new MessageBudget(1024 * 1024),
    hasRoomForLane: () => true,
    answer,
    onPeer: (peer) => peers.push(peer),
    log: silentLog,
    clock: systemClock,
  });
  return { take, peers, further: further[0] };
}

describe('the lanes of a worker’s peer', () => {
  it('answers an exchange that comes right behind the hello, and takes the lane that comes of it', async () => {
    const { take, peers, further } = worker();
    const [theirs, ours] = createMemoryLanes();
    const raw = rawSide(theirs);
    await raw.say({ ...HELLO, capabilities: ['lanes'] });
    const ask = { type: 'relay_ask', lane: 7, meeting: new Uint8Array(16), publicKey: new Uint8Array(32) };
    await raw.say({ type: 'exchange', message: ask });
    take(ours);
    expect(await raw.hear()).toMatchObject({ type: 'hello' });
    expect(await raw.hear()).toMatchObject({ type: 'exchange', message: { type: 'relay_offer', lane: 7 } });
    const second = rawSide(further);
    await second.say(HELLO);
    expect(await second.hear()).toMatchObject({ type: 'hello' });
    await settle();
    expect(peers[0]?.openLanes()).toHaveLength(2);
    await peers[0]?.close();
  });
});
