import {
  type FoundRunner,
  type JobModel,
  type JobRequest,
  type Jobs,
  type JobsLimits,
  openJobs,
  parseRunner,
  RunnerStore,
} from '@model-rtc/jobs';
import { isEnded, type Job, type JobEvent } from '@model-rtc/protocol';
import { afterTest } from '../../../../test/support/after-test.ts';
import { PYTHON } from '../../../../test/support/requirements.ts';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { makeModel, OWNER, testDataSets, testRequest, testResults } from './test-ports.ts';

export interface TestJobs {
  readonly jobs: Jobs;
  readonly root: string;
  readonly store: RunnerStore;
  readonly model: JobModel;
  /** Declares a runner that runs a Python program with `{model}`, `{input}` or `{output}` as it wants. */
  declare(name: string, program: string, more?: object): Promise<void>;
  request(more?: Partial<JobRequest>): JobRequest;
  /** Submits a job and waits until it has ended. */
  run(more?: Partial<JobRequest>): Promise<Job>;
  ended(id: string): Promise<Job>;
  /** Waits until a job is in a state. */
  until(id: string, state: Job['state']): Promise<void>;
}

export interface TestJobsOptions {
  /** Of an earlier one, to go on with. */
  readonly root?: string | undefined;
  readonly limits?: Partial<JobsLimits> | undefined;
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  readonly presets?: (() => Promise<readonly FoundRunner[]>) | undefined;
  readonly now?: (() => Date) | undefined;
}

/** Jobs in a data folder of their own, with one model; data sets are files whose content is their name. */
export async function openTestJobs(options: TestJobsOptions = {}): Promise<TestJobs> {
  const root = options.root ?? (await temporaryFolder());
  const model = await makeModel(root);
  const jobs = await openJobs({
    ...{ root, env: options.env ?? process.env, now: options.now, presets: options.presets ?? (async () => []) },
    limits: { killAfterMs: 1_000, ...options.limits },
    ...{ dataSets: testDataSets, results: testResults },
  });
  afterTest(() => jobs.close());
  const store = new RunnerStore(root);
  const request = (more: Partial<JobRequest> = {}): JobRequest => ({
    ...testRequest(model),
    ...more,
  });
  const ended = async (id: string): Promise<Job> => {
    for await (const _ of jobs.events(OWNER, id));
    return await jobs.get(OWNER, id);
  };
  return {
    ...{ jobs, root, store, model, request, ended },
    async declare(name, program, more = {}) {
      const args = [PYTHON, '-c', program, '{output}'];
      await store.put(parseRunner({ name, args, ...more }));
    },
    async run(more) {
      return await ended((await jobs.submit(request(more))).job.id);
    },
    async until(id, state) {
      for await (const events of jobs.events(OWNER, id)) {
        if (events.some((event) => event.type === 'state' && (event.state === state || isEnded(event.state)))) return;
      }
    },
  };
}

/** Every line that a job's program printed, of one stream. */
export async function linesOf(jobs: Jobs, id: string, stream = 'stdout'): Promise<string[]> {
  const events = await eventsOf(jobs, id);
  return events.flatMap((event) => (event.type === 'log' && event.stream === stream ? [event.text] : []));
}

export async function eventsOf(jobs: Jobs, id: string, fromEvent = 1): Promise<JobEvent[]> {
  const all: JobEvent[] = [];
  for await (const events of jobs.events(OWNER, id, { fromEvent })) all.push(...events);
  return all;
}
