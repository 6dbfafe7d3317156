import { describe, expect, it } from '@jest/globals';
import { type ExchangeMessage, ModelRtcError, silentLog } from '@model-rtc/protocol';
import { settle } from '../../../../../test/support/virtual-clock.ts';
import type { AnswerLane } from '../../../src/core/connect/components.ts';
import { LaneAnswers } from '../../../src/core/connect/lane-answers.ts';
import { createMemoryLanes, type Lane } from '../../../src/index.ts';

const offer = (lane: number): ExchangeMessage => ({ type: 'offer', lane, engine: 'native', sdp: 'v=0' });
const ask = (lane: number): ExchangeMessage => ({ type: 'direct_ask', lane });

function answersOf(answer: AnswerLane, maxPending = 2) {
  const sent: ExchangeMessage[] = [];
  const lanes: Lane[] = [];
  const answers = new LaneAnswers({
    answer,
    send: async (message) => void sent.push(message),
    onLane: (lane) => lanes.push(lane),
    onRefused() {},
    onSettled() {},
    maxAsks: 100,
    maxPending,
    latestOfferOnly: false,
    log: silentLog,
  });
  return { answers, sent, lanes };
}

const never: AnswerLane = () => new Promise(() => {});

describe('a worker’s answers to asks for lanes', () => {
  it('brings up several at once, and says of one too many that it is not to be had', async () => {
    const { answers, sent, lanes } = answersOf(async ({ lane }) => {
      if (lane === 0) return createMemoryLanes()[0];
      return await new Promise(() => {});
    });
    answers.take(offer(0));
    await settle();
    for (const lane of [1, 2, 3]) answers.take(ask(lane));
    await settle();
    expect(lanes).toHaveLength(1);
    expect(sent).toEqual([expect.objectContaining({ type: 'unavailable', lane: 3 })]);
  });

  it('counts those that were given up until they are gone', async () => {
    const { answers, sent } = answersOf(never);
    for (let i = 0; i < 3; i += 1) answers.take(offer(0));
    await settle();
    expect(sent).toEqual([expect.objectContaining({ type: 'unavailable', lane: 0 })]);
  });

  it('says that a lane is not to be had in place of its offer, and never after it', async () => {
    const direct: ExchangeMessage = {
      ...{ type: 'direct_offer', lane: 0, addresses: [] },
      ...{ certificate: new Uint8Array(32), token: new Uint8Array(32) },
    };
    const { answers, sent } = answersOf(async ({ lane, send }) => {
      if (lane === 0) await send(direct);
      throw new ModelRtcError('timeout', 'Nobody came.');
    });
    answers.take(ask(0));
    answers.take(ask(1));
    await settle();
    expect(sent).toEqual([direct, { type: 'unavailable', lane: 1, message: 'Nobody came.' }]);
  });

  it('keeps nothing of what a visitor says of a lane but what its answerer reads', async () => {
    const read: string[] = [];
    const { answers } = answersOf(async ({ receive }) => {
      for await (const message of receive) read.push(message.type);
      throw new ModelRtcError('network', 'It did not open.');
    });
    answers.take(offer(0));
    answers.take({ type: 'answer', lane: 0, sdp: 'v=0' });
    answers.take({ type: 'candidate', lane: 0, candidate: 'candidate:1', mid: '0' });
    answers.take(ask(1));
    answers.take({ type: 'candidate', lane: 1, candidate: 'candidate:1', mid: '0' });
    answers.finish();
    await settle();
    expect(read).toEqual(['offer', 'candidate']);
  });
});
