import { join } from 'node:path';
import { makeRandomFile } from '../../test/support/files.ts';
import { createLab, type Lab } from '../../test/support/lab.ts';
import { importModel } from '../../test/support/scene.ts';
import { createBaseline } from '../support/baseline.ts';
import { type Benchmark, ratioRow } from '../support/benchmark.ts';
import { plainSha256, timed } from '../support/plain-sha256.ts';

const FULL_BYTES = 2e9;
const QUICK_BYTES = 0.2e9;
const FULL_REPEATS = 3;
const LEAST_RATIO = 0.6;

export const importHashing: Benchmark = {
  name: 'import-hashing',
  title:
    'import-model as a whole command (files and chunks hashed), beside plain SHA-256 of the same file on one thread',
  async run({ quick }, say) {
    await using lab = createLab();
    const bytes = quick ? QUICK_BYTES : FULL_BYTES;
    const path = join(await lab.folder(), 'model.bin');
    await makeRandomFile(path, bytes);
    // Both read the file from memory then, not one of them from the disk.
    await plainSha256(path);
    const samples: number[] = [];
    const plain = createBaseline(say);
    for (let repeat = 1; repeat <= (quick ? 1 : FULL_REPEATS); repeat += 1) {
      say(`${bytes / 1e9} GB, repeat ${repeat}`);
      await plain.measure(async (signal) => bytes / 1e3 / (await timed(() => plainSha256(path, signal))));
      samples.push(bytes / 1e3 / (await timedImport(lab, path, repeat)));
    }
    const what = `import of ${bytes / 1e9} GB`;
    return [ratioRow({ what, unit: 'MB/s', samples, beside: plain, atLeast: LEAST_RATIO })];
  },
};

/** On a new machine each time, where no file is known yet. */
async function timedImport(lab: Lab, path: string, repeat: number): Promise<number> {
  const machine = await lab.machine(`importer-${repeat}`);
  return await timed(() => importModel(machine, path, 'model'));
}
