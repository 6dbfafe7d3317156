import { join } from 'node:path';
import type { RunningCommand } from '../../test/support/command.ts';
import { makeSparseFile } from '../../test/support/files.ts';
import { createLab } from '../../test/support/lab.ts';
import type { Machine } from '../../test/support/machine.ts';
import { importModel, openScene } from '../../test/support/scene.ts';
import { type Benchmark, boundRow } from '../support/benchmark.ts';

const FULL_GIGABYTES = 20;
const QUICK_GIGABYTES = 1;
const FULL_REPEATS = 3;
const MOST_SECONDS = 2;
/** How much of it is there before each kill. */
const STEP = 0.2;
const LONGEST_MS = 10 * 60_000;

export const resume: Benchmark = {
  name: 'resume',
  title: 'From the connection to the first new byte of a pull that was killed with kill -9',
  async run({ quick }, say) {
    const gigabytes = quick ? QUICK_GIGABYTES : FULL_GIGABYTES;
    await using lab = createLab();
    const scene = await openScene(lab);
    const path = join(await lab.folder(), 'model.bin');
    await makeSparseFile(path, gigabytes * 1e9);
    say(`importing ${gigabytes} GB`);
    await importModel(scene.worker, path, 'model');
    const client = await scene.client('client');
    say('the first part');
    await killAt(startPull(client), STEP);
    const samples: number[] = [];
    for (let repeat = 1; repeat <= (quick ? 1 : FULL_REPEATS); repeat += 1) {
      say(`resuming, repeat ${repeat}`);
      const running = startPull(client);
      samples.push(await firstByteSeconds(running));
      await killAt(running, STEP * (repeat + 1));
    }
    return [boundRow({ what: `resume of ${gigabytes} GB`, unit: 's', samples, atMost: MOST_SECONDS })];
  },
};

function startPull(client: Machine): RunningCommand {
  return client.start(['client', 'pull-model', 'model', '--json']);
}

/** From when the command was connected, by its own word, to when something new had arrived. */
async function firstByteSeconds(running: RunningCommand): Promise<number> {
  await running.waitForStdout('"state":"preparing"');
  const connectedMs = performance.now();
  await running.waitForStdout(/"transferredBytes":[1-9]/, { timeoutMs: LONGEST_MS });
  return (performance.now() - connectedMs) / 1000;
}

/** Kills the pull when so much of the model is there. */
async function killAt(running: RunningCommand, part: number): Promise<void> {
  const limit = setTimeout(() => void running.kill('SIGKILL').catch(() => undefined), LONGEST_MS);
  let hasEnded = false;
  void running.exited.finally(() => {
    hasEnded = true;
    clearTimeout(limit);
  });
  while (!hasEnded && doneOf(running.stdout) < part) await new Promise((resolve) => setTimeout(resolve, 50));
  const { exitCode, stderr } = await running.kill('SIGKILL');
  if (exitCode !== undefined) throw new Error(`The transfer ended before it was killed: ${exitCode} ${stderr}`);
}

/** How much of the model is there, 0 to 1, by the newest event of a command. */
function doneOf(stdout: string): number {
  const counts = stdout.slice(stdout.lastIndexOf('"doneBytes":')).match(/"doneBytes":(\d+),"totalBytes":([1-9]\d*),/);
  return counts === null ? 0 : Number(counts[1]) / Number(counts[2]);
}
