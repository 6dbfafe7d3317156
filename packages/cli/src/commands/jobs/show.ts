import { formatBytes, isEnded, type Job } from '@model-rtc/protocol';
import { defineCommand } from '../../command-line/types.ts';
import {
  factsText,
  formatCount,
  formatDuration,
  formatModel,
  formatPercent,
  formatScalar,
  formatTime,
} from '../../console/format.ts';
import { connectWorker } from '../connect.ts';
import { jobNamed } from './job-named.ts';
import { durationText, stateText } from './job-text.ts';
import { jobArgument, jobsOptions } from './options.ts';

export const showJob = defineCommand({
  usage: 'show [job]',
  describe: 'Show everything known about a job',
  positionals: { job: jobArgument },
  options: jobsOptions,
  examples: [['$0 jobs show k3v9 --worker lab', 'by the start of its id']],
  async run(context, options) {
    await using worker = await connectWorker(context, options, options.worker);
    const job = await jobNamed(context, worker, options.job);
    context.output.result({ job }, factsText(rowsOf(job, Date.now())));
  },
});

function rowsOf(job: Job, nowMs: number): [string, string | undefined][] {
  const { progress, usage, results, error } = job;
  return [
    ['job', job.id],
    ['state', stateText(job)],
    ['error', error?.message],
    ['runner', job.runner],
    ...job.models.map((model, i): [string, string] => [nameOf('model', job.models, i), modelText(model)]),
    ['resumes', job.resume],
    ...job.data.map(({ name, form }, i): [string, string] => [
      nameOf('data', job.data, i),
      form === 'folder' ? `${name}/` : name,
    ]),
    ...Object.entries(job.settings).map(([key, value]): [string, string] => [`set ${key}`, formatScalar(value)]),
    ['submitted', formatTime(job.createdAt)],
    ['started', formatTime(job.startedAt)],
    ['ended', formatTime(job.endedAt)],
    [isEnded(job.state) ? 'took' : 'running for', durationText(job, nowMs)],
    ['progress', progressText(progress)],
    ['processor', usage?.cpuSeconds === undefined ? undefined : `${formatDuration(usage.cpuSeconds * 1000)} of time`],
    ['memory', (usage?.memoryBytes ?? 0) === 0 ? undefined : formatBytes(usage?.memoryBytes ?? 0)],
    ['GPU memory', usage?.gpuMemoryBytes === undefined ? undefined : formatBytes(usage.gpuMemoryBytes)],
    [
      'results',
      results === undefined ? undefined : `${formatCount(results.fileCount, 'file')}, ${formatBytes(results.bytes)}`,
    ],
    ['kept until', formatTime(results?.expiresAt)],
  ];
}

function nameOf(what: string, all: readonly unknown[], index: number): string {
  return all.length === 1 ? what : `${what} ${index + 1}`;
}

function modelText(model: Job['models'][number]): string {
  return model.checkpoint === undefined ? formatModel(model) : `${formatModel(model)}, checkpoint ${model.checkpoint}`;
}

function progressText(progress: Job['progress']): string | undefined {
  if (progress === undefined) return undefined;
  const percent = progress.fraction === undefined ? [] : [formatPercent(progress.fraction, 1)];
  return [...percent, ...(progress.text === undefined ? [] : [progress.text])].join('  ');
}
