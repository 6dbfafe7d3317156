import { join } from 'node:path';
import { makeSparseFile } from '../../test/support/files.ts';
import { createLab, type Lab } from '../../test/support/lab.ts';
import { peakMemoryBytes } from '../../test/support/process-memory.ts';
import { importModel } from '../../test/support/scene.ts';
import { type Benchmark, boundRow, type Row } from '../support/benchmark.ts';
import { checkedTransfer, openWayScene, startTransfer, type Way } from '../support/commands.ts';
import { peakUntilEnd } from '../support/peak-memory.ts';

const GIGABYTE = 1e9;
const FULL_GIGABYTES = 5;
const QUICK_GIGABYTES = 0.25;
const MOST_MEGABYTES = 250;

export const memory: Benchmark = {
  name: 'memory',
  title: 'Peak of resident memory (VmHWM) of the processes of a pull and a push',
  async run({ quick }, say) {
    const gigabytes = quick ? QUICK_GIGABYTES : FULL_GIGABYTES;
    const rows: Row[] = [];
    // The pure TypeScript engine would take several minutes; its memory is not of another kind with a longer file.
    for (const [way, size] of [
      ['direct', gigabytes],
      ['native', gigabytes],
      ['werift', gigabytes / 10],
    ] as const satisfies readonly (readonly [Way, number])[]) {
      for (const command of ['pull-model', 'push-model'] as const) {
        say(`${command}, ${size} GB, ${way}`);
        rows.push(...(await measurePeaks(command, size * GIGABYTE, way)));
      }
    }
    return rows;
  },
};

async function measurePeaks(command: 'pull-model' | 'push-model', bytes: number, way: Way): Promise<Row[]> {
  await using lab = createLab();
  const scene = await openWayScene(lab, way);
  const client = await scene.client('client');
  const path = await sparseModel(lab, bytes);
  await importModel(command === 'pull-model' ? scene.worker : client, path, 'big');
  const running = startTransfer(client, command, 'big', way);
  const clientPeak = await peakUntilEnd(running);
  const { entry } = checkedTransfer(await running.exited, way);
  const workerPeak = await peakMemoryBytes(scene.workerProcess.pid);
  const what = `${command} ${(entry.size / GIGABYTE).toLocaleString('en')} GB, ${way}`;
  return [
    boundRow({ what: `${what}, client`, unit: 'MB', samples: [clientPeak / 1e6], atMost: MOST_MEGABYTES }),
    boundRow({ what: `${what}, worker`, unit: 'MB', samples: [workerPeak / 1e6], atMost: MOST_MEGABYTES }),
  ];
}

async function sparseModel(lab: Lab, bytes: number): Promise<string> {
  const path = join(await lab.folder(), 'big.bin');
  await makeSparseFile(path, bytes);
  return path;
}
