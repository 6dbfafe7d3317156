import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { encodeMessage, loadFrameCodec, packValue } from '@model-rtc/protocol';
import fc from 'fast-check';
import { runs } from '../../../../../test/support/runs.ts';
import { settle } from '../../../../../test/support/virtual-clock.ts';
import { createMemoryLanes, createPeer, type Lane, type Peer } from '../../../src/index.ts';
import { ALL, connectedPeers, failure, HELLO, INFO, rawAgainstPeer } from './support.ts';

/** A frame's head: mark, kind, flags, three fields, length. */
function frame(kind: number, fields: readonly [number, number, number], payload: number, flags = 0): Uint8Array {
  const bytes = new Uint8Array(20 + payload);
  const view = new DataView(bytes.buffer);
  bytes.set([0xc1, kind]);
  view.setUint16(2, flags);
  for (const [i, field] of fields.entries()) view.setUint32(4 + 4 * i, field);
  view.setUint32(16, payload);
  return bytes;
}

describe('a side that sends garbage', () => {
  it.each([
    ['bytes that are no message', Uint8Array.of(0xff, 0xff)],
    ['a message without a type', packValue({ shutdown: true })],
    ['a second hello', packValue(HELLO)],
    ['a map that nests without end', new Uint8Array(100_000).fill(0x91)],
    ['a frame with unknown flags', frame(2, [0, 10, 0], 10, 1)],
    ['a fragment of a message that is too long', frame(2, [0, 0xffff_ffff, 0], 10)],
    ['a fragment out of order', frame(2, [0, 100, 50], 10)],
    ['a cut frame', Uint8Array.of(0xc1)],
  ])('is told so and closed: %s', async (_, bytes) => {
    const { raw, peer } = await rawAgainstPeer();
    await raw.lane.send(bytes);
    const ended = await peer.closed;
    expect(ended).toMatchObject({ code: 'malformed_message' });
    const told = /^The other side does not understand what it was sent \([^()]+\)\. Run the same version/;
    const bye = { type: 'bye', error: { code: 'malformed_message', message: expect.stringMatching(told) } };
    expect(await raw.hear()).toMatchObject(bye);
    expect(await raw.hear()).toBeUndefined();
    // Each sentence about the other side is there once, whatever was wrapped in what.
    expect(ended?.message.match(/The other side/g)).toHaveLength(1);
  });

  it('is passed over where it may be late, early, or of a newer version', async () => {
    const { raw, peer } = await rawAgainstPeer({ handlers: { get_model_info: async () => INFO } });
    await raw.say({ type: 'reply', id: 77, result: {} });
    await raw.say({ type: 'error', id: 77, error: { code: 'x', message: 'x' } });
    await raw.say({ type: 'event', id: 77, event: {} });
    await raw.say({ type: 'cancel', id: 77 });
    await raw.say({ type: 'pong', nonce: 77 });
    await raw.lane.send(packValue({ type: 'weather', of: 'a newer version' }));
    await raw.lane.send(frame(9, [0, 0, 0], 10));
    await raw.lane.send((await loadFrameCodec()).encodeChunk({ request: 77, index: 0, offset: 0 }, new Uint8Array(9)));
    await raw.say({ type: 'request', id: 1, method: 'get_model_info', params: { ref: 'a' } });
    expect(await raw.hear()).toMatchObject({ type: 'reply', id: 1 });
    await peer.close();
  });
});

it('a side that asks and asks without reading is cut off', async () => {
  const { raw, peer } = await rawAgainstPeer({ lanes: { highWaterMark: 1_000 } });
  const flood = encodeMessage({ type: 'request', id: 1, method: 'nothing', params: {} });
  for (let i = 0; i < 3_000; i++) {
    if (
      (await Promise.race([
        raw.lane.send(flood).then(
          () => 'sent',
          () => 'closed',
        ),
        settle(),
      ])) === 'closed'
    )
      break;
  }
  expect(await peer.closed).toMatchObject({ code: 'refused' });
});

it('a flood of pings costs nothing', async () => {
  const { raw, peer } = await rawAgainstPeer({
    lanes: { highWaterMark: 1_000_000 },
    handlers: { get_model_info: async () => INFO },
  });
  for (let nonce = 0; nonce < 5_000; nonce++) await raw.say({ type: 'ping', nonce });
  await raw.say({ type: 'request', id: 1, method: 'get_model_info', params: { ref: 'a' } });
  let message = await raw.hear();
  while (message?.type === 'pong') message = await raw.hear();
  expect(message).toMatchObject({ type: 'reply' });
  await peer.close();
});

describe('whatever one side sends', () => {
  let other: { client: Peer; worker: Peer };
  beforeAll(async () => {
    other = await connectedPeers({ worker: { handlers: { get_model_info: async () => INFO } } });
  });
  afterAll(() => other.client.close());

  const ids = fc.integer({ min: 0, max: 3 });
  const methods = fc.constantFrom('list_models', 'get_model_info', 'get_chunks', 'push_model', '__proto__', 'x');
  const messages = fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 200 }),
    fc.uint8Array({ maxLength: 100 }).map((rest) => Uint8Array.of(0xc1, ...rest)),
    fc.record({ type: fc.constant('request'), id: ids, method: methods, params: fc.anything() }).map(packed),
    fc
      .record({
        type: fc.constantFrom('reply', 'event', 'error', 'bye', 'hello'),
        id: ids,
        result: fc.anything(),
        event: fc.anything(),
        error: fc.anything(),
      })
      .map(packed),
    fc.record({ type: fc.constantFrom('cancel', 'ping', 'pong'), id: ids, nonce: ids }).map(packed),
    fc
      .tuple(fc.nat(3), ids, fc.nat(300), fc.nat(300), fc.integer({ min: 1, max: 100 }))
      .map(([kind, a, b, c, n]) => frame(kind, [a, b, c], n)),
  );

  it('its peer ends in order or lives on, and other peers notice nothing', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(messages, { maxLength: 12 }), async (sent) => {
        const [raw, lane] = createMemoryLanes();
        const creating = createPeer({
          lane,
          hello: { role: 'worker', name: 'w', version: '1' },
          authority: ALL,
          handlers: { get_model_info: async () => INFO },
        });
        await raw.send(encodeMessage(HELLO));
        const peer = await creating;
        const asking = failure(peer.request('get_model_info', { ref: 'a' }));
        await sendAll(raw, sent);
        await settle();
        await peer.close();
        expect(typeof (await asking).code).toBe('string');
        await expect(other.client.request('get_model_info', { ref: 'a' })).resolves.toEqual(INFO);
      }),
      { numRuns: runs(150) },
    );
  });
});

function packed(value: unknown): Uint8Array {
  try {
    return packValue(value);
  } catch {
    return packValue('not to be packed');
  }
}

async function sendAll(lane: Lane, messages: readonly Uint8Array[]): Promise<void> {
  try {
    for (const message of messages) await lane.send(message);
  } catch {
    // Closed by then, which is what garbage deserves.
  }
}
