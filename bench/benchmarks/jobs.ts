import { createWriteStream } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from '@model-rtc/client';
import { openRegistry } from '@model-rtc/registry';
import { execa } from 'execa';
import { createLab, type Lab } from '../../test/support/lab.ts';
import type { Machine } from '../../test/support/machine.ts';
import { residentMemoryBytes } from '../../test/support/process-memory.ts';
import { FIXTURES, importModel, openScene, type Scene } from '../../test/support/scene.ts';
import { createBaseline } from '../support/baseline.ts';
import { type Benchmark, besideRow, type Row, rowsOrFailure } from '../support/benchmark.ts';

const FULL_REPEATS = 7;
const QUICK_REPEATS = 2;
const FULL_JOBS = 1000;
const QUICK_JOBS = 20;
const FEW_JOBS = 10;
const FULL_LINES = 100_000;
const QUICK_LINES = 1000;
/** The bound. */
const MOST_START_MS = 1000;
/** A worker may have so much, whatever it does. */
const MOST_MEGABYTES = 250;

/** Writes when it was started itself, in milliseconds since 1970: Node counts from the start of its process. */
const STAMP = "require('node:fs').writeFileSync(process.argv[1], String(Date.now() - process.uptime() * 1000))";
const LINE = '%.0f frames of this video are done, and none of them has a mouse in it';
const RUNNERS = [
  { name: 'stamp', args: [process.execPath, '-e', STAMP, '{output}.txt'] },
  { name: 'wait', args: ['sleep', '3600'] },
  { name: 'lines', args: ['seq', '-f', LINE, '1', '{set.count}'], set: { count: { type: 'integer' } } },
];

export const jobs: Benchmark = {
  name: 'jobs',
  title: 'Jobs of a worker over loopback: how soon one starts, what many that wait cost, and how fast lines come',
  async run({ quick }, say) {
    const repeats = quick ? QUICK_REPEATS : FULL_REPEATS;
    const rows: Row[] = [];
    for (const [what, measure] of [
      ['the start of a job', (lab) => measureStart(lab, repeats, say)],
      ['waiting jobs', (lab) => measureQueue(lab, quick ? QUICK_JOBS : FULL_JOBS, repeats)],
      ['lines of a job', (lab) => measureLines(lab, quick ? QUICK_LINES : FULL_LINES, repeats, say)],
    ] as [string, (lab: Lab) => Promise<Row[]>][]) {
      say(what);
      await using lab = createLab();
      rows.push(...(await rowsOrFailure(what, () => measure(lab))));
    }
    return rows;
  },
};

/** A worker with the runners and a model, and a client that has run it before: model and data are there. */
async function openJobsScene(lab: Lab): Promise<Scene & { readonly laptop: Machine; readonly data: string }> {
  const scene = await openScene(lab);
  // Ended by a signal that it can answer, it leaves no job running.
  lab.onEnd(() => scene.workerProcess.kill('SIGTERM'));
  const declared = join(scene.worker.folder, 'runner.json');
  for (const runner of RUNNERS) {
    await writeFile(declared, JSON.stringify(runner));
    await scene.worker.succeed(['worker', 'runners', 'add', declared]);
  }
  await importModel(scene.worker, join(FIXTURES, 'tiny-onnx'), 'tiny');
  const data = join(FIXTURES, 'tiny-onnx', 'input.npy');
  return { ...scene, laptop: await scene.client('laptop'), data };
}

/** From the start of the command's process to that of the runner's; beside a command that asks the worker one thing. */
async function measureStart(lab: Lab, repeats: number, say: (text: string) => void): Promise<Row[]> {
  const { laptop, data } = await openJobsScene(lab);
  const output = join(laptop.folder, 'stamp.txt');
  const args = [
    'track',
    '--model',
    'tiny',
    '--data',
    data,
    '--runner',
    'stamp',
    '--output',
    output,
    '--again',
    '--force',
  ];
  await laptop.succeed(args);
  const beside = createBaseline(say);
  const samples: number[] = [];
  for (let repeat = 0; repeat < repeats; repeat++) {
    await beside.measure(async () => (await laptop.succeed(['worker', 'list-models'])).durationMs);
    const startedAtMs = Date.now();
    await laptop.succeed(args);
    samples.push(Number(await readFile(output, 'utf8')) - startedAtMs);
  }
  const what = "track: from the command to the runner's start; beside a whole worker list-models";
  return [besideRow({ what, unit: 'ms', samples, beside, required: { of: 'value', atMost: MOST_START_MS } })];
}

/** Jobs that wait for one that runs for ever. */
async function measureQueue(lab: Lab, count: number, repeats: number): Promise<Row[]> {
  const { laptop, session, workerProcess } = await openJobsScene(lab);
  await using registry = await openRegistry({ home: join(await lab.folder(), 'model-rtc') });
  await using worker = await connect({ session, registry });
  const memory: number[] = [];
  const lists: number[][] = [];
  let submitMs = 0;
  for (const [from, to] of [
    [0, FEW_JOBS],
    [FEW_JOBS, count],
  ] as const) {
    const startedAtMs = performance.now();
    for (let i = from; i < to; i++)
      await worker.jobs.submit({ models: ['tiny'], data: [], runner: 'wait', remote: true, again: true });
    submitMs = (performance.now() - startedAtMs) / (to - from);
    memory.push((await residentMemoryBytes(workerProcess.pid)) / 1e6);
    lists.push(await listTimes(laptop, to, repeats));
  }
  const [fewMemory, manyMemory] = memory as [number, number];
  const [few, many] = lists as [number[], number[]];
  const beside = (samples: readonly number[]) => ({ samples, failed: undefined });
  const than = `beside ${FEW_JOBS}`;
  return [
    besideRow({
      ...{ what: `memory of the worker with ${count} jobs that wait, ${than}`, unit: 'MB', samples: [manyMemory] },
      ...{ beside: beside([fewMemory]), required: { of: 'value', atMost: MOST_MEGABYTES } as const },
    }),
    besideRow({ what: `jobs list of ${count}, ${than}`, unit: 'ms', samples: many, beside: beside(few) }),
    { what: `submit one of ${count} over an open connection`, unit: 'ms', value: submitMs, samples: [submitMs] },
  ];
}

async function listTimes(laptop: Machine, count: number, repeats: number): Promise<number[]> {
  const times: number[] = [];
  for (let repeat = 0; repeat < repeats; repeat++) {
    const { durationMs, stdout } = await laptop.succeed(['jobs', 'list', '--limit', String(count)]);
    const lines = stdout.trim().split('\n').length;
    // A line for each, and the titles.
    if (lines < count + 1) throw new Error(`jobs list shows ${lines - 1} of ${count} jobs`);
    times.push(durationMs);
  }
  return times;
}

/** The lines of a runner as they come to the client's standard error, beside the runner alone, which writes them to a file. */
async function measureLines(lab: Lab, count: number, repeats: number, say: (text: string) => void): Promise<Row[]> {
  const { laptop, data } = await openJobsScene(lab);
  const track = ['track', '--model', 'tiny', '--data', data, '--runner', 'lines', '--again', '--set'];
  const beside = createBaseline(say);
  const samples: number[] = [];
  const alone: number[] = [];
  for (let repeat = 0; repeat < repeats; repeat++) {
    await beside.measure((signal) => linesToFile(join(laptop.folder, 'lines.txt'), count, signal));
    alone.push((await laptop.succeed([...track, 'count=1'])).durationMs);
    const { durationMs, stderr } = await laptop.succeed([...track, `count=${count}`]);
    const came = stderr.match(/frames of this video are done/g)?.length ?? 0;
    if (came !== count) throw new Error(`${came} of ${count} lines came`);
    samples.push(durationMs);
  }
  const lines = count.toLocaleString('en');
  return [
    besideRow({
      what: `track of a runner that prints ${lines} lines; beside the runner alone, into a file`,
      unit: 'ms',
      samples,
      beside,
    }),
    besideRow({
      what: `the same; beside track of one that prints one line`,
      unit: 'ms',
      samples,
      beside: { samples: alone, failed: undefined },
    }),
  ];
}

async function linesToFile(path: string, count: number, signal: AbortSignal): Promise<number> {
  const startedAtMs = performance.now();
  const file = createWriteStream(path);
  await new Promise((resolve) => file.once('open', resolve));
  await execa('seq', ['-f', LINE, '1', String(count)], { stdout: file, cancelSignal: signal });
  file.close();
  return performance.now() - startedAtMs;
}
