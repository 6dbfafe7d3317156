import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { JobRequest, Jobs } from '@model-rtc/jobs';
import {
  type Digest,
  encodeMessage,
  type Job,
  type JobEvent,
  MAX_PLAIN_MESSAGE_BYTES,
  ModelRtcError,
  type Params,
  type Scope,
  sha256Digest,
  silentLog,
} from '@model-rtc/protocol';
import type { Registry } from '@model-rtc/registry';
import type { Handlers, RequestContext } from '@model-rtc/transport';
import { createHandlers } from '../../../src/handlers/create-handlers.ts';
import { FreshModels } from '../../../src/handlers/fresh-models.ts';
import type { JobServices } from '../../../src/handlers/jobs/types.ts';
import { afterTest, failure, importLinked, openTestRegistry } from '../../support/registry.ts';

const AT = '2026-01-02T03:04:05.678Z';
const ID = 'abcdefgh0123';
const BYTES = Buffer.from('the results');
const RESULTS = sha256Digest(Buffer.from('results of a job'));
const UNKNOWN = sha256Digest(Buffer.from('unknown'));

function job(changes: Partial<Job> = {}): Job {
  const nothing = { models: [], data: [], settings: {}, lastEvent: 0 };
  return { id: ID, state: 'completed', runner: 'test', createdAt: AT, ...nothing, ...changes };
}

type AllHandlers = { readonly [M in keyof Handlers]-?: NonNullable<Handlers[M]> };

interface Fake {
  readonly services: JobServices;
  readonly submitted: JobRequest[];
}

function fakeJobs({ events = [], missing = [] }: { events?: JobEvent[][]; missing?: Digest[] } = {}): Fake {
  const submitted: JobRequest[] = [];
  const jobs = {
    async submit(request: JobRequest) {
      submitted.push(request);
      return { job: job({ state: 'queued' }), outcome: 'queued' };
    },
    async get(owner: string, id: string) {
      if (owner !== 'mine' || id !== ID) throw new ModelRtcError('not_found', 'There is no such job.');
      return job();
    },
    async *events() {
      yield* events;
    },
    async resultsFolder(owner: string) {
      if (owner !== 'mine') throw new ModelRtcError('not_found', 'There is no such job.');
      return '/notes';
    },
  } as unknown as Jobs;
  const reader = { readChunk: async () => BYTES, close() {} };
  const services: JobServices = {
    jobs,
    data: { missing: async () => missing, receive: () => Promise.reject(new Error('not asked')) },
    results: {
      openResults: async () => ({ digest: RESULTS, form: 'file', manifest: undefined, emptyFolders: [], reader }),
    },
  };
  return { services, submitted };
}

async function handlersOf(
  registry: Registry,
  jobs: JobServices,
  who: { readonly keyId?: string; readonly scopes?: readonly Scope[] } = {},
): Promise<AllHandlers> {
  const { handlersFor, close } = createHandlers({
    ...{ registry, fresh: new FreshModels(registry, silentLog), log: silentLog, jobs },
  });
  afterTest(close);
  return handlersFor({ keyId: 'mine', scopes: ['track'], ...who }) as AllHandlers;
}

function contextOf<M extends 'list_jobs' | 'submit_job' | 'follow_job' | 'get_results' | 'get_chunks'>(
  more: Partial<RequestContext<M>> = {},
): RequestContext<M> {
  return { signal: new AbortController().signal, peer: {}, lane: {}, ...more } as unknown as RequestContext<M>;
}

const asked = (params: Partial<Params<'submit_job'>>): Params<'submit_job'> => ({
  ...{ models: [], data: [], settings: {} },
  ...params,
});

describe('submit_job', () => {
  it('hands over the models in order, with their folders and main files', async () => {
    const registry = await openTestRegistry();
    const [first, second] = [await importLinked(registry, 'one', 'one'), await importLinked(registry, 'two', 'two')];
    const { services, submitted } = fakeJobs();
    const { submit_job } = await handlersOf(registry, services);
    const models = [second.digest as Digest, first.digest as Digest];
    const answer = await submit_job(asked({ models, runner: 'test', settings: { batch: '4' } }), contextOf());
    expect(answer.outcome).toBe('queued');
    expect(submitted).toHaveLength(1);
    expect(submitted[0]).toMatchObject({ owner: 'mine', runner: 'test', settings: { batch: '4' }, resume: undefined });
    expect(submitted[0]?.models.map(({ alias, checkpoint }) => [alias, checkpoint])).toEqual([
      ['two', join(second.localPath, 'weights.pt')],
      ['one', join(first.localPath, 'weights.pt')],
    ]);
  });

  it('refuses a model that the worker does not have, or whose files changed, and starts nothing', async () => {
    const registry = await openTestRegistry();
    const entry = await importLinked(registry, 'one', 'one');
    const { services, submitted } = fakeJobs();
    const { submit_job } = await handlersOf(registry, services);
    expect(await failure(submit_job(asked({ models: [UNKNOWN] }), contextOf()))).toMatchObject({ code: 'not_found' });
    await writeFile(entry.original, 'another one');
    const changed = submit_job(asked({ models: [entry.digest as Digest] }), contextOf());
    expect(await failure(changed)).toMatchObject({ code: 'not_found' });
    expect(submitted).toEqual([]);
  });

  it('says which data it lacks', async () => {
    const { services, submitted } = fakeJobs({ missing: [UNKNOWN] });
    const { submit_job } = await handlersOf(await openTestRegistry(), services);
    const data = [{ digest: UNKNOWN, name: 'clip.mp4', form: 'file' }] as const;
    const refused = await failure(submit_job(asked({ data: [...data] }), contextOf()));
    expect(refused).toMatchObject({ code: 'not_found', details: { missing: [UNKNOWN] } });
    expect(submitted).toEqual([]);
  });

  it('resumes interrupted trainings alone', async () => {
    const registry = await openTestRegistry();
    const finished = await importLinked(registry, 'one', 'one');
    const { services, submitted } = fakeJobs();
    const { submit_job } = await handlersOf(registry, services);
    const refused = await failure(submit_job(asked({ resume: 'one' }), contextOf()));
    expect(refused).toMatchObject({ code: 'bad_argument', message: expect.stringContaining('"one" is completed') });
    const run = {
      ...finished,
      id: 'run-1',
      digest: undefined,
      status: 'interrupted',
      originalPath: '/runs/1',
    } as const;
    const training = { ...registry, resolve: async () => ({ entry: run, resolvedBy: 'id' as const }) };
    const other = await handlersOf(training, services);
    await other.submit_job(asked({ resume: 'run-1' }), contextOf());
    expect(submitted[0]?.resume).toMatchObject({ id: 'run-1', digest: undefined, folder: '/runs/1' });
  });
});

describe('list_jobs', () => {
  it('ends a page before it is too long for an answer', async () => {
    const settings = { text: 'x'.repeat(4096) };
    const all = Array.from({ length: 2000 }, (_, i) => job({ id: `job${String(i).padStart(8, '0')}`, settings }));
    const { services } = fakeJobs();
    const jobs = {
      async list(_owner: string, { cursor = '0', limit = 200 }: { cursor?: string; limit?: number }) {
        const from = Number(cursor);
        const page = all.slice(from, from + Math.min(limit, 2000));
        return { jobs: page, nextCursor: String(from + page.length), total: all.length };
      },
    } as unknown as Jobs;
    const { list_jobs } = await handlersOf(await openTestRegistry(), { ...services, jobs });
    const page = await list_jobs({ limit: 2000 }, contextOf());
    expect(page.jobs.length).toBeGreaterThan(100);
    expect(JSON.stringify(page.jobs).length).toBeLessThan(4 * 1024 * 1024);
    expect(page.nextCursor).toBe(String(page.jobs.length));
  });
});

describe('follow_job', () => {
  it('sends events in messages that every lane takes, in order, and then the job', async () => {
    const text = '\u20ac'.repeat(4096);
    const events = Array.from({ length: 30 }, (_, i): JobEvent => {
      return { type: 'log', number: i + 1, at: AT, stream: 'stdout', text };
    });
    const { follow_job } = await handlersOf(await openTestRegistry(), fakeJobs({ events: [events] }).services);
    const sent: JobEvent[] = [];
    const context = contextOf<'follow_job'>({
      emit: async (event) => {
        expect(encodeMessage({ type: 'event', id: 2 ** 32 - 1, event }).length).toBeLessThan(MAX_PLAIN_MESSAGE_BYTES);
        sent.push(...event.events);
      },
    });
    const answer = await follow_job({ id: ID, fromEvent: 1, wait: true }, context);
    expect(answer.job.id).toBe(ID);
    expect(sent).toEqual(events);
  });
});

describe('the chunks of results', () => {
  const wanted = { digest: RESULTS, chunks: [{ index: 0, digest: sha256Digest(BYTES) }] };

  it('are given to the token that asked for the results of its job, and to no other', async () => {
    const registry = await openTestRegistry();
    const { services } = fakeJobs();
    const { handlersFor, close } = createHandlers({
      ...{ registry, fresh: new FreshModels(registry, silentLog), log: silentLog, jobs: services },
    });
    afterTest(close);
    const mine = handlersFor({ keyId: 'mine', scopes: ['track'] }) as AllHandlers;
    const others = handlersFor({ keyId: 'others', scopes: ['track'] }) as AllHandlers;
    const sent: string[] = [];
    const context = contextOf<'get_chunks'>({
      sendChunk: async (_, bytes) => void sent.push(Buffer.from(bytes).toString()),
    });
    expect(await failure(mine.get_chunks(wanted, context))).toMatchObject({ code: 'scope_missing' });
    expect(await mine.get_results({ id: ID }, contextOf())).toMatchObject({ form: 'file' });
    await mine.get_chunks(wanted, context);
    expect(sent).toEqual([BYTES.toString()]);
    expect(await failure(others.get_results({ id: ID }, contextOf()))).toMatchObject({ code: 'not_found' });
    expect(await failure(others.get_chunks(wanted, context))).toMatchObject({ code: 'scope_missing' });
  });

  it('are no key to the chunks of models', async () => {
    const registry = await openTestRegistry();
    const { digest } = await importLinked(registry, 'one', 'one');
    const { get_chunks } = await handlersOf(registry, fakeJobs().services);
    const { chunks } = await registry.manifest(digest as Digest);
    const asking = {
      digest: digest as Digest,
      chunks: chunks.map((chunk, index) => ({ index, digest: chunk.digest })),
    };
    expect(await failure(get_chunks(asking, contextOf()))).toMatchObject({
      code: 'scope_missing',
      message: expect.stringContaining('"read"'),
    });
  });
});
