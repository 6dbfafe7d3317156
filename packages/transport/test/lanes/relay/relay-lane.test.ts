import { afterEach, describe, expect, it } from '@jest/globals';
import { ModelRtcError } from '@model-rtc/protocol';
import { answerRelay, askRelay } from '../../../src/lanes/relay/set-up.ts';
import { RELAY_ON_NODE } from '../../../src/node/create.ts';
import { laneConformance } from '../../support/lane-conformance.ts';
import { LANE_SCENARIOS } from '../../support/lane-scenarios.ts';
import { createSideline } from '../../support/sideline.ts';
import { openRelayLanes, type RelayStage, startHonestRelay } from './relay-pair.ts';

laneConformance('relay', async () => {
  const relay = await startHonestRelay();
  return {
    async play(name) {
      const scenario = LANE_SCENARIOS[name];
      const { left, right } = await openRelayLanes(relay);
      const leftSide = createSideline((event) => rightSide.hear(event));
      const rightSide = createSideline((event) => leftSide.hear(event));
      await Promise.all([scenario?.left(left, leftSide), scenario?.right(right, rightSide)]);
    },
    close: () => relay.close(),
  };
});

describe('setting up a relay lane', () => {
  let relay: RelayStage | undefined;
  afterEach(async () => {
    await relay?.close();
    relay = undefined;
  });

  it('gives lanes of kind relay, and hears of every frame that arrives', async () => {
    relay = await startHonestRelay();
    const { left, right } = await openRelayLanes(relay);
    expect([left.kind, left.engine, left.maxMessageSize]).toEqual(['relay', undefined, 263_168]);
    const before = right.stats().heard;
    await left.send(Uint8Array.of(1));
    await right.messages[Symbol.asyncIterator]().next();
    expect(right.stats().heard).toBeGreaterThan(before);
    await left.close();
    expect(await right.closed).toBeUndefined();
  });

  it('repeats the number of the lane, and names a fresh meeting and key each time', async () => {
    relay = await startHonestRelay();
    const { serverUrl } = relay;
    const [one, other] = [askRelay(RELAY_ON_NODE, 3, { serverUrl }), askRelay(RELAY_ON_NODE, 4, { serverUrl })];
    expect([one.ask.lane, other.ask.lane, answerRelay(RELAY_ON_NODE, one.ask, { serverUrl }).offer.lane]).toEqual([
      3, 4, 3,
    ]);
    expect(Buffer.compare(one.ask.meeting, other.ask.meeting)).not.toBe(0);
    expect(Buffer.compare(one.ask.publicKey, other.ask.publicKey)).not.toBe(0);
    one.abandon();
    other.abandon();
  });

  it('never opens with someone whose key did not come through the seal', async () => {
    relay = await startHonestRelay();
    const { serverUrl } = relay;
    const asked = askRelay(RELAY_ON_NODE, 1, { serverUrl });
    const intruder = answerRelay(RELAY_ON_NODE, asked.ask, { serverUrl });
    const expected = askRelay(RELAY_ON_NODE, 1, { serverUrl });
    const opening = asked.open({ type: 'relay_offer', lane: 1, publicKey: expected.ask.publicKey });
    await expect(opening).rejects.toMatchObject({ code: 'refused' });
    await expect(intruder.lane).rejects.toMatchObject({ code: expect.stringMatching(/^(refused|network)$/) });
    expected.abandon();
  });

  it('refuses a key that protects nothing', async () => {
    relay = await startHonestRelay();
    const { serverUrl } = relay;
    const asked = askRelay(RELAY_ON_NODE, 1, { serverUrl });
    const opening = asked.open({ type: 'relay_offer', lane: 1, publicKey: new Uint8Array(32) });
    await expect(opening).rejects.toMatchObject({ code: 'refused' });
    const answered = answerRelay(RELAY_ON_NODE, { ...asked.ask, publicKey: new Uint8Array(32) }, { serverUrl });
    await expect(answered.lane).rejects.toMatchObject({ code: 'refused' });
  });

  it('fails in time when the other side does not come, or does not answer', async () => {
    relay = await startHonestRelay();
    const { serverUrl } = relay;
    const { ask } = askRelay(RELAY_ON_NODE, 1, { serverUrl, timeoutMs: 1 });
    await expect(answerRelay(RELAY_ON_NODE, ask, { serverUrl, timeoutMs: 50 }).lane).rejects.toMatchObject({
      code: 'timeout',
    });
  });

  it('is given up by its signal, and by who asked for it', async () => {
    relay = await startHonestRelay();
    const { serverUrl } = relay;
    const controller = new AbortController();
    const asked = askRelay(RELAY_ON_NODE, 1, { serverUrl, signal: controller.signal });
    const offer = { type: 'relay_offer', lane: 1, publicKey: asked.ask.publicKey } as const;
    const opening = asked.open(offer);
    controller.abort(new ModelRtcError('cancelled', 'stop'));
    await expect(opening).rejects.toMatchObject({ code: 'cancelled' });
    const other = askRelay(RELAY_ON_NODE, 2, { serverUrl });
    other.abandon();
    await expect(other.open(offer)).rejects.toMatchObject({ code: 'cancelled' });
    const late = askRelay(RELAY_ON_NODE, 3, { serverUrl, signal: controller.signal });
    await expect(late.open(offer)).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('says why when there is no relay', async () => {
    const serverUrl = 'ws://127.0.0.1:9';
    const { ask, open } = askRelay(RELAY_ON_NODE, 1, { serverUrl });
    await expect(answerRelay(RELAY_ON_NODE, ask, { serverUrl }).lane).rejects.toMatchObject({ code: 'network' });
    const offer = { type: 'relay_offer', lane: 1, publicKey: ask.publicKey } as const;
    await expect(open(offer)).rejects.toMatchObject({ code: 'network' });
  });
});
