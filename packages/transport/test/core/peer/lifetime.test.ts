import { describe, expect, it } from '@jest/globals';
import { encodeFragments, ModelRtcError, packValue, QUERY_TIMEOUT_MS } from '@model-rtc/protocol';
import { settle, VirtualClock } from '../../../../../test/support/virtual-clock.ts';
import { connectedPeers, DIGEST, failure, INFO, MANIFEST, MANIFEST_FILE, PUSH, rawAgainstPeer } from './support.ts';

describe('a peer', () => {
  it('pings a side that is silent, and stays while it is answered', async () => {
    const timers = new VirtualClock();
    const { client, worker } = await connectedPeers({ client: { timers }, worker: { timers } });
    const before = client.lanes[0]?.sentBytes ?? 0;
    await timers.advance(60_000);
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
    const timers = new VirtualClock();
    const aborted: unknown[] = [];
    const { client, lanes } = await connectedPeers({
      client: {
        timers,
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
        timers: new VirtualClock(),
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
    await timers.advance(5_250);
    expect(await client.closed).toMatchObject({ code: 'network' });
    expect((await asking).message).toContain('gone');
    expect(aborted).toMatchObject([{ code: 'network' }]);
    expect((await failure(client.request('get_model_info', { ref: 'a' }))).code).toBe('network');
    expect(timers.pending).toBe(0);
  });

  it('is not gone while anything is heard', async () => {
    const timers = new VirtualClock();
    const { raw, peer } = await rawAgainstPeer({ timers });
    let ended = false;
    void peer.closed.then(() => {
      ended = true;
    });
    for (let second = 0; second < 20; second++) {
      await raw.say({ type: 'pong', nonce: 0 });
      await timers.advance(1_000);
    }
    expect(ended).toBe(false);
    await peer.close();
  });

  it('is not gone because this process slept', async () => {
    const timers = new VirtualClock();
    const { client, worker } = await connectedPeers({ client: { timers }, worker: { timers: new VirtualClock() } });
    let ended = false;
    void client.closed.then(() => {
      ended = true;
    });
    timers.sleep(3_600_000);
    await timers.advance(10_000);
    expect(ended).toBe(false);
    await worker.close();
    expect(await client.closed).toBeUndefined();
  });

  it('is gone when its lane lives and the program behind it says nothing for a minute', async () => {
    const timers = new VirtualClock();
    const { peer, raw } = await rawAgainstPeer({ timers });
    // The lane hears each of its pings being taken; none is answered.
    const taking = (async () => {
      for await (const _ of raw.lane.messages);
    })();
    await timers.advance(59_000);
    const before = await Promise.race([peer.closed.then(() => 'ended'), settle().then(() => 'alive')]);
    await timers.advance(2_000);
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

  it('closes also when the other side takes nothing any more', async () => {
    const timers = new VirtualClock();
    const { raw, peer } = await rawAgainstPeer({
      timers,
      lanes: { highWaterMark: 1 },
      handlers: { get_model_info: async () => INFO },
    });
    await raw.say({ type: 'request', id: 1, method: 'get_model_info', params: { ref: 'a' } });
    await settle();
    const closing = peer.close();
    await timers.advance(2_000);
    await closing;
    expect(timers.pending).toBe(0);
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
    const timers = new VirtualClock();
    const { raw, peer } = await rawAgainstPeer({ timers });
    const asking = peer.request('get_model_info', { ref: 'a' });
    const { id } = (await raw.hear()) as { id: number };
    const keepAlive = liveRaw(raw, timers, QUERY_TIMEOUT_MS);
    await keepAlive;
    expect(await raw.hear()).toMatchObject({ type: 'request', method: 'get_model_info' });
    await raw.say({ type: 'reply', id, result: INFO });
    await expect(asking).resolves.toEqual(INFO);
    expect(await raw.hear()).toMatchObject({ type: 'cancel' });
    await peer.close();
  });

  it('fails after the second time', async () => {
    const timers = new VirtualClock();
    const { raw, peer } = await rawAgainstPeer({ timers });
    const asking = failure(peer.request('get_model_info', { ref: 'a' }));
    await liveRaw(raw, timers, 2 * QUERY_TIMEOUT_MS);
    expect((await asking).code).toBe('timeout');
    await peer.close();
  });

  it('is not timed out while its long answer arrives slowly', async () => {
    const timers = new VirtualClock();
    const { raw, peer } = await rawAgainstPeer({ timers, lanes: { maxMessageSize: 4_096 } });
    const asking = peer.request('get_manifest', { digest: DIGEST });
    const { id } = (await raw.hear()) as { id: number };
    const chunks = Array.from({ length: 1_000 }, () => ({ digest: DIGEST, size: 1 }));
    const manifest = { ...MANIFEST, files: [{ ...MANIFEST_FILE, size: 1_000 }], chunks };
    const reply = packValue({ type: 'reply', id, result: { manifest } });
    for (const fragment of encodeFragments(reply, 1, 4_096)) {
      await liveRaw(raw, timers, 4_000);
      await raw.lane.send(fragment);
    }
    await expect(asking).resolves.toEqual({ manifest });
    expect(timers.nowMs()).toBeGreaterThan(3 * QUERY_TIMEOUT_MS);
    await peer.close();
  });

  it('has no limit when it is a transfer', async () => {
    const timers = new VirtualClock();
    const { raw, peer } = await rawAgainstPeer({ timers });
    let settled = false;
    const asking = failure(peer.request('push_model', PUSH)).then(() => {
      settled = true;
    });
    await liveRaw(raw, timers, 10 * QUERY_TIMEOUT_MS);
    expect(settled).toBe(false);
    await peer.close();
    await asking;
  });
});

/** Time passes while the other side is alive and says nothing of what was asked. */
async function liveRaw(
  raw: { say(message: { type: 'pong'; nonce: number }): Promise<void> },
  timers: VirtualClock,
  ms: number,
): Promise<void> {
  for (let passed = 0; passed < ms; passed += 1_000) {
    await raw.say({ type: 'pong', nonce: 0 });
    await timers.advance(1_000);
  }
}
