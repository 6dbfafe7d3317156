import type { ErrorData } from '@model-rtc/protocol';
import { endJob, resumeFinishing, runJob } from '../run/run-job.ts';
import { StopSwitch } from '../run/stop-switch.ts';
import type { RunContext } from '../run/types.ts';
import type { StoredJob } from '../store/stored-job.ts';
import { nextJob } from './next-job.ts';

interface RunningJob {
  readonly job: StoredJob;
  readonly owner: string;
  readonly runner: string;
  readonly stop: StopSwitch;
  readonly done: Promise<void>;
}

/** The owner can change a runner, or mend its file, at any moment. */
const LOOK_INTERVAL_MS = 5_000;

/** Runs jobs in the order in which they came, as many at once as the limits say. */
export class JobQueue {
  readonly #context: RunContext;
  readonly #concurrencies: () => Promise<ReadonlyMap<string, number>>;
  readonly #onEnded: () => void;
  /** In the order of the queue. */
  readonly #waiting = new Map<string, StoredJob>();
  readonly #running = new Map<string, RunningJob>();
  #isStarted = false;
  #isClosed = false;
  #stopLooking: () => void = () => undefined;
  #starting: Promise<void> = Promise.resolve();

  /**
   * @param concurrencies how many jobs of each runner may run at once; one, of a runner that is not in it
   * @param onEnded called when a job has ended
   */
  constructor(context: RunContext, concurrencies: () => Promise<ReadonlyMap<string, number>>, onEnded: () => void) {
    this.#context = context;
    this.#concurrencies = concurrencies;
    this.#onEnded = onEnded;
  }

  /** Starts jobs from now on. */
  start(): void {
    this.#isStarted = true;
    this.#look();
    this.#stopLooking = this.#context.clock.every(LOOK_INTERVAL_MS, () => this.#look());
  }

  add(job: StoredJob): void {
    this.#waiting.set(job.id, job);
    this.#look();
  }

  /** Goes on with a job whose program has ended. */
  addFinishing(job: StoredJob): void {
    this.#run(job, (stop) => resumeFinishing(job, this.#context, stop));
  }

  /** Places in the queue, from 1 on. */
  positions(): ReadonlyMap<string, number> {
    return new Map([...this.#waiting.keys()].map((id, index) => [id, index + 1]));
  }

  /** Ends a job that waits or runs; its events tell when. */
  async cancel(job: StoredJob, error: ErrorData): Promise<void> {
    this.#running.get(job.id)?.stop.stop({ state: 'cancelled', error });
    if (!this.#waiting.delete(job.id)) return;
    await endJob(job, this.#context, { state: 'cancelled', change: { error } });
    this.#onEnded();
  }

  /** Ends what runs, and starts nothing more. */
  async close(error: ErrorData): Promise<void> {
    this.#isClosed = true;
    this.#stopLooking();
    await this.#starting;
    const running = [...this.#running.values()];
    for (const { stop } of running) stop.stop({ state: 'lost', error });
    await Promise.all(running.map(({ done }) => done));
  }

  #look(): void {
    if (!this.#isStarted || this.#isClosed || this.#waiting.size === 0) return;
    this.#starting = this.#starting
      .then(() => this.#startAll())
      .catch((error) => this.#context.log.warn({ error }, 'no job can be started'));
  }

  async #startAll(): Promise<void> {
    const concurrencies = await this.#concurrencies();
    const { maxRunning, maxRunningPerOwner } = this.#context.limits;
    const rules = { maxRunning, maxRunningPerOwner, concurrencyOf: (runner: string) => concurrencies.get(runner) ?? 1 };
    while (!this.#isClosed) {
      const next = nextJob(waitingJobs(this.#waiting), [...this.#running.values()], rules);
      if (next === undefined) return;
      this.#waiting.delete(next.job.id);
      this.#run(next.job, (stop) => runJob(next.job, this.#context, stop));
    }
  }

  #run(job: StoredJob, work: (stop: StopSwitch) => Promise<void>): void {
    const stop = new StopSwitch();
    const done = work(stop)
      .catch((error) => this.#context.log.warn({ job: job.id, error }, 'a job ended in an unknown way'))
      .finally(() => {
        this.#running.delete(job.id);
        this.#onEnded();
        this.#look();
      });
    this.#running.set(job.id, { job, owner: job.record.owner, runner: job.record.job.runner, stop, done });
  }
}

function* waitingJobs(
  waiting: ReadonlyMap<string, StoredJob>,
): Iterable<{ readonly job: StoredJob; readonly owner: string; readonly runner: string }> {
  for (const job of waiting.values()) yield { job, owner: job.record.owner, runner: job.record.job.runner };
}
