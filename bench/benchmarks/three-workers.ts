import { join } from 'node:path';
import { makeRandomFile } from '../../test/support/files.ts';
import { createLab, type Lab } from '../../test/support/lab.ts';
import { importModel, startSignaling, startWorker } from '../../test/support/scene.ts';
import { createBaseline } from '../support/baseline.ts';
import { type Benchmark, besideRow } from '../support/benchmark.ts';
import { killOn, type MeasuredTransfer } from '../support/commands.ts';

const WORKERS = 3;
const WORKER_LIMIT = '10MB';
const LEAST_MEGABYTES = 27;
const FULL_MEGABYTES = 300;
const QUICK_MEGABYTES = 30;
const FULL_REPEATS = 3;
/** A bound for a transfer that hangs, far above what the slowest takes. */
const LONGEST_MS = 10 * 60_000;

export const threeWorkers: Benchmark = {
  name: 'three-workers',
  title: `Pull from ${WORKERS} workers that send at most ${WORKER_LIMIT} a second each, beside the same from one of them`,
  async run({ quick }, say) {
    await using lab = createLab();
    const megabytes = quick ? QUICK_MEGABYTES : FULL_MEGABYTES;
    const sessions = await openWorkers(lab, megabytes * 1e6);
    const all: number[] = [];
    const one = createBaseline(say);
    for (let repeat = 1; repeat <= (quick ? 1 : FULL_REPEATS); repeat += 1) {
      say(`repeat ${repeat}`);
      await one.measure((signal) => pullSpeed(lab, sessions.slice(0, 1), signal));
      all.push(await pullSpeed(lab, sessions, AbortSignal.timeout(LONGEST_MS)));
    }
    const required = { of: 'value', atLeast: LEAST_MEGABYTES } as const;
    const what = `pull ${megabytes} MB from ${WORKERS} workers`;
    return [besideRow({ what, unit: 'MB/s', samples: all, beside: one, required })];
  },
};

/** Workers that have the same model. @returns their sessions */
async function openWorkers(lab: Lab, bytes: number): Promise<string[]> {
  const { url } = await startSignaling(lab);
  const path = join(await lab.folder(), 'model.bin');
  await makeRandomFile(path, bytes);
  const sessions: string[] = [];
  for (let i = 1; i <= WORKERS; i += 1) {
    const machine = await lab.machine(`worker-${i}`);
    await importModel(machine, path, 'model');
    await machine.succeed(['settings', 'set', 'limit.up', WORKER_LIMIT]);
    sessions.push((await startWorker(machine, url)).session);
  }
  return sessions;
}

/** In megabytes a second. */
async function pullSpeed(lab: Lab, sessions: readonly string[], signal: AbortSignal): Promise<number> {
  const client = await lab.machine('client');
  const from = sessions.flatMap((session) => ['--worker', session]);
  const running = killOn(signal, client.start(['client', 'pull-model', 'model', ...from, '--json']));
  const { exitCode, stderr, ...ended } = await running.exited;
  if (exitCode !== 0) throw new Error(`The pull ended with ${exitCode ?? ended.signal}: ${stderr}`);
  const pulled = ended.json<MeasuredTransfer>();
  if (pulled.transferredBytes !== pulled.entry.size) throw new Error('Not all of the model was sent');
  return pulled.bytesPerSecond / 1e6;
}
