import { isEnded } from '@model-rtc/protocol';
import { defineCommand, requiredText } from '../../command-line/types.ts';
import { printable } from '../../console/format.ts';
import { connectWorker } from '../connect.ts';
import { jobNamed } from './job-named.ts';
import { stateText } from './job-text.ts';
import { jobsOptions } from './options.ts';

export const cancelJob = defineCommand({
  usage: 'cancel <job>',
  describe: 'End a job, with all of its processes',
  positionals: { job: requiredText('Its id, or the start of it') },
  options: jobsOptions,
  examples: [['$0 jobs cancel k3v9x2m4q7w1 --worker lab', 'its processes get 10 s to end by themselves']],
  async run(context, options) {
    const { output, signal } = context;
    await using worker = await connectWorker(context, options, options.worker);
    const job = await jobNamed(context, worker, options.job);
    if (isEnded(job.state)) {
      output.result({ job }, `Job ${job.id} has ended already: it is ${stateText(job)}.`);
      return;
    }
    await worker.jobs.cancel(job.id, { signal });
    const ended = await worker.jobs.follow(job.id, { fromEvent: job.lastEvent + 1, signal });
    const verb = ended.state === 'cancelled' ? 'Cancelled' : `Too late, it is ${stateText(ended)}:`;
    output.result({ job: ended }, `${verb} job ${job.id} at ${printable(worker.workerName)}.`);
  },
});
