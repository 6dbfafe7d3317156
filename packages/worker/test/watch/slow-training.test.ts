import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type Digest, listModelsParams } from '@model-rtc/protocol';
import type { Registry, RegistryEntry } from '@model-rtc/registry';
import { sample } from '../../../../test/support/model-samples.ts';
import { watchFolders } from '../../src/index.ts';
import { afterTest, openTestRegistry, temporaryFolder } from '../support/registry.ts';

const QUICK = {
  stableMs: 20,
  oldMs: 60_000,
  pausedMs: 60_000,
  hintMs: 5,
  gapMs: 10,
  pollMs: 50,
  recordMs: 10,
  goneMs: 50,
};
const WEIGHTS = sample('torchZip');

async function watchNew(): Promise<{ registry: Registry; folder: string }> {
  const [registry, folder] = [await openTestRegistry(), await temporaryFolder()];
  const watched = await watchFolders({ registry, folders: [folder], timing: QUICK });
  afterTest(() => watched.close());
  await watched.looked;
  return { registry, folder };
}

const list = async (registry: Registry) => (await registry.list(listModelsParams.parse({}))).models;

/** Resolves when it is so; the test's own time limit ends a wait in vain. */
async function until(registry: Registry, isWanted: (models: RegistryEntry[]) => boolean): Promise<RegistryEntry[]> {
  for (;;) {
    const models = await list(registry);
    if (isWanted(models)) return models;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function write(path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
}

/** Writes a file in pieces, with pauses after which files count as stable, and looks at the registry in each. */
async function writeSlowly(path: string, content: Uint8Array, look: () => Promise<void>): Promise<void> {
  const half = Math.floor(content.length / 2);
  const step = Math.ceil(content.length / 8);
  await write(path, content.subarray(0, half));
  for (let at = half; at < content.length; at += step) {
    await new Promise((resolve) => setTimeout(resolve, 3 * QUICK.stableMs));
    await look();
    await appendFile(path, content.subarray(at, at + step));
  }
}

describe('a training that writes slowly', () => {
  it('is one model, named for the run, and never has half a checkpoint', async () => {
    const { registry, folder } = await watchNew();
    const run = join(folder, 'project', 'runs', 'pose', 'train2');
    const look = async () => {
      const models = await list(registry);
      expect(models.length).toBeLessThanOrEqual(1);
      for (const { digest, incomplete } of models) {
        expect(incomplete).toBeUndefined();
        const { files } = await registry.manifest(digest as Digest);
        const weights = files.filter(({ path }) => path.endsWith('.pt'));
        expect(weights.map(({ size }) => size)).toEqual(weights.map(() => WEIGHTS.length));
      }
    };
    await write(join(run, 'args.yaml'), 'task: pose\nname: train2\nepochs: 2\n');
    for (const epoch of [1, 2]) {
      await appendFile(join(run, 'results.csv'), epoch === 1 ? 'epoch,metrics/mAP50(B)\n1,0.25\n' : '2,0.5\n');
      await writeSlowly(join(run, 'weights', 'last.pt'), WEIGHTS, look);
      await writeSlowly(join(run, 'weights', 'best.pt'), WEIGHTS, look);
    }
    const isLast = ({ metrics, fileCount }: RegistryEntry) => metrics.map50 === 0.5 && fileCount === 4;
    const [model, ...others] = await until(registry, (models) => models.some(isLast));
    expect(others).toEqual([]);
    expect(model).toMatchObject({ alias: 'train2', modelType: 'pose', checkpointPath: 'weights/best.pt' });
  });

  it('is a model once the list of its shards is there, which torch writes last', async () => {
    const { registry, folder } = await watchNew();
    const step = join(folder, 'tune', 'checkpoint', 'step-10');
    for (const rank of [0, 1]) {
      await writeSlowly(join(step, `__${rank}_0.distcp`), new Uint8Array(250), async () =>
        expect(await list(registry)).toEqual([]),
      );
    }
    await write(join(step, '.metadata'), 'layer0 __0_0.distcp layer1 __1_0.distcp');
    const [model] = await until(registry, ({ length }) => length === 1);
    expect(model).toMatchObject({ alias: 'tune-step-10', fileCount: 3, checkpointPath: '.metadata' });
  });
});
