import { isEnded, JOB_STATES, type Job } from '@model-rtc/protocol';
import { defineCommand, flagOption } from '../../command-line/types.ts';
import { formatPercent, formatTime } from '../../console/format.ts';
import { renderTable } from '../../console/table.ts';
import { connectWorker } from '../connect.ts';
import { dataText, durationText, modelsText, stateText } from './job-text.ts';
import { jobsOptions } from './options.ts';

export const listJobs = defineCommand({
  usage: 'list',
  isDefault: true,
  describe: 'List the jobs of this session, the newest first',
  options: {
    ...jobsOptions,
    state: { choices: JOB_STATES, array: true, default: [], describe: 'Only those in this state' },
    open: flagOption('Only those that have not ended'),
    // The fields of a worker's answer are bounded by pages; a terminal by patience.
    limit: { type: 'number', default: 50, describe: 'At most this many' },
  },
  examples: [
    ['$0 jobs list --worker lab', 'of a saved worker'],
    ['$0 jobs list --worker lab --open', 'those that wait or run'],
  ],
  async run(context, options) {
    await using worker = await connectWorker(context, options, options.worker);
    const states = options.open ? JOB_STATES.filter((state) => !isEnded(state)) : options.state;
    const limit = Math.max(1, Math.floor(options.limit));
    const wanted = { states: states.length === 0 ? undefined : states, limit, signal: context.signal };
    const { jobs, total } = await worker.jobs.list(wanted);
    if (jobs.length === 0) {
      context.output.note(
        states.length === 0
          ? 'This session has no jobs there yet. Start one: model-rtc track --model REF --data FILE --worker SESSION'
          : 'No jobs match.',
      );
    } else if (jobs.length < total) context.output.note(`Shown: ${jobs.length} of ${total}. Show more with --limit.`);
    const nowMs = Date.now();
    const text = renderTable(
      jobs,
      [
        { title: 'JOB', value: ({ id }) => id, isWhole: true },
        { title: 'STATE', value: stateText },
        { title: 'DONE', value: progressText, optional: 2 },
        { title: 'RUNNER', value: ({ runner }) => runner, optional: 4 },
        { title: 'MODEL', value: modelsText },
        { title: 'DATA', value: dataText },
        { title: 'TOOK', value: (job) => durationText(job, nowMs), optional: 3 },
        { title: 'SUBMITTED', value: ({ createdAt }) => formatTime(createdAt), optional: 1 },
      ],
      context.output.columns,
    );
    context.output.result({ jobs, total }, jobs.length === 0 ? '' : text);
  },
});

function progressText({ progress, state }: Job): string {
  return progress?.fraction === undefined || state === 'queued' ? '' : formatPercent(progress.fraction, 1);
}
