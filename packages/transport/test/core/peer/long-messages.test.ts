import { describe, expect, it } from '@jest/globals';
import {
  encodeFragments,
  encodeMessage,
  FRAGMENT_GAP_MS,
  MAX_MESSAGE_BYTES,
  MAX_PLAIN_MESSAGE_BYTES,
  MAX_STRING_BYTES,
  METHODS,
  type Method,
} from '@model-rtc/protocol';
import { settle, VirtualClock } from '../../../../../test/support/virtual-clock.ts';
import { MessageBudget } from '../../../src/core/peer/message-budget.ts';
import { ENTRY, failure, gate, INFO, PUSH, type RawSide, rawAgainstPeer } from './support.ts';

const MB = 1024 * 1024;
const READ = { scopes: ['read'] } as const;
const handlers = { get_model_info: async () => INFO, list_models: async () => ({ models: [], total: 0 }) };

/** A request whose parameters are `bytes` of what no decoder takes: it can only be answered undecoded. */
function undecodable(method: Method, id: number, bytes: number): Uint8Array {
  const head = encodeMessage({ type: 'request', id, method, params: {} });
  return Buffer.concat([head.subarray(0, -1), Buffer.alloc(bytes, 0xc1)]);
}

async function sendLong(raw: RawSide, message: Uint8Array, number = 1): Promise<void> {
  for (const part of encodeFragments(message, number, 64 * 1024)) await raw.lane.send(part);
}

/** Only the first fragment of a message that says that it has so many bytes. */
async function sendBeginning(raw: RawSide, message: Uint8Array, number: number): Promise<void> {
  const [first] = encodeFragments(message, number, 4096);
  await raw.lane.send(first as Uint8Array);
}

describe('a long message', () => {
  it.each<[string, Method, string]>([
    ['of a method beyond the scope', 'push_model', 'scope_missing'],
    ['of a method that has short requests', 'list_models', 'bad_argument'],
    ['of a method that is not answered', 'get_manifest', 'refused'],
    ['of an unknown method', 'format_disk' as Method, 'protocol_mismatch'],
  ])('%s is answered before it is decoded, and the peer goes on', async (_, method, code) => {
    const { raw, peer } = await rawAgainstPeer({ authority: READ, handlers });
    await sendLong(raw, undecodable(method, 5, 3 * MB));
    expect(await raw.hear()).toMatchObject({ type: 'error', id: 5, error: { code } });
    // The lane may take more at once than a short message has.
    await raw.lane.send(undecodable(method, 6, MAX_PLAIN_MESSAGE_BYTES));
    expect(await raw.hear()).toMatchObject({ type: 'error', id: 6, error: { code } });
    await raw.say({ type: 'request', id: 7, method: 'get_model_info', params: { ref: 'a' } });
    expect(await raw.hear()).toMatchObject({ type: 'reply', id: 7 });
    await peer.close();
  });

  it.each([
    ['that does not begin with what it is', encodeMessage({ type: 'bye' }).fill(0x80, 0, 1)],
    ['that is no request or reply', encodeMessage({ type: 'event', id: 1, event: {} })],
  ])('%s ends the peer', async (_, beginning) => {
    const { raw, peer } = await rawAgainstPeer();
    // The lane is closed before all of it is sent.
    await sendLong(raw, Buffer.concat([beginning, Buffer.alloc(MB)])).catch(() => {});
    expect(await peer.closed).toMatchObject({ code: 'malformed_message' });
  });

  it('that answers is taken as far as the method has long answers', async () => {
    const { raw, peer } = await rawAgainstPeer();
    const asking = peer.request('list_models', {});
    const asked = (await raw.hear()) as { id: number };
    const tooLong = METHODS.list_models.maxReplyBytes + 1;
    const head = encodeMessage({ type: 'reply', id: asked.id, result: {} });
    await sendLong(raw, Buffer.concat([head.subarray(0, -1), Buffer.alloc(tooLong)]));
    expect(await failure(asking)).toMatchObject({ code: 'malformed_message' });
    const again = peer.request('get_model_info', { ref: 'a' });
    const next = (await raw.hear()) as { type: string; id: number };
    const { id } = next.type === 'cancel' ? ((await raw.hear()) as { id: number }) : next;
    const notes = 'n'.repeat(200_000);
    await sendLong(raw, encodeMessage({ type: 'reply', id, result: { ...INFO, unknown: notes } }));
    expect(await again).toEqual(INFO);
    await peer.close();
  });

  it('that nobody waits for is passed over', async () => {
    const { raw, peer } = await rawAgainstPeer({ handlers });
    const head = encodeMessage({ type: 'reply', id: 99, result: {} });
    await sendLong(raw, Buffer.concat([head.subarray(0, -1), Buffer.alloc(MB, 0xc1)]));
    await raw.say({ type: 'request', id: 1, method: 'get_model_info', params: { ref: 'a' } });
    expect(await raw.hear()).toMatchObject({ type: 'reply', id: 1 });
    await peer.close();
  });
});

describe('messages that are not whole', () => {
  it('are answered with busy beyond what all of a token may use, and free it when their peer ends', async () => {
    const budget = new MessageBudget(2 * MAX_MESSAGE_BYTES);
    const side = { budget, handlers: { ...handlers, plan_push: async () => ({}) as never } };
    const [first, second] = [await rawAgainstPeer(side), await rawAgainstPeer(side)];
    const longest = undecodable('plan_push', 1, MAX_MESSAGE_BYTES - 100);
    await sendBeginning(first.raw, longest, 1);
    await sendBeginning(first.raw, longest, 2);
    await settle();
    expect(budget.fits(MB)).toBe(false);
    await sendBeginning(second.raw, undecodable('plan_push', 8, 10 * MB), 1);
    expect(await second.raw.hear()).toMatchObject({ type: 'error', id: 8, error: { code: 'busy' } });
    await first.peer.close();
    expect(budget.fits(2 * MAX_MESSAGE_BYTES)).toBe(true);
    await second.peer.close();
  });

  it('leave a push that is going on alone when it is asked again: it is known already', async () => {
    const { opened, open } = gate();
    let pushes = 0;
    const push_model = async () => {
      pushes += 1;
      await opened;
      return { entry: ENTRY, outcome: 'installed', transferredBytes: 0, reusedBytes: 0, resumedBytes: 0 } as const;
    };
    const budget = new MessageBudget(MAX_MESSAGE_BYTES);
    const { raw, peer } = await rawAgainstPeer({ budget, handlers: { push_model } });
    const params = { ...PUSH, unknown: 'x'.repeat(MAX_STRING_BYTES), more: 'x'.repeat(MAX_STRING_BYTES) };
    await sendLong(raw, encodeMessage({ type: 'request', id: 1, method: 'push_model', params }));
    await sendBeginning(raw, undecodable('push_model', 2, MAX_MESSAGE_BYTES - 300_000), 2);
    await settle();
    await sendLong(raw, encodeMessage({ type: 'request', id: 1, method: 'push_model', params, again: true }), 3);
    await settle();
    open();
    expect(await raw.hear()).toMatchObject({ type: 'reply', id: 1, result: { outcome: 'installed' } });
    expect(pushes).toBe(1);
    await peer.close();
  });

  it('end the peer when they do not go on', async () => {
    const clock = new VirtualClock();
    const { raw, peer } = await rawAgainstPeer({
      clock,
      handlers: { ...handlers, plan_push: async () => ({}) as never },
    });
    await sendBeginning(raw, undecodable('plan_push', 1, 10 * MB), 1);
    await settle();
    for (let passedMs = 0; passedMs <= FRAGMENT_GAP_MS; passedMs += 1_000) {
      await raw.say({ type: 'ping', nonce: passedMs }).catch(() => {});
      await settle();
      await clock.advance(1_000);
    }
    expect(await peer.closed).toMatchObject({ code: 'malformed_message' });
  });
});
