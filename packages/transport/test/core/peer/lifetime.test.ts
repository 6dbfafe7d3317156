import { describe, expect, it } from '@jest/globals';
import { encodeFragments, ModelRtcError, packValue, QUERY_TIMEOUT_MS } from '@model-rtc/protocol';
import { settle, VirtualClock } from '../../../../../test/support/virtual-clock.ts';
import { connectedPeers, DIGEST, failure, INFO, MANIFEST, MANIFEST_FILE, PUSH, rawAgainstPeer } from './support.ts';

describe('a peer', () => {
  it('pings a side that is silent, and stays while it is answered', async () => {
    const clock = new VirtualClock();
    const { client, worker } = await connectedPeers({ client: { clock }, worker: { clock } });
    const before = client.lanes[0]?.sentBytes ?? 0;
    await clock.advance(60_000);
    expect(client.lanes[0]?.sentBytes).toBeGreaterThan(before);
    worker.setHandlers({ get_model_info: async () => INFO });
    await expect(client.request('get_model_info', { ref: 'a' })).resolves.toEqual(INFO);
    await client.close();
  });

  it('answers a ping with its number', async () => {
    const { raw, peer } = await rawAgainstPeer();
    await raw.say({ type: 'ping', nonce: 4711 });
    expect(await raw.hear()).toEqual({ type: 'pong', nonce: 4711 });
    await peer.close();
  });

  it('is gone within 5 s of silence: what is open fails on it', async () => {
    const clock = new VirtualClock();
    const aborted: unknown[] = [];
    const { client, lanes } = await connectedPeers({
      client: {
        clock,
        handlers: {
          get_chunks: (_, { signal }) =>
            new Promise((__, reject) => {
              signal.addEventListener('abort', () => {
                aborted.push(signal.reason);
                reject(signal.reason);
              });
            }),
        },
      },
      worker: {
        clock: new VirtualClock(),
        handlers: {
          push_model: async (_, { peer }) => {
            await peer.request('get_chunks', { digest: DIGEST, chunks: [{ index: 0, digest: DIGEST }] });
            throw new Error('unreachable');
          },
        },
      },
    });
    const asking = failure(client.request('push_model', PUSH));
    await settle();
    lanes[0].faults.hang();
    lanes[1].faults.hang();
    await clock.advance(5_250);
    expect(await client.closed).toMatchObject({ code: 'network' });
    expect((await asking).message).toContain('gone');
    expect(aborted).toMatchObject([{ code: 'network' }]);
    expect((await failure(client.request('get_model_info', { ref: 'a' }))).code).toBe('network');
    expect(clock.pending).toBe(0);
  });

  it('is not gone while anything is heard', async () => {
    const clock = new VirtualClock();
    const { raw, peer } = await rawAgainstPeer({ clock });
    let ended = false;
    void peer.closed.then(() => {
      ended = true;
    });
    for (let second = 0; second < 20; second++) {
      await raw.say({ type: 'pong', nonce: 0 });
      await clock.advance(1_000);
    }
    expect(ended).toBe(false);
    await peer.close();
  });

  it('is not gone because this process slept', async () => {
    const clock = new VirtualClock();
    const { client, worker } = await connectedPeers({ client: { clock }, worker: { clock: new VirtualClock() } });
    let ended = false;
    void client.closed.then(() => {
      ended = true;
    });
    clock.sleep(3_600_000);
    await clock.advance(10_000);
    expect(ended).toBe(false);
    await worker.close();
    expect(await client.closed).toBeUndefined();
  });

  it('is gone when its lane lives and the program behind it says nothing for a minute', async () => {
    const clock = new VirtualClock();
    const { peer, raw } = await rawAgainstPeer({ clock });
    // The lane hears each of its pings being taken; none is answered.
    const taking = (async () => {
      for await (const _ of raw.lane.messages);
    })();
    await clock.advance(59_000);
    const before = await Promise.race([peer.closed.then(() => 'ended'), settle().then(() => 'alive')]);
    await clock.advance(2_000);
    expect([before, (await peer.closed)?.code]).toEqual(['alive', 'network']);
    await taking;
  });

  it('that closes says bye, and nothing stays open on either side', async () => {
    const { client, worker } = await connectedPeers({
      worker: { handlers: { push_model: () => new Promise(() => {}) } },
    });
    const asking = failure(client.request('push_model', PUSH));
    await settle();
    await worker.close();
    expect((await asking).code).toBe('network');
    expect(await client.closed).toBeUndefined();
    expect(await worker.closed).toBeUndefined();
    await worker.close();
    await client.close();
  });

  it('that closes with an error tells the other side, whose requests fail with it', async () => {
    const { client, worker } = await connectedPeers({
      worker: { handlers: { push_model: () => new Promise(() => {}) } },
    });
    const asking = failure(client.request('push_model', PUSH));
    await settle();
    await worker.close(new ModelRtcError('token_revoked', 'Revoked.'));
    expect(await client.closed).toMatchObject({ code: 'token_revoked', message: 'Revoked.' });
    expect((await asking).code).toBe('token_revoked');
  });

  it('closes even when the other side takes nothing any more', async () => {
    const clock = new VirtualClock();
    const { raw, peer } = await rawAgainstPeer({
      clock,
      lanes: { highWaterMark: 1 },
      handlers: { get_model_info: async () => INFO },
    });
    await raw.say({ type: 'request', id: 1, method: 'get_model_info', params: { ref: 'a' } });
    await settle();
    const closing = peer.close();
    await clock.advance(2_000);
    await closing;
    expect(clock.pending).toBe(0);
  });

  it('ends with its lane', async () => {
    const { client, worker, lanes } = await connectedPeers();
    lanes[0].faults.cut();
    expect((await client.closed)?.code).toBe('network');
    expect((await worker.closed)?.code).toBe('network');
  });

  it('is an async disposable', async () => {
    const { client, worker } = await connectedPeers();
    {
      await using peer = client;
      expect(peer.lanes).toMatchObject([{ kind: 'memory', engine: undefined }]);
    }
    expect(await worker.closed).toBeUndefined();
  });
});

describe('a query that is not answered', () => {
  it('is asked once more, and an answer to either counts', async () => {
    const clock = new VirtualClock();
    const { raw, peer } = await rawAgainstPeer({ clock });
    const asking = peer.request('get_model_info', { ref: 'a' });
    const { id } = (await raw.hear()) as { id: number };
    const keepAlive = liveRaw(raw, clock, QUERY_TIMEOUT_MS);
    await keepAlive;
    expect(await raw.hear()).toMatchObject({ type: 'request', method: 'get_model_info' });
    await raw.say({ type: 'reply', id, result: INFO });
    await expect(asking).resolves.toEqual(INFO);
    expect(await raw.hear()).toMatchObject({ type: 'cancel' });
    await peer.close();
  });

  it('fails after the second time', async () => {
    const clock = new VirtualClock();
    const { raw, peer } = await rawAgainstPeer({ clock });
    const asking = failure(peer.request('get_model_info', { ref: 'a' }));
    await liveRaw(raw, clock, 2 * QUERY_TIMEOUT_MS);
    expect((await asking).code).toBe('timeout');
    await peer.close();
  });

  it('is not timed out while its long answer arrives slowly', async () => {
    const clock = new VirtualClock();
    const { raw, peer } = await rawAgainstPeer({ clock, lanes: { maxMessageSize: 4_096 } });
    const asking = peer.request('get_manifest', { digest: DIGEST });
    const { id } = (await raw.hear()) as { id: number };
    const chunks = Array.from({ length: 1_000 }, () => ({ digest: DIGEST, size: 1 }));
    const manifest = { ...MANIFEST, files: [{ ...MANIFEST_FILE, size: 1_000 }], chunks };
    const reply = packValue({ type: 'reply', id, result: { manifest } });
    for (const fragment of encodeFragments(reply, 1, 4_096)) {
      await liveRaw(raw, clock, 4_000);
      await raw.lane.send(fragment);
    }
    await expect(asking).resolves.toEqual({ manifest });
    expect(clock.nowMs()).toBeGreaterThan(3 * QUERY_TIMEOUT_MS);
    await peer.close();
  });

  it('has no limit when it is a transfer', async () => {
    const clock = new VirtualClock();
    const { raw, peer } = await rawAgainstPeer({ clock });
    let settled = false;
    const asking = failure(peer.request('push_model', PUSH)).then(() => {
      settled = true;
    });
    await liveRaw(raw, clock, 10 * QUERY_TIMEOUT_MS);
    expect(settled).toBe(false);
    await peer.close();
    await asking;
  });
});

/** Time passes while the other side is alive and says nothing of what was asked. */
async function liveRaw(
  raw: { say(message: { type: 'pong'; nonce: number }): Promise<void> },
  clock: VirtualClock,
  ms: number,
): Promise<void> {
  for (let passed = 0; passed < ms; passed += 1_000) {
    await raw.say({ type: 'pong', nonce: 0 });
    await clock.advance(1_000);
  }
}
