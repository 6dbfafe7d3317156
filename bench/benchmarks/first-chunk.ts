import { join } from 'node:path';
import { makeRandomFile } from '../../test/support/files.ts';
import { createLab } from '../../test/support/lab.ts';
import { importModel } from '../../test/support/scene.ts';
import { type Benchmark, boundRow } from '../support/benchmark.ts';
import { ENGINES, measureTransfer, openWayScene, type Way } from '../support/commands.ts';

const MODEL_BYTES = 8e6;
const FULL_REPEATS = 7;
const QUICK_REPEATS = 2;
const MOST_MS = 1500;

export const firstChunk: Benchmark = {
  name: 'first-chunk',
  title: 'Time from the start of the command to the first verified chunk, on loopback, with a new client each time',
  async run({ quick }, say) {
    const rows = [];
    for (const way of ['direct', ...ENGINES] as const) {
      say(way);
      const samples = await firstChunkTimes(way, quick ? QUICK_REPEATS : FULL_REPEATS);
      rows.push(boundRow({ what: `pull, ${way}`, unit: 'ms', samples, atMost: MOST_MS }));
    }
    return rows;
  },
};

async function firstChunkTimes(way: Way, repeats: number): Promise<number[]> {
  await using lab = createLab();
  const scene = await openWayScene(lab, way);
  const path = join(await lab.folder(), 'model.bin');
  await makeRandomFile(path, MODEL_BYTES);
  await importModel(scene.worker, path, 'model');
  const times: number[] = [];
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    const client = await scene.client(`client-${repeat}`);
    times.push((await measureTransfer(client, 'pull-model', 'model', way)).timings.firstChunkMs);
  }
  return times;
}
