import { describe, expect, it } from '@jest/globals';
import { createMemoryLanes, createPeer, type Peer } from '@model-rtc/transport';
import { type Connector, SessionLink } from '../src/session-link.ts';
import { failure, gate, TOKEN } from './support/lab.ts';

const AGENT = { name: 'laptop', version: '1' };

async function freshPeer(): Promise<{ peer: Peer; cut(): void }> {
  const lanes = createMemoryLanes();
  const hello = { role: 'worker', ...AGENT } as const;
  const authority = { scopes: ['read'] } as const;
  const [peer] = await Promise.all(
    lanes.map((lane) => createPeer({ lane, hello, authority, handlers: {} })) as [Promise<Peer>, Promise<Peer>],
  );
  return { peer, cut: () => lanes[0].faults.cut() };
}

/** A link whose connections are made by the connector given; it counts them. */
function linkOver(connector: Connector) {
  const asked: { waitForWorker: boolean | undefined }[] = [];
  const link = new SessionLink({
    token: TOKEN,
    agent: AGENT,
    connector: async (options) => {
      asked.push({ waitForWorker: options.waitForWorker });
      return await connector(options);
    },
  });
  return { link, asked };
}

const anyPeer: Connector = async () => (await freshPeer()).peer;

describe('SessionLink', () => {
  it('makes one connection for all who ask while it comes up, and keeps it', async () => {
    const { link, asked } = linkOver(anyPeer);
    const [first, second] = await Promise.all([link.reach(), link.reach()]);
    expect(second).toBe(first);
    expect(await link.reach()).toBe(first);
    expect(asked).toEqual([{ waitForWorker: false }]);
    await link.close();
  });

  it('connects again after the connection was lost, and waits for the worker then', async () => {
    const made: { peer: Peer; cut(): void }[] = [];
    const { link, asked } = linkOver(async () => {
      made.push(await freshPeer());
      return made.at(-1)?.peer as Peer;
    });
    const first = await link.reach();
    made[0]?.cut();
    await first.closed;
    expect(await link.reach()).not.toBe(first);
    expect(asked).toEqual([{ waitForWorker: false }, { waitForWorker: true }]);
    await link.close();
  });

  it('goes on connecting for the others when one of them leaves, and ends with the last', async () => {
    const opened = gate();
    const signals: AbortSignal[] = [];
    const { link } = linkOver(async ({ signal }) => {
      signals.push(signal as AbortSignal);
      await opened.opened;
      return (await freshPeer()).peer;
    });
    const [leaving, staying] = [new AbortController(), new AbortController()];
    const left = failure(link.reach(leaving.signal));
    const stayed = link.reach(staying.signal);
    leaving.abort();
    expect(await left).toMatchObject({ code: 'cancelled' });
    expect(signals[0]?.aborted).toBe(false);
    opened.open();
    expect((await stayed).remote.agent.name).toBe('laptop');
    await link.close();
  });

  it('stops connecting when nobody waits any more, and begins anew for the next who asks', async () => {
    const signals: AbortSignal[] = [];
    const { link } = linkOver(async ({ signal }) => {
      signals.push(signal as AbortSignal);
      if (signals.length > 1) return (await freshPeer()).peer;
      return await new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
    });
    const leaving = new AbortController();
    const left = failure(link.reach(leaving.signal));
    leaving.abort();
    expect(await left).toMatchObject({ code: 'cancelled' });
    expect(signals[0]?.aborted).toBe(true);
    await link.reach();
    expect(signals).toHaveLength(2);
    await link.close();
  });

  it('connects no more once it is closed, and closes what comes up too late', async () => {
    const opened = gate();
    const late = await freshPeer();
    const { link, asked } = linkOver(async () => {
      await opened.opened;
      return late.peer;
    });
    const waiting = failure(link.reach());
    await link.close();
    opened.open();
    expect(await waiting).toMatchObject({ code: 'cancelled' });
    expect(await late.peer.closed).toBeUndefined();
    expect(await failure(link.reach())).toMatchObject({ code: 'cancelled' });
    expect(asked).toHaveLength(1);
  });
});
