import type { FoundResults, JobModel, SubmittedJob, WorkerConnection } from '@model-rtc/client';
import { isEnded, type Job, ModelRtcError } from '@model-rtc/protocol';
import type { FileSet } from '@model-rtc/registry';
import { defineCommand, type ValuesOf } from '../../command-line/types.ts';
import type { Context } from '../../console/context.ts';
import { formatModel, printable } from '../../console/format.ts';
import { beginTransfer, type TransferControls } from '../client/transfer.ts';
import { connectWorker } from '../connect.ts';
import { failedJob } from '../jobs/end-of-job.ts';
import { resultsText } from '../jobs/fetch-results.ts';
import { durationText, modelsText, stateText, statusText } from '../jobs/job-text.ts';
import { resultsPath } from '../jobs/results-name.ts';
import { workerFlag } from '../jobs/worker-flag.ts';
import { networkOptions } from '../options.ts';
import { followToEnd } from './follow.ts';
import { trackOptions } from './options.ts';
import { parseSettings } from './settings.ts';

/** Names of what is left out that a message lists. */
const SHOWN_LEFT_OUT = 5;

type TrackValues = ValuesOf<typeof trackOptions>;

export const track = defineCommand({
  usage: 'track',
  describe: 'Run a model on a worker with your data, and fetch the results',
  options: { ...trackOptions, ...networkOptions },
  examples: [
    [
      '$0 track --model good-mouse-v1 --data clip.mp4 --worker lab',
      'sends what is missing there, runs it, fetches the results',
    ],
    ['$0 track --model centroid --model instance --data day1 day2 --worker lab', 'two models, two folders'],
    [
      '$0 track --model mouse --data clip.mp4 --worker lab --set batch=8 --detach',
      'with a setting; fetch the results later',
    ],
    ['$0 track --resume run-1f2e3d4c --worker lab', 'goes on with an interrupted training of the worker'],
  ],
  epilogue:
    'The same command finds the same job again: it goes on with what is missing. Exit code 0 means that the job completed and its results are here; 1 that the job failed.',
  async run(context, options) {
    requireSense(options);
    const settings = parseSettings(options.set);
    const controls = await beginTransfer(context, { ...options, dryRun: false });
    context.explainCancel(
      'Cancelled; no job was started. What has arrived is kept: run the same command again to resume.',
    );
    await using worker = await connectWorker(context, options, options.worker, { best: 'gpu_memory' });
    const submitted = await worker.jobs.submit({
      ...{ models: options.model, data: options.data, runner: options.runner, settings, resume: options.resume },
      ...{ remote: options.remote, noPush: !options.push, again: options.again, ...controls },
      onModel: (model) => showModel(context, worker, model),
      onData: (set) => showLeftOut(context, set),
    });
    showSubmitted(context, worker, submitted);
    await finish(context, worker, submitted, options, controls);
  },
});

/** Follows the job and fetches its results, unless that is left for later. */
async function finish(
  context: Context,
  worker: WorkerConnection,
  { job, outcome }: SubmittedJob,
  options: TrackValues,
  controls: TransferControls,
): Promise<void> {
  const flag = await workerFlag(context, options.worker);
  if (options.detach && !isEnded(job.state)) {
    const text = `Job ${job.id} is ${stateText(job)} at ${printable(worker.workerName)}. Follow it: model-rtc jobs logs ${job.id} --follow${flag}
Fetch its results when it has ended: model-rtc jobs fetch ${job.id}${flag}`;
    context.output.result({ job, outcome }, text);
    return;
  }
  const { onInterrupt } = options;
  // A completed job was found: programs get its events all the same.
  const isOver = job.state === 'completed' && !context.output.json;
  const ended = isOver
    ? { job, lastLines: [] }
    : await followToEnd(context, { worker, job, workerFlag: flag, onInterrupt }, controls);
  if (ended.job.state !== 'completed') throw failed(context, ended.job, ended.lastLines, flag);
  context.explainCancel(
    `Cancelled. Job ${job.id} is completed, and its results are kept at the worker: run the same command again to fetch them.`,
  );
  await deliver(context, worker, ended.job, options, controls);
}

async function deliver(
  context: Context,
  worker: WorkerConnection,
  job: Job,
  { output, force, data }: TrackValues,
  controls: TransferControls,
): Promise<void> {
  const took = durationText(job, Date.now());
  const used = statusText({ usage: job.usage });
  const done = `Job ${job.id} completed${took === '' ? '' : ` in ${took}`}${used === '' ? '' : ` (${used})`}`;
  if (job.results === undefined) {
    context.output.result({ job }, `${done}; it wrote no results.`);
    return;
  }
  // The time that the job took is none of the transfer's.
  const onProgress = await context.output.progress();
  const target = (found: FoundResults) => resultsPath(job, found, { output, beside: data[0] });
  const results = await worker.jobs.fetchResults(job.id, target, { ...controls, onProgress, force });
  context.output.result({ job, results }, `${done}: ${resultsText(results)}`);
}

/** Shows what the runner printed last to those who did not see it, and everything to programs. */
function failed({ output }: Context, job: Job, lastLines: readonly string[], flag: string): ModelRtcError {
  const error = failedJob(job, `model-rtc jobs logs ${job.id}${flag}`);
  output.failure({ job }, error.toData());
  if (output.isQuiet && lastLines.length > 0) output.evidence(lastLines.join('\n'));
  return error;
}

function showModel({ output }: Context, worker: WorkerConnection, model: JobModel): void {
  const { entry, namedBy, otherThere } = model;
  output.event({ event: 'model', model: entry, namedBy });
  if (output.json) return;
  const checkpoint = entry.checkpointPath === undefined ? '' : `\n  checkpoint: ${entry.checkpointPath}`;
  output.note(`Resolved model: ${formatModel(entry)}${checkpoint}`);
  const workerName = printable(worker.workerName);
  if (namedBy === 'worker') output.note(`  as ${workerName} has it`);
  if (otherThere !== undefined) {
    output.note(`  ${workerName} calls another model so: ${otherThere}. Pass --remote to run that one.`);
  }
}

/** A runner that counts on what does not travel would find less. */
function showLeftOut({ output }: Context, { name, digest, bytes, leftOut, emptyFolders }: FileSet): void {
  const all = [...leftOut, ...emptyFolders.map((path) => ({ path, reason: 'an empty folder' }))];
  output.event({ event: 'data', name, digest, bytes, leftOut: all.map(({ path, reason }) => ({ path, reason })) });
  if (output.json || all.length === 0) return;
  const shown = all.slice(0, SHOWN_LEFT_OUT).map(({ path, reason }) => `${printable(path)} (${reason})`);
  const more = all.length > shown.length ? ` and ${all.length - shown.length} more` : '';
  output.note(`Not sent with ${printable(name)}: ${shown.join(', ')}${more}`);
}

function showSubmitted({ output }: Context, worker: WorkerConnection, { job, outcome }: SubmittedJob): void {
  output.event({ event: 'submitted', job, outcome });
  if (output.json) return;
  const at = printable(worker.workerName);
  const what = `${modelsText(job)} with ${job.runner}`;
  if (outcome === 'queued') output.note(`Job ${job.id} is ${stateText(job)} at ${at}: ${what}`);
  else
    output.note(
      `The same job is ${stateText(job)} at ${at} already: ${job.id}, ${what}. Pass --again to run it once more.`,
    );
}

function requireSense({ model, resume, remote, push }: TrackValues): void {
  if (model.length === 0 && resume === undefined) {
    throw new ModelRtcError('bad_argument', 'Name a model to run: --model REF. Or resume a training: --resume REF.');
  }
  if (model.length > 0 && resume !== undefined) {
    throw new ModelRtcError('bad_argument', 'A resumed training needs no models. Leave out --model, or --resume.');
  }
  if (remote && !push) {
    throw new ModelRtcError('bad_argument', '--remote never sends a model. Leave out --no-push.');
  }
}
