import { afterEach, describe, expect, it } from '@jest/globals';
import type { Lane } from '../../../src/core/lane/lane.ts';
import { answerRelay, askRelay } from '../../../src/lanes/relay/set-up.ts';
import { RELAY_ON_NODE } from '../../../src/node/create.ts';
import { openRelayLanes, type RelayStage, startHostileRelay, type Tamper } from './relay-pair.ts';

/** The first frame of each side is its credit; messages follow. */
const VICTIM = 3;
const MESSAGES = 6;

let relay: RelayStage;
afterEach(async () => relay.close());

/** Sends some messages through a relay. @returns what the other side read of them, and how the lane ended for it. */
async function sendThrough(tamper: Tamper): Promise<{ read: number[]; end: string | undefined; lane: Lane }> {
  relay = await startHostileRelay(tamper);
  const { left, right } = await openRelayLanes(relay);
  const closing = (async () => {
    for (let i = 0; i < MESSAGES; i++) await left.send(new Uint8Array(100).fill(i));
    await left.close();
  })().catch(() => {}); // What the sender meets depends on when it hears of the end.
  const read = [];
  for await (const message of right.messages) read.push(message[0] ?? -1);
  const end = (await right.closed)?.code;
  await closing;
  return { read, end, lane: left };
}

/** Treats one frame of many in a way of its own. */
function onVictim(treat: Tamper): Tamper {
  let frames = 0;
  return (frame, hand) => (frames++ === VICTIM ? treat(frame, hand) : [frame]);
}

/** What a lane may give of what was sent: the part before the one that the relay touched. */
const BEFORE = Array.from({ length: VICTIM - 1 }, (_, i) => i);

describe('a relay lane through a hostile relay', () => {
  it('works while the relay does nothing', async () => {
    const { read, end } = await sendThrough((frame) => [frame]);
    expect(read).toEqual(Array.from({ length: MESSAGES }, (_, i) => i));
    expect(end).toBeUndefined();
  });

  it.each<[string, Tamper]>([
    ['changes a bit', (frame) => [Buffer.from(frame.map((byte, i) => (i === 5 ? byte ^ 1 : byte)))]],
    ['cuts a frame short', (frame) => [frame.subarray(0, -1)]],
    ['lengthens a frame', (frame) => [Buffer.concat([frame, Buffer.of(0)])]],
    ['repeats a frame', (frame) => [frame, frame]],
    ['leaves a frame out', () => []],
    ['puts a frame of its own in', (frame) => [Buffer.alloc(117, 9), frame]],
    ['sends an empty frame', (frame) => [Buffer.alloc(0), frame]],
  ])('is refused when the relay %s, and gives nothing of what follows', async (_, treat) => {
    const { read, end, lane } = await sendThrough(onVictim(treat));
    expect(end).toBe('refused');
    expect([BEFORE, [...BEFORE, VICTIM - 1]]).toContainEqual(read);
    expect((await lane.closed)?.code).toBe('network');
  });

  it('is refused when the relay swaps two frames', async () => {
    let held: Buffer | undefined;
    let frames = 0;
    const { read, end } = await sendThrough((frame) => {
      if (frames++ === VICTIM) {
        held = frame;
        return [];
      }
      const both = held === undefined ? [frame] : [frame, held];
      held = undefined;
      return both;
    });
    expect([read, end]).toEqual([BEFORE, 'refused']);
  });

  it.each(['orderly', 'hard'] as const)('is lost, not ended, when the relay cuts it (%s)', async (how) => {
    const { read, end, lane } = await sendThrough(
      onVictim((_, hand) => {
        hand.cut(how);
        return [];
      }),
    );
    expect(end).toBe('network');
    expect(read.length).toBeLessThan(MESSAGES);
    expect((await lane.closed)?.code).toBe('network');
  });

  it('is not ended in order for the sender when the relay swallows the end', async () => {
    let frames = 0;
    // The credit, the messages, and then the end.
    const { end, lane } = await sendThrough((frame, hand) => {
      if (frames++ !== 1 + MESSAGES) return [frame];
      hand.cut('orderly');
      return [];
    });
    expect(end).toBe('network');
    expect((await lane.closed)?.code).toBe('network');
  });

  it('does not open when the relay lets one side hear nothing', async () => {
    relay = await startHostileRelay(() => []);
    await expect(openRelayLanes(relay, { timeoutMs: 300 })).rejects.toMatchObject({ code: 'timeout' });
  });

  it('does not take a side’s own frames for those of the other', async () => {
    relay = await startHostileRelay((frame, hand) => {
      hand.sendBack(frame);
      return [];
    });
    const { serverUrl } = relay;
    const asked = askRelay(RELAY_ON_NODE, 1, { serverUrl });
    await relay.someoneWaits();
    const { offer, lane } = answerRelay(RELAY_ON_NODE, asked.ask, { serverUrl });
    // It may be open for a moment, by the other's true first frame.
    const end = await asked.open(offer).then(
      (opened) => opened.closed,
      (error) => error,
    );
    expect(end).toMatchObject({ code: 'refused' });
    await expect(lane).rejects.toMatchObject({ code: 'network' });
  });

  it('says of a first frame under other keys that the other side may have derived them', async () => {
    relay = await startHostileRelay((frame) => [frame]);
    const { serverUrl } = relay;
    const asked = askRelay(RELAY_ON_NODE, 1, { serverUrl });
    await relay.someoneWaits();
    // The answerer takes another key for the asker's, so both derive other ones.
    const ask = { ...asked.ask, publicKey: new Uint8Array(32).fill(9) };
    const { offer, lane } = answerRelay(RELAY_ON_NODE, ask, { serverUrl });
    const refused = { code: 'refused', message: expect.stringMatching(/^The first frame at the relay does not open/) };
    // Whoever is first refuses; the other one loses the connection, or refuses too.
    const ends = await Promise.all([asked.open(offer).catch((error) => error), lane.catch((error) => error)]);
    expect(ends).toContainEqual(expect.objectContaining(refused));
  });
});
