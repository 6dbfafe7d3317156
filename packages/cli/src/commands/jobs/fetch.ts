import type { FoundResults } from '@model-rtc/client';
import { isEnded, ModelRtcError } from '@model-rtc/protocol';
import { defineCommand, flagOption, textOption } from '../../command-line/types.ts';
import { beginTransfer, speedOptions } from '../client/transfer.ts';
import { connectWorker } from '../connect.ts';
import { resultsText } from './fetch-results.ts';
import { jobNamed } from './job-named.ts';
import { stateText } from './job-text.ts';
import { jobArgument, jobsOptions } from './options.ts';
import { resultsPath } from './results-name.ts';
import { workerFlag } from './worker-flag.ts';

export const fetchJob = defineCommand({
  usage: 'fetch [job]',
  describe: 'Fetch the results of a job that has ended',
  positionals: { job: jobArgument },
  options: {
    ...jobsOptions,
    output: textOption('Where they go [in this folder: DATA.MODEL.predictions.EXT]', { completes: 'files' }),
    force: flagOption('Replace what is there'),
    ...speedOptions,
  },
  examples: [['$0 jobs fetch k3v9 --worker lab --output results/', 'into a folder']],
  async run(context, options) {
    const controls = await beginTransfer(context, { ...options, dryRun: false });
    await using worker = await connectWorker(context, options, options.worker);
    const job = await jobNamed(context, worker, options.job);
    if (!isEnded(job.state)) {
      const flag = await workerFlag(context, options.worker);
      throw new ModelRtcError(
        'busy',
        `Job ${job.id} is ${stateText(job)}: it has no results yet. Wait for it: model-rtc jobs logs ${job.id} --follow${flag}`,
        { details: { job: job.id, state: job.state } },
      );
    }
    const { output, force } = options;
    const target = (found: FoundResults) => resultsPath(job, found, { output, beside: undefined });
    const results = await worker.jobs.fetchResults(job.id, target, { ...controls, force });
    context.output.result({ job, results }, `Fetched ${resultsText(results)}`);
  },
});
