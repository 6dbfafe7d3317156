import { isEnded, type JobEvent } from '@model-rtc/protocol';
import { defineCommand, flagOption } from '../../command-line/types.ts';
import { connectWorker } from '../connect.ts';
import { jobNamed } from './job-named.ts';
import { lineText, stateText } from './job-text.ts';
import { jobArgument, jobsOptions } from './options.ts';

export const jobLogs = defineCommand({
  usage: 'logs [job]',
  describe: 'Print what a job printed',
  positionals: { job: jobArgument },
  options: {
    ...jobsOptions,
    follow: flagOption('Go on until the job has ended', { alias: 'f' }),
    tail: { type: 'number', describe: 'Only the last lines, so many' },
  },
  examples: [
    ['$0 jobs logs k3v9 --worker lab', 'all of it so far'],
    ['$0 jobs logs --follow --worker lab', 'of the job that runs, as it comes'],
  ],
  async run(context, options) {
    context.explainCancel('Stopped. The job goes on at the worker.');
    await using worker = await connectWorker(context, options, options.worker);
    const job = await jobNamed(context, worker, options.job);
    const { output } = context;
    const isLine = (event: JobEvent): event is Extract<JobEvent, { type: 'log' }> => event.type === 'log';
    const print = (events: readonly JobEvent[]): void => {
      if (output.json) for (const event of events) output.line({ event: 'job', job: job.id, ...event });
      else for (const event of events) if (isLine(event)) output.line(lineText(event));
    };
    const tail = options.tail === undefined ? undefined : Math.max(0, Math.floor(options.tail));
    const seen = tail === undefined ? undefined : new LastLines(tail, isLine);
    const onProgress = await output.progress();
    const asIs = { signal: context.signal, onProgress };
    let fromEvent = 1;
    const note = (events: readonly JobEvent[]): void => {
      fromEvent = (events.at(-1)?.number ?? fromEvent - 1) + 1;
    };
    if (seen !== undefined) {
      const onEvents = (events: readonly JobEvent[]): void => {
        note(events);
        seen.add(events);
      };
      await worker.jobs.follow(job.id, { ...asIs, wait: false, onEvents });
      print(seen.events);
    }
    const ended = await worker.jobs.follow(job.id, { ...asIs, fromEvent, wait: options.follow, onEvents: print });
    if (!output.json)
      output.note(`Job ${job.id} is ${stateText(ended)}${isEnded(ended.state) ? '.' : '; follow it with --follow.'}`);
  },
});

/** Keeps the last events of one kind. */
class LastLines {
  readonly #most: number;
  readonly #isWanted: (event: JobEvent) => boolean;
  #events: JobEvent[] = [];

  constructor(most: number, isWanted: (event: JobEvent) => boolean) {
    this.#most = most;
    this.#isWanted = isWanted;
  }

  get events(): readonly JobEvent[] {
    return this.#most === 0 ? [] : this.#events.slice(-this.#most);
  }

  add(events: readonly JobEvent[]): void {
    this.#events.push(...events.filter(this.#isWanted));
    // Cut now and then, since moving all of them for each line would take its time.
    if (this.#events.length > 2 * this.#most + 1024) this.#events = this.#events.slice(-this.#most);
  }
}
