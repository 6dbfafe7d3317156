import { access, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { Machine } from '../support/machine.ts';
import {
  errorOf,
  FIXTURES,
  importModel,
  type ModelJson,
  openScene,
  pull,
  resultsOf,
  type Scene,
} from '../support/scene.ts';
import { useLab } from '../support/suites.ts';

const lab = useLab('after all');

interface InspectedJson extends ModelJson {
  readonly codeFiles?: readonly { readonly path: string; readonly suspicious: readonly string[] }[];
}
interface ComparisonJson {
  readonly models: readonly { readonly entry: ModelJson; readonly curves: readonly { readonly name: string }[] }[];
  readonly metrics: readonly { readonly name: string; readonly best: readonly number[] }[];
  readonly hyperparameters: readonly { readonly name: string; readonly differs: boolean }[];
  readonly tensors: readonly {
    readonly difference: { readonly same: { readonly count: number }; readonly changed: readonly unknown[] } | null;
  }[];
}

/** A model whose file, under a name that says nothing, touches a file when anything unpickles it. */
async function hostileModel(trap: string): Promise<string> {
  const folder = join(await lab.folder(), 'hostile');
  await mkdir(folder);
  await writeFile(join(folder, 'model.msgpack'), 'weights');
  await writeFile(join(folder, 'weights.dat'), Buffer.from(`\x80\x02cposix\nsystem\n(Vtouch ${trap}\ntR.`, 'latin1'));
  return folder;
}

async function failure(machine: Machine, ...args: string[]) {
  const result = await machine.run([...args, '--json']);
  expect(resultsOf(result)).toEqual([]);
  return { exitCode: result.exitCode, ...errorOf(result) };
}

async function modelsOf(machine: Machine): Promise<InspectedJson[]> {
  const result = await machine.succeed(['client', 'list-models', '--json']);
  return result.json<{ models: InspectedJson[] }>().models;
}

/** One worker for all tests, which takes only models that run no code. */
let opened: Promise<Scene> | undefined;
const scene = (): Promise<Scene> => {
  opened ??= openScene(lab, { workerArgs: ['--safe-only'] });
  return opened;
};

describe('a model that runs code when it is loaded', () => {
  it('is marked where it is, named with what it imports, and refused by whoever wants none', async () => {
    const { worker, client } = await scene();
    const trap = join(await lab.folder(), 'it-ran');
    const hostile = await hostileModel(trap);
    const laptop = await client('laptop');

    expect(await failure(laptop, 'client', 'import-model', hostile, '--yes', '--safe-only')).toMatchObject({
      exitCode: 8,
      code: 'refused',
      message: expect.stringContaining('weights.dat (imports posix.system)'),
    });
    expect(await modelsOf(laptop)).toEqual([]);

    await importModel(laptop, hostile, 'hostile');
    expect((await modelsOf(laptop))[0]?.codeFiles).toEqual([{ path: 'weights.dat', suspicious: ['posix.system'] }]);
    expect((await laptop.succeed(['client', 'list-models'])).stdout).toContain('code!');
    expect((await laptop.succeed(['client', 'model-info', 'hostile'])).stdout).toMatch(/weights\.dat.*posix\.system/);

    // The worker looks for itself: neither the file's name nor what the client says tells it.
    expect(await failure(laptop, 'client', 'push-model', 'hostile')).toMatchObject({ exitCode: 8, code: 'refused' });
    expect(await modelsOf(worker)).toEqual([]);
    await expect(access(trap)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('is not pulled by a client that wants none, and is by one that does not ask for that', async () => {
    const { worker, client } = await scene();
    const trap = join(await lab.folder(), 'it-ran');
    await importModel(worker, await hostileModel(trap), 'hostile');
    await importModel(worker, join(FIXTURES, 'good-mouse-v1'), 'mouse');
    const careful = await client('careful');
    const byContent = await failure(careful, 'client', 'pull-model', 'hostile', '--safe-only');
    expect(byContent).toMatchObject({ exitCode: 8, code: 'refused', message: expect.stringContaining('posix.system') });
    const byName = await failure(careful, 'client', 'pull-model', 'mouse', '--safe-only');
    expect(byName).toMatchObject({ exitCode: 8, code: 'refused', message: expect.stringContaining('best.ckpt') });
    expect(await modelsOf(careful)).toEqual([]);
    expect((await pull(careful, 'hostile')).outcome).toBe('pulled');
    expect((await modelsOf(careful))[0]?.codeFiles).toEqual([{ path: 'weights.dat', suspicious: ['posix.system'] }]);
    await expect(access(trap)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('compare-models', () => {
  it('shows real models side by side, as a table and as JSON', async () => {
    const machine = await lab.machine('desk');
    await importModel(machine, join(FIXTURES, 'good-mouse-v1'), 'v1');
    await importModel(machine, join(FIXTURES, 'good-mouse-v2'), 'v2');
    const { stdout } = await machine.succeed(['client', 'compare-models', 'v1', 'v2']);
    expect(stdout).toMatch(/best_val_loss +0\.003535 \* +0\.007915/);
    expect(stdout).toMatch(/≠ learning_rate +0\.001 +0\.0001/);
    expect(stdout).toContain('12 of 24 are the same');
    expect(stdout).toContain('model.head.weight');
    expect(stdout).toMatch(/┤.*1/);

    const compared = (await machine.succeed(['client', 'compare-models', 'v1', 'v2', '--json'])).json<ComparisonJson>();
    expect(compared.models.map(({ curves }) => curves.map(({ name }) => name))).toEqual([
      ['train_loss', 'val_loss'],
      ['train_loss', 'val_loss'],
    ]);
    expect(compared.metrics.find(({ name }) => name === 'best_val_loss')?.best).toEqual([0]);
    expect(compared.hyperparameters.filter(({ differs }) => differs).map(({ name }) => name)).toEqual(
      expect.arrayContaining(['learning_rate', 'max_epochs']),
    );
    expect(compared.tensors[0]?.difference).toMatchObject({ same: { count: 12 } });
    expect(compared.tensors[0]?.difference?.changed).toHaveLength(12);
  });

  it('asks for two models that are here', async () => {
    const machine = await lab.machine('empty');
    expect(await failure(machine, 'client', 'compare-models', 'v1')).toMatchObject({
      exitCode: 2,
      code: 'bad_argument',
    });
    expect(await failure(machine, 'client', 'compare-models', 'v1', 'v2')).toMatchObject({ exitCode: 4 });
  });
});
