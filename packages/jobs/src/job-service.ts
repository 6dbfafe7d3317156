import { type Digest, type Job, type JobEvent, MAX_PAGE, ModelRtcError, withoutUndefined } from '@model-rtc/protocol';
import { readEvents } from './log/read-events.ts';
import { JobQueue } from './queue/job-queue.ts';
import { LOST, recoverJobs } from './queue/recover.ts';
import type { RunContext } from './run/types.ts';
import type { KnownRunners } from './runners/known-runners.ts';
import { expireJobs } from './store/expire-jobs.ts';
import type { JobBook } from './store/job-book.ts';
import type { StoredJob } from './store/stored-job.ts';
import { submitJob } from './submit/submit-job.ts';
import type { EventsOptions, JobPage, JobRequest, Jobs, ListOptions, Owner, Submitted } from './types.ts';

/** Results expire to the hour. */
const EXPIRE_INTERVAL_MS = 60 * 60 * 1000;

const CANCELLED = { code: 'cancelled', message: 'Cancelled.' } as const;
const REVOKED = { code: 'token_revoked', message: 'Ended, since the session of this job was revoked.' } as const;

/** The jobs of one machine: the book, the queue and the runners behind one face. */
export class JobService implements Jobs {
  readonly #book: JobBook;
  readonly #runners: KnownRunners;
  readonly #context: RunContext;
  readonly #queue: JobQueue;
  #submitting: Promise<unknown> = Promise.resolve();
  #recovering: Promise<void> = Promise.resolve();
  #expiring: Promise<void> = Promise.resolve();
  #stopExpiring: () => void = () => undefined;

  constructor(book: JobBook, runners: KnownRunners, context: RunContext) {
    this.#book = book;
    this.#runners = runners;
    this.#context = context;
    this.#queue = new JobQueue(
      context,
      () => runners.concurrencies(),
      () => this.#expire(),
    );
  }

  /** Goes on with the jobs of an earlier process. */
  start(): void {
    const open = this.#book.all().filter(({ hasEnded }) => !hasEnded);
    this.#recovering = recoverJobs(open, this.#queue, this.#context)
      .catch((error) => this.#context.log.warn({ error }, 'the jobs of an earlier worker cannot be put in order'))
      // Not before what is left of them is gone, which may hold the GPU.
      .finally(() => this.#queue.start());
    this.#expire();
    this.#stopExpiring = this.#context.clock.every(EXPIRE_INTERVAL_MS, () => this.#expire());
  }

  async runners(): Promise<Awaited<ReturnType<Jobs['runners']>>> {
    return await this.#runners.summaries();
  }

  async submit(request: JobRequest): Promise<Submitted> {
    // One at a time: two equal requests make one job.
    const submitting = this.#submitting.then(() => this.#submit(request));
    this.#submitting = submitting.catch(() => undefined);
    return await submitting;
  }

  async list(owner: Owner, { states, cursor, limit = MAX_PAGE }: ListOptions = {}): Promise<JobPage> {
    const before = cursor === undefined ? Number.POSITIVE_INFINITY : parseCursor(cursor);
    const matching = this.#book.of(owner).filter(({ state }) => states === undefined || states.includes(state));
    const rest = matching.filter(({ record }) => record.sequence < before).reverse();
    const page = rest.slice(0, Math.min(limit, MAX_PAGE));
    const positions = this.#queue.positions();
    return {
      jobs: page.map((job) => shownJob(job, positions)),
      nextCursor: page.length < rest.length ? String(page.at(-1)?.record.sequence) : undefined,
      total: matching.length,
    };
  }

  async get(owner: Owner, id: string): Promise<Job> {
    return this.#shown(this.#book.get(owner, id));
  }

  async *events(owner: Owner, id: string, options: EventsOptions = {}): AsyncIterable<readonly JobEvent[]> {
    const { fromEvent = 1, wait = true, signal } = options;
    const job = this.#book.get(owner, id);
    let lastNumber = 0;
    for await (const events of readEvents(job.paths.log, job.events, { fromEvent, wait, signal })) {
      lastNumber = events.at(-1)?.number ?? lastNumber;
      yield events;
    }
    const last = lastStateEvent(job);
    // A worker that was killed, or a full disk, can keep the last event from the log.
    if (last !== undefined && lastNumber < last.number && last.number >= fromEvent) yield [last];
  }

  async cancel(owner: Owner, id: string): Promise<Job> {
    const job = this.#book.get(owner, id);
    if (!job.hasEnded) {
      await this.#context.audit.add({ event: 'cancelled', owner, job: id });
      await this.#queue.cancel(job, CANCELLED);
    }
    return this.#shown(job);
  }

  async cancelAll(owner: Owner): Promise<void> {
    const open = this.#book.of(owner).filter(({ hasEnded }) => !hasEnded);
    await Promise.all(open.map((job) => this.#queue.cancel(job, REVOKED)));
  }

  async resultsFolder(owner: Owner, id: string): Promise<string> {
    const { record, paths, hasEnded } = this.#book.get(owner, id);
    if (record.job.results !== undefined) return paths.results;
    const why = hasEnded
      ? noResultsReason(record.resultsDeletedAt)
      : 'it has not ended yet. Follow it: model-rtc jobs logs --follow';
    throw new ModelRtcError('not_found', `The job ${id} has no results: ${why}.`);
  }

  async fetched(owner: Owner, id: string): Promise<void> {
    const job = this.#book.get(owner, id);
    const { results } = job.record.job;
    if (results === undefined) return;
    const { now, limits } = this.#context;
    const untilMs = now().getTime() + limits.fetchedResultsKeptMs;
    const expiresAt = new Date(Math.min(untilMs, Date.parse(results.expiresAt ?? '') || untilMs)).toISOString();
    await job.change((record) => ({ ...record, job: { ...record.job, results: { ...results, expiresAt } } }));
    await this.#context.audit.add({ event: 'fetched', owner, job: id });
  }

  neededData(): ReadonlySet<Digest> {
    const open = this.#book.all().filter(({ hasEnded }) => !hasEnded);
    return new Set(open.flatMap(({ record }) => record.job.data.map(({ digest }) => digest)));
  }

  neededModels(): ReadonlySet<Digest> {
    const open = this.#book.all().filter(({ hasEnded }) => !hasEnded);
    return new Set(open.flatMap(({ record }) => record.models.flatMap(({ digest }) => digest ?? [])));
  }

  async close(): Promise<void> {
    this.#stopExpiring();
    await this.#submitting;
    await this.#recovering;
    await this.#queue.close(LOST);
    await this.#expiring;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #submit(request: JobRequest): Promise<Submitted> {
    const { owner } = request;
    const { audit } = this.#context;
    try {
      const { job, isNew } = await submitJob(request, await this.#runners.list(), this.#book, this.#context);
      await audit.add({ event: isNew ? 'submitted' : 'found', owner, job: job.id, ...asked(job) });
      if (isNew) this.#queue.add(job);
      return { job: this.#shown(job), outcome: isNew ? 'queued' : 'found' };
    } catch (thrown) {
      const { code, message } = ModelRtcError.from(thrown);
      const models = request.models.map(({ digest, id }) => digest ?? id);
      await audit.add({ ...{ event: 'refused', owner, code, message, models }, runner: request.runner });
      throw thrown;
    }
  }

  #expire(): void {
    const { limits, audit, now, log } = this.#context;
    this.#expiring = this.#expiring
      .then(() => expireJobs(this.#book, limits, audit, now()))
      .catch((error) => log.warn({ error }, 'old jobs cannot be removed'));
  }

  #shown(job: StoredJob): Job {
    return shownJob(job, this.#queue.positions());
  }
}

function shownJob({ id, record, lastEvent }: StoredJob, positions: ReadonlyMap<string, number>): Job {
  return { ...record.job, ...withoutUndefined({ position: positions.get(id) }), lastEvent };
}

function lastStateEvent({ record, hasEnded }: StoredJob): JobEvent | undefined {
  const { state, endedAt, createdAt, exit, error } = record.job;
  if (!hasEnded || record.lastEvent === undefined) return undefined;
  const how = withoutUndefined({ exit, error });
  return { type: 'state', number: record.lastEvent, at: endedAt ?? createdAt, state, ...how };
}

function asked({ record: { job, resume } }: StoredJob): object {
  const { runner, settings, models, data } = job;
  const named = {
    models: models.map(({ digest, alias }) => ({ digest, alias })),
    data: data.map(({ digest, name }) => ({ digest, name })),
  };
  return { runner, settings, ...named, resume: resume?.folder };
}

function noResultsReason(deletedAt: string | undefined): string {
  return deletedAt === undefined ? 'it wrote nothing' : `they were deleted at ${deletedAt}. Run it again with --again`;
}

function parseCursor(cursor: string): number {
  if (/^\d{1,15}$/.test(cursor)) return Number(cursor);
  throw new ModelRtcError('bad_argument', 'The cursor of the list is not one of ours. List from the start.');
}
