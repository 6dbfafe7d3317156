import { describe, expect, it } from '@jest/globals';
import { type Clock, packValue } from '@model-rtc/protocol';
import { VirtualClock } from '../../../../../test/support/virtual-clock.ts';

import { createMemoryLanes, createPeer, type Lane } from '../../../src/index.ts';
import { ALL, connectedPeers, failure, HELLO, rawSide } from './support.ts';

function worker(lane: Lane, clock: Clock = new VirtualClock()) {
  return createPeer({
    lane,
    hello: { role: 'worker', name: 'gpu-box', version: '1' },
    authority: ALL,
    handlers: {},
    clock,
  });
}

describe('the first exchange', () => {
  it('tells each side who the other is', async () => {
    const peers = await connectedPeers();
    expect(peers.client.remote.agent).toEqual({ role: 'worker', name: 'gpu-box', version: '1.2.3' });
    expect(peers.worker.remote.agent).toEqual({ role: 'client', name: 'laptop', version: '1.2.3' });
    await peers.client.close();
  });

  it('passes over fields and capabilities that it does not know', async () => {
    const [ours, theirs] = createMemoryLanes();
    const creating = worker(ours);
    await theirs.send(
      packValue({ ...HELLO, capabilities: ['telepathy'], colour: 'blue', protocol: { major: 1, minor: 9 } }),
    );
    const peer = await creating;
    expect(peer.remote.capabilities).toEqual(['telepathy']);
    expect(peer.remote).not.toHaveProperty('colour');
    await peer.close();
  });

  it.each([
    [2, 'upgrade model-rtc on this machine'],
    [0, 'upgrade model-rtc on the machine of the other side'],
  ])('refuses major version %i and says which side to upgrade', async (major, remedy) => {
    const [ours, theirs] = createMemoryLanes();
    const creating = failure(worker(ours));
    const raw = rawSide(theirs);
    // The rest of another version's hello may look quite different.
    await theirs.send(packValue({ type: 'hello', protocol: { major }, who: [1, 2, 3] }));
    const error = await creating;
    expect(error.code).toBe('protocol_mismatch');
    expect(error.message).toContain(remedy);
    expect(await raw.hear()).toMatchObject({ type: 'hello', protocol: { major: 1 } });
    expect(await raw.hear()).toMatchObject({ type: 'bye', error: { code: 'protocol_mismatch' } });
    expect(await raw.hear()).toBeUndefined();
  });

  it('cuts its own name to what the protocol takes', async () => {
    const [left, right] = createMemoryLanes();
    const [peer, other] = await Promise.all([
      createPeer({
        lane: left,
        hello: { role: 'client', name: 'x'.repeat(999), version: '1' },
        authority: ALL,
        handlers: {},
      }),
      worker(right),
    ]);
    expect(other.remote.agent.name).toHaveLength(256);
    await peer.close();
  });

  it('gives up on a side that says nothing', async () => {
    const clock = new VirtualClock();
    const [ours, theirs] = createMemoryLanes();
    const creating = failure(worker(ours, clock));
    const raw = rawSide(theirs);
    await clock.advance(5_000);
    expect((await creating).code).toBe('timeout');
    expect(await raw.hear()).toMatchObject({ type: 'hello' });
    expect(await raw.hear()).toMatchObject({ type: 'bye', error: { code: 'timeout' } });
    expect(await theirs.closed).toBeUndefined();
    expect(clock.pending).toBe(0);
  });

  it('does not wait long for a side that takes no bye', async () => {
    const clock = new VirtualClock();
    const [ours, theirs] = createMemoryLanes({ highWaterMark: 1 });
    const creating = failure(worker(ours, clock));
    await theirs.send(packValue(null));
    await clock.advance(2_000);
    expect((await creating).code).toBe('malformed_message');
    expect(await theirs.closed).toMatchObject({ code: 'network' });
    expect(clock.pending).toBe(0);
  });

  it.each([
    ['bytes that are nothing', Uint8Array.of(0xc2, 1, 2)],
    ['a frame', Uint8Array.of(0xc1, 1, 0, 0)],
    ['another message', packValue({ type: 'ping', nonce: 1 })],
    ['a hello with a wrong field', packValue({ ...HELLO, capabilities: 7 })],
    ['a value that is no map', packValue([1])],
    ['nil', packValue(null)],
  ])('refuses %s in its place, says why, and ends the lane', async (_, bytes) => {
    const [ours, theirs] = createMemoryLanes();
    const creating = failure(worker(ours));
    const raw = rawSide(theirs);
    await theirs.send(bytes);
    const { code, message } = await creating;
    expect(code).toBe('malformed_message');
    expect(await raw.hear()).toMatchObject({ type: 'hello' });
    expect(await raw.hear()).toMatchObject({ type: 'bye', error: { code: 'malformed_message' } });
    expect(await theirs.closed).toBeUndefined();
    // Once, whatever was wrapped in what.
    expect(message.match(/The other side/g)).toHaveLength(1);
  });

  it('throws as it is what the other side did not understand of this one', async () => {
    const [ours, theirs] = createMemoryLanes();
    const creating = failure(worker(ours));
    const error = { code: 'malformed_message', message: 'The other side does not understand what it was sent (x).' };
    await rawSide(theirs).say({ type: 'bye', error });
    expect(await creating).toMatchObject(error);
  });

  it('throws the error with which the other side says bye at once', async () => {
    const [ours, theirs] = createMemoryLanes();
    const creating = failure(worker(ours));
    await rawSide(theirs).say({ type: 'bye', error: { code: 'token_revoked', message: 'No more.' } });
    expect(await creating).toMatchObject({ code: 'token_revoked', message: 'No more.' });
  });

  it('fails when the lane closes before', async () => {
    const [ours, theirs] = createMemoryLanes();
    const creating = failure(worker(ours));
    await theirs.close();
    expect((await creating).code).toBe('network');
  });

  it('refuses a lane that takes next to nothing at once', async () => {
    const [ours] = createMemoryLanes({ maxMessageSize: 100 });
    expect((await failure(worker(ours))).code).toBe('malformed_message');
  });
});
