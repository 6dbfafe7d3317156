import { describe, expect, it } from '@jest/globals';
import { type ExchangeMessage, MAX_LANES, ModelRtcError, packValue, QUERY_TIMEOUT_MS } from '@model-rtc/protocol';
import { settle, VirtualClock } from '../../../../../test/support/virtual-clock.ts';
import { createMemoryLanes, type Peer, type PeerLane } from '../../../src/index.ts';
import { connectedPeers, DIGEST, failure, gate, INFO, PUSH, rawAgainstPeer } from './support.ts';

const CHUNKS = { digest: DIGEST, chunks: [{ index: 7, digest: DIGEST }] };
const PUSHED = {
  entry: INFO.entry,
  outcome: 'installed',
  transferredBytes: 1,
  reusedBytes: 0,
  resumedBytes: 0,
} as const;

/** One more memory lane between the two, and its ends. */
async function join(client: Peer, worker: Peer) {
  const ends = createMemoryLanes();
  const [here, there] = await Promise.all([client.addLane(ends[0]), worker.addLane(ends[1])]);
  return { here, there, ends };
}

async function twoLanes(options: Parameters<typeof connectedPeers>[0] = {}) {
  const peers = await connectedPeers(options);
  return { ...peers, ...(await join(peers.client, peers.worker)) };
}

describe('a peer of several lanes', () => {
  it('takes a further lane on which both sides say hello, and tells of it', async () => {
    const { client, worker } = await connectedPeers();
    const seen: number[] = [];
    const stop = client.onLanesChanged(() => seen.push(client.openLanes().length));
    const { here } = await join(client, worker);
    expect(client.lanes.map(({ id }) => id)).toEqual([0, 1]);
    expect(client.openLanes()[1]).toBe(here);
    await here.close();
    expect(await here.closed).toBeUndefined();
    stop();
    await join(client, worker);
    expect(seen).toEqual([2, 1]);
    expect(client.lanes.map(({ id }) => id)).toEqual([0, 2]);
    await client.close();
  });

  it('refuses a lane beyond the most, and one of another major version', async () => {
    const { client, worker } = await connectedPeers();
    for (let lane = 1; lane < MAX_LANES; lane++) await join(client, worker);
    const [one, other] = createMemoryLanes();
    expect((await failure(client.addLane(one))).code).toBe('busy');
    expect((await other.closed)?.code).toBe('network');
    await client.openLanes()[1]?.close();
    await settle();
    const ends = createMemoryLanes();
    const adding = failure(client.addLane(ends[0]));
    await ends[1].send(packValue({ type: 'hello', protocol: { major: 2 } }));
    expect((await adding).code).toBe('protocol_mismatch');
    expect(client.openLanes()).toHaveLength(MAX_LANES - 1);
    await client.close();
  });

  it('gives chunks back on the lane that they were asked over', async () => {
    const asked: PeerLane[] = [];
    const { client, worker, here, there, ends } = await twoLanes();
    worker.setHandlers({
      get_chunks: async (_, context) => {
        asked.push(context.lane);
        await context.sendChunk(7, new Uint8Array(100_000).fill(1));
        return {};
      },
    });
    let bytes = 0;
    const onChunk = ({ payload }: { payload: Uint8Array }) => {
      bytes += payload.length;
    };
    await client.request('get_chunks', CHUNKS, { lane: here, onChunk });
    expect(bytes).toBe(100_000);
    expect(asked).toEqual([there]);
    expect(ends[0].stats().receivedBytes).toBeGreaterThan(100_000);
    expect(client.lanes[0]?.receivedBytes).toBeLessThan(1_000);
    await client.close();
  });

  it('loses one lane and goes on: chunks asked over it fail, and are served no further', async () => {
    const aborted = gate();
    const begun = gate();
    const { client, worker, here, ends } = await twoLanes();
    worker.setHandlers({
      get_model_info: async () => INFO,
      get_chunks: (_, { signal }) =>
        new Promise((__, reject) => {
          begun.open();
          signal.addEventListener('abort', () => {
            aborted.open();
            reject(signal.reason);
          });
        }),
    });
    const asking = failure(client.request('get_chunks', CHUNKS, { lane: here }));
    await begun.opened;
    ends[0].abort(new ModelRtcError('network', 'cut'));
    expect((await asking).code).toBe('network');
    await aborted.opened;
    expect((await here.closed)?.code).toBe('network');
    expect((await failure(client.request('get_chunks', CHUNKS, { lane: here }))).code).toBe('network');
    await expect(client.request('get_model_info', { ref: 'a' })).resolves.toEqual(INFO);
    await client.close();
  });

  it.each(['before it is answered', 'with its answer'])(
    'asks again over another lane when one is lost %s, and what was asked is done once',
    async (when) => {
      let pushes = 0;
      const begun = gate();
      const answer = gate();
      const { client, worker, lanes } = await twoLanes({ worker: { clock: new VirtualClock() } });
      worker.setHandlers({
        push_model: async () => {
          pushes += 1;
          begun.open();
          await answer.opened;
          return PUSHED;
        },
      });
      const pushing = client.request('push_model', PUSH);
      await begun.opened;
      const cut = () => lanes[0].abort(new ModelRtcError('network', 'cut'));
      if (when === 'with its answer') {
        // What the worker says on this lane is never heard.
        lanes[1].faults.hang();
        answer.open();
        await settle();
        cut();
      } else {
        cut();
        await settle();
        answer.open();
      }
      await expect(pushing).resolves.toEqual(PUSHED);
      expect(pushes).toBe(1);
      await client.close();
    },
  );

  it('is answered over the lane on which it asked again, while the other side has not noticed the loss', async () => {
    const begun = gate();
    const answer = gate();
    let pushes = 0;
    const { client, worker, lanes } = await twoLanes({ worker: { clock: new VirtualClock() } });
    worker.setHandlers({
      push_model: async () => {
        pushes += 1;
        begun.open();
        await answer.opened;
        return PUSHED;
      },
    });
    const pushing = client.request('push_model', PUSH);
    await begun.opened;
    // From here on nothing arrives at either end, nor that the lane is over at one of them.
    lanes[0].faults.hang();
    lanes[1].faults.hang();
    lanes[0].abort(new ModelRtcError('network', 'cut'));
    await settle();
    answer.open();
    await expect(pushing).resolves.toEqual(PUSHED);
    expect(pushes).toBe(1);
    await client.close();
  });

  it('passes over a request that comes late, after it was asked again', async () => {
    let asked = 0;
    const { raw, peer } = await rawAgainstPeer({
      handlers: {
        get_model_info: async () => {
          asked += 1;
          return INFO;
        },
      },
    });
    const request = { type: 'request', id: 9, method: 'get_model_info', params: { ref: 'a' } } as const;
    await raw.say({ ...request, again: true });
    expect(await raw.hear()).toMatchObject({ type: 'reply', id: 9 });
    await raw.say(request);
    await raw.say({ ...request, id: 10 });
    expect(await raw.hear()).toMatchObject({ type: 'reply', id: 10 });
    expect(asked).toBe(2);
    await peer.close();
  });

  it('asks over the best lane when the one that a query was bound to is lost in silence', async () => {
    const clock = new VirtualClock();
    const { client, worker, here, ends } = await twoLanes({ client: { clock }, worker: { clock } });
    worker.setHandlers({ get_model_info: async () => INFO });
    ends[0].faults.hang();
    const asking = client.request('get_model_info', { ref: 'a' }, { lane: here });
    await clock.advance(QUERY_TIMEOUT_MS + 100);
    await expect(asking).resolves.toEqual(INFO);
    await client.close();
  });

  it('breaks a lane off that the other side does not let end', async () => {
    const clock = new VirtualClock();
    const { client, here, ends } = await twoLanes({ client: { clock } });
    const closed = new Promise(() => {});
    ends[0].close = async () => void (await closed);
    const closing = here.close();
    let isAborted = false;
    ends[0].abort = () => {
      isAborted = true;
    };
    await clock.advance(9_000);
    expect(isAborted).toBe(false);
    await clock.advance(2_000);
    expect(isAborted).toBe(true);
    closing.catch(() => {});
    await client.close();
  });

  it('ends with its last lane', async () => {
    const { client, worker, lanes, ends } = await twoLanes();
    lanes[0].abort(new ModelRtcError('network', 'cut'));
    await settle();
    expect(client.lanes).toHaveLength(1);
    ends[0].abort(new ModelRtcError('network', 'cut too'));
    expect((await client.closed)?.message).toBe('cut too');
    expect((await worker.closed)?.code).toBe('network');
  });

  it('ends altogether when the other side sends garbage on one of them', async () => {
    const { client, worker, ends } = await twoLanes();
    await ends[1].send(Uint8Array.of(0xff, 0xff));
    expect((await client.closed)?.code).toBe('malformed_message');
    expect((await worker.closed)?.code).toBe('malformed_message');
  });

  it('says what brings up another lane, and passes over what it does not know', async () => {
    const heard: ExchangeMessage[] = [];
    const { client, lanes } = await connectedPeers({ worker: { onExchange: (message) => heard.push(message) } });
    await lanes[0].send(packValue({ type: 'exchange', message: { type: 'carrier_pigeon', lane: 3 } }));
    await client.sendExchange({ type: 'direct_ask', lane: 4 });
    await settle();
    expect(heard).toEqual([{ type: 'direct_ask', lane: 4 }]);
    await client.close();
  });

  it('knows the round trip of a lane from its beginning, and measures it again while data flows', async () => {
    const clock = new VirtualClock();
    const { client, worker } = await connectedPeers({ client: { clock }, worker: { clock } });
    await clock.advance(0);
    expect(client.lanes[0]?.rttMs).toBe(0);
    worker.setHandlers({
      get_chunks: async (_, context) => {
        await context.sendChunk(7, new Uint8Array(200_000));
        return {};
      },
    });
    await client.request('get_chunks', CHUNKS);
    await clock.advance(600);
    expect(client.lanes[0]?.rttMs).toBe(0);
    await client.close();
  });
});
