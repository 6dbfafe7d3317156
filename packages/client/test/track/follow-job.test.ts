import { describe, expect, it } from '@jest/globals';
import type { Job, JobEvent, Params } from '@model-rtc/protocol';
import { ModelRtcError } from '@model-rtc/protocol';
import type { Handlers } from '@model-rtc/transport';
import { failure, gate, type LabOptions, openLab } from '../support/lab.ts';

const AT = '2026-01-02T03:04:05.678Z';
const TRACK = { scopes: ['track'] } as const;

function job(changes: Partial<Job> = {}): Job {
  return {
    id: 'abcdefgh0123',
    state: 'completed',
    runner: 'test',
    models: [],
    data: [],
    settings: {},
    createdAt: AT,
    lastEvent: 0,
    ...changes,
  };
}

const line = (number: number): JobEvent => ({ type: 'log', number, at: AT, stream: 'stdout', text: `line ${number}` });
const lines = (from: number, to: number): JobEvent[] => Array.from({ length: to - from + 1 }, (_, i) => line(from + i));

type Follow = NonNullable<Handlers['follow_job']>;

/** A client of a worker that answers `follow_job` in turn as given, and notes what it is asked. */
async function followed(answers: readonly Follow[], options: LabOptions = {}) {
  const asked: Params<'follow_job'>[] = [];
  const lab = await openLab({
    authority: TRACK,
    ...options,
    handlers: {
      ...options.handlers,
      follow_job: async (params, context) => {
        asked.push(params);
        const answer = (answers[asked.length - 1] ?? answers.at(-1)) as Follow;
        return await answer(params, context);
      },
    },
  });
  const seen: number[] = [];
  const told: string[] = [];
  const follow = (signal?: AbortSignal) =>
    lab.client.jobs.follow('abcdefgh0123', {
      signal,
      onProgress: ({ type }) => told.push(type),
      onEvents: (events) => seen.push(...events.map(({ number }) => number)),
    });
  return { lab, asked, seen, told, follow };
}

describe('following a job', () => {
  it('gives each event once, in order, over as many connections as it takes', async () => {
    const { lab, asked, seen, told, follow } = await followed([
      async (_, context) => {
        await context.emit({ events: lines(1, 3) });
        lab.connections.at(-1)?.lanes[1].faults.cut();
        await new Promise((resolve) => context.signal.addEventListener('abort', resolve));
        throw new ModelRtcError('cancelled', 'gone');
      },
      async (_, context) => {
        // A worker may repeat what it cannot know to have come.
        await context.emit({ events: lines(3, 5) });
        return { job: job({ lastEvent: 5 }) };
      },
    ]);
    expect((await follow()).lastEvent).toBe(5);
    expect(seen).toEqual([1, 2, 3, 4, 5]);
    expect(asked.map(({ fromEvent }) => fromEvent)).toEqual([1, 4]);
    expect(lab.connections).toHaveLength(2);
    expect(told).toEqual(['reconnecting']);
  });

  it('goes on for hours without an event, and still connects again after that', async () => {
    const silence = gate();
    const { lab, seen, follow } = await followed([
      async (_, { signal }) => {
        silence.open();
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        throw new ModelRtcError('cancelled', 'gone');
      },
      async (_, context) => {
        await context.emit({ events: lines(1, 1) });
        return { job: job() };
      },
    ]);
    const ended = follow();
    await silence.opened;
    lab.clock.after(5 * 3600_000, () => lab.connections.at(-1)?.lanes[1].faults.cut());
    expect((await ended).state).toBe('completed');
    expect(seen).toEqual([1]);
  });

  it('waits half an hour for a worker that is away, and then says that it is', async () => {
    const { follow, lab } = await followed(
      [
        async (_, { signal }) => {
          lab.connections.at(-1)?.lanes[1].faults.cut();
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
          throw new ModelRtcError('cancelled', 'gone');
        },
      ],
      {
        // Waits longer each time, so that half an hour has few attempts.
        connect: { random: () => 60 },
        onConnection: (_, number) => {
          if (number > 1) throw new ModelRtcError('worker_offline', 'The worker is not there.');
        },
      },
    );
    const startedMs = lab.clock.nowMs();
    expect(await failure(follow())).toMatchObject({ code: 'timeout' });
    expect(lab.clock.nowMs() - startedMs).toBeGreaterThanOrEqual(30 * 60_000);
  });

  it('ends at once, and for good, when the token was revoked', async () => {
    const { follow, asked } = await followed([
      async () => {
        throw new ModelRtcError('token_revoked', 'The session was revoked.');
      },
    ]);
    expect(await failure(follow())).toMatchObject({ code: 'token_revoked', exitCode: 8 });
    expect(asked).toHaveLength(1);
  });

  it('ends when the user leaves, and the worker hears of it', async () => {
    const leaving = new AbortController();
    const left = gate();
    const { follow } = await followed([
      async (_, { signal }) => {
        leaving.abort(new ModelRtcError('cancelled', 'Detached.'));
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        left.open();
        throw new ModelRtcError('cancelled', 'gone');
      },
    ]);
    expect(await failure(follow(leaving.signal))).toMatchObject({ code: 'cancelled', message: 'Detached.' });
    await left.opened;
  });

  it('says of a worker of an older version that it runs no jobs', async () => {
    const { follow, lab } = await followed([async () => ({ job: job() })], { capabilities: ['lanes'] });
    const refused = { code: 'protocol_mismatch', message: expect.stringContaining('Upgrade model-rtc there.') };
    expect(await failure(follow())).toMatchObject(refused);
    expect(await failure(lab.client.jobs.list())).toMatchObject(refused);
    expect(await failure(lab.client.jobs.runners())).toMatchObject(refused);
  });
});

describe('finding a job', () => {
  const found = (jobs: readonly Job[]) =>
    openLab({
      authority: TRACK,
      handlers: {
        list_jobs: async ({ cursor, limit, states }) => {
          const matching = jobs.filter(({ state }) => states === undefined || states.includes(state));
          const from = Number(cursor ?? 0);
          const page = matching.slice(from, from + Math.min(limit, 2));
          const next = from + page.length < matching.length ? `${from + page.length}` : undefined;
          return { jobs: page, nextCursor: next, total: matching.length };
        },
        get_job: async ({ id }) => {
          const one = jobs.find((each) => each.id === id);
          if (one === undefined) throw new ModelRtcError('not_found', 'no such job');
          return { job: one };
        },
      },
    });
  const all = [
    job({ id: 'aaaaaaaa', state: 'running' }),
    job({ id: 'aaaaaaab' }),
    job({ id: 'bbbbbbbb', state: 'failed' }),
  ];

  it('takes an id, and the start of one that no other begins with', async () => {
    const { client } = await found(all);
    expect((await client.jobs.find('aaaaaaab')).id).toBe('aaaaaaab');
    expect((await client.jobs.find('b')).id).toBe('bbbbbbbb');
    expect(await failure(client.jobs.find('aaa'))).toMatchObject({ code: 'ambiguous', exitCode: 2 });
    for (const ref of ['cccccccc', 'c', '../x', 'a'.repeat(40)]) {
      expect(await failure(client.jobs.find(ref))).toMatchObject({ code: 'not_found', exitCode: 3 });
    }
  });

  it('takes the one that has not ended, else the newest', async () => {
    expect((await (await found(all)).client.jobs.latest()).id).toBe('aaaaaaaa');
    expect((await (await found(all.slice(1))).client.jobs.latest()).id).toBe('aaaaaaab');
    expect(await failure((await found([])).client.jobs.latest())).toMatchObject({ code: 'not_found' });
    const two = [job({ id: 'aaaaaaaa', state: 'running' }), job({ id: 'bbbbbbbb', state: 'queued' })];
    expect(await failure((await found(two)).client.jobs.latest())).toMatchObject({ code: 'ambiguous' });
  });

  it('lists all pages, up to a limit', async () => {
    const { client } = await found(all);
    expect((await client.jobs.list()).jobs.map(({ id }) => id)).toEqual(all.map(({ id }) => id));
    expect(await client.jobs.list({ limit: 1 })).toMatchObject({ jobs: [{ id: 'aaaaaaaa' }], total: 3 });
    expect((await client.jobs.list({ states: ['failed'] })).jobs.map(({ id }) => id)).toEqual(['bbbbbbbb']);
  });
});
