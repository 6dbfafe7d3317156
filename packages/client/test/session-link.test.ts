import { describe, expect, it } from '@jest/globals';
import { ModelRtcError } from '@model-rtc/protocol';
import { createMemoryLanes, createPeer, type Peer } from '@model-rtc/transport';
import { type Connector, GIVE_UP_MS, SessionLink } from '../src/session-link.ts';
import { failure, gate, TestTime, TOKEN } from './support/lab.ts';

const AGENT = { name: 'laptop', version: '1' };
const LOST = new ModelRtcError('network', 'The connection was lost.');

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
  const time = new TestTime();
  const asked: { waitForWorker: boolean | undefined }[] = [];
  const link = new SessionLink({
    token: TOKEN,
    agent: AGENT,
    time,
    connector: async (options) => {
      asked.push({ waitForWorker: options.waitForWorker });
      return await connector(options);
    },
  });
  return { link, time, asked };
}

const anyPeer: Connector = async () => (await freshPeer()).peer;
const nothingToReport = { quietMs: () => 0, onReconnect: () => {} };

describe('SessionLink', () => {
  it('makes one connection for all who ask while it comes up, and keeps it', async () => {
    const { link, asked } = linkOver(anyPeer);
    const [first, second] = await Promise.all([link.peer(), link.peer()]);
    expect(second).toBe(first);
    expect(await link.peer()).toBe(first);
    expect(asked).toEqual([{ waitForWorker: false }]);
    await link.close();
  });

  it('connects again after the connection was lost, and waits for the worker then', async () => {
    const made: { peer: Peer; cut(): void }[] = [];
    const { link, asked } = linkOver(async () => {
      made.push(await freshPeer());
      return made.at(-1)?.peer as Peer;
    });
    const first = await link.peer();
    made[0]?.cut();
    await first.closed;
    expect(await link.peer()).not.toBe(first);
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
    const left = failure(link.peer(leaving.signal));
    const stayed = link.peer(staying.signal);
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
    const left = failure(link.peer(leaving.signal));
    leaving.abort();
    expect(await left).toMatchObject({ code: 'cancelled' });
    expect(signals[0]?.aborted).toBe(true);
    await link.peer();
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
    const waiting = failure(link.peer());
    await link.close();
    opened.open();
    expect(await waiting).toMatchObject({ code: 'cancelled' });
    expect(await late.peer.closed).toBeUndefined();
    expect(await failure(link.peer())).toMatchObject({ code: 'cancelled' });
    expect(asked).toHaveLength(1);
  });
});

describe('durably', () => {
  it('runs the work again over a new connection while connections are lost', async () => {
    const { link, asked } = linkOver(anyPeer);
    const reasons: string[] = [];
    let runs = 0;
    const result = await link.durably(
      async () => {
        if (++runs < 3) throw LOST;
        return 'done';
      },
      { ...nothingToReport, onReconnect: ({ message }) => reasons.push(message) },
    );
    expect({ result, reasons, connections: asked.length }).toEqual({
      result: 'done',
      reasons: [LOST.message, LOST.message],
      connections: 3,
    });
    await link.close();
  });

  it('does not run again what failed for another reason', async () => {
    for (const code of ['token_revoked', 'refused', 'storage_full', 'not_found', 'busy', 'alias_taken'] as const) {
      const { link, asked } = linkOver(anyPeer);
      const work = async () => {
        throw new ModelRtcError(code, 'No.');
      };
      expect(await failure(link.durably(work, nothingToReport))).toMatchObject({ code });
      expect(asked).toHaveLength(1);
      await link.close();
    }
  });

  it('says at once why the first connection does not come up', async () => {
    const { link, time } = linkOver(async () => {
      throw new ModelRtcError('worker_offline', 'Nobody is there.');
    });
    expect(await failure(link.durably(async () => {}, nothingToReport))).toMatchObject({ code: 'worker_offline' });
    expect(time.waits).toEqual([]);
  });

  it('comes back later to a worker that everyone comes back to at once', async () => {
    let connections = 0;
    const { link, time } = linkOver(async () => {
      if (++connections === 2) throw new ModelRtcError('busy', 'Too many clients are connecting.');
      return (await freshPeer()).peer;
    });
    let runs = 0;
    await link.durably(async () => {
      if (++runs === 1) throw LOST;
    }, nothingToReport);
    expect(connections).toBe(3);
    expect(time.waits).toHaveLength(2);
    await link.close();
  });

  it('waits longer from time to time, up to a bound, and gives up after the time without progress', async () => {
    const { link, time } = linkOver(anyPeer);
    const startedMs = time.nowMs();
    const work = async () => {
      throw LOST;
    };
    const error = await failure(link.durably(work, { ...nothingToReport, quietMs: () => time.nowMs() - startedMs }));
    expect(error).toMatchObject({ code: 'timeout', exitCode: 9 });
    expect(error.message).toContain('run the same command again');
    expect(time.waits.slice(0, 7)).toEqual([250, 500, 1000, 2000, 4000, 8000, 8000]);
    const waited = time.waits.reduce((sum, ms) => sum + ms, 0);
    expect(waited).toBeGreaterThan(GIVE_UP_MS - 8_000);
    expect(waited).toBeLessThan(GIVE_UP_MS + 8_000);
    await link.close();
  });

  it('comes back soon each time that the connection before carried something', async () => {
    const { link, time } = linkOver(anyPeer);
    let runs = 0;
    const work = async () => {
      // An hour passes over each connection, and something came in its last second.
      await time.wait(3_600_000);
      if (++runs < 4) throw LOST;
    };
    await link.durably(work, { ...nothingToReport, quietMs: () => 1_000 });
    expect(time.waits.filter((ms) => ms < 3_600_000)).toEqual([250, 250, 250]);
    await link.close();
  });

  it('is cancelled while it waits to connect again', async () => {
    const { link, time } = linkOver(anyPeer);
    const stopped = new AbortController();
    const work = async () => {
      throw LOST;
    };
    const options = { ...nothingToReport, signal: stopped.signal, onReconnect: () => stopped.abort() };
    expect(await failure(link.durably(work, options))).toMatchObject({ code: 'cancelled', exitCode: 130 });
    expect(time.waits).toHaveLength(1);
    await link.close();
  });

  it('ends when the link is closed, whatever the work makes of it', async () => {
    const { link, asked } = linkOver(anyPeer);
    const work = async () => {
      await link.close();
      throw LOST;
    };
    expect(await failure(link.durably(work, nothingToReport))).toMatchObject({ code: 'cancelled' });
    expect(asked).toHaveLength(1);
  });
});
