import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { readNpy } from '../../packages/jobs/src/onnx/read-npy.ts';
import { createLab, type Lab } from '../support/lab.ts';
import type { Machine } from '../support/machine.ts';
import { errorOf, FIXTURES, importModel, openScene, type Scene } from '../support/scene.ts';

const MODEL = join(FIXTURES, 'tiny-onnx');
const LANES = [
  ['direct', ['--lane', 'direct']],
  ['webrtc with the native engine', ['--lane', 'webrtc', '--engine', 'native']],
  ['webrtc with werift', ['--lane', 'webrtc', '--engine', 'werift']],
  ['relay', ['--lane', 'relay']],
] as const;

interface TrackJson {
  readonly job: { readonly id: string; readonly state: string; readonly runner: string };
  readonly results: { readonly path: string };
}

async function track(machine: Machine, ...args: string[]): Promise<TrackJson> {
  return (await machine.succeed(['track', ...args, '--json'])).json<TrackJson>();
}

/** Runs the model on its own input. @returns where the results are */
async function trackFixture(machine: Machine, ...args: string[]): Promise<string> {
  const [data, output] = [join(machine.folder, 'input.npy'), join(machine.folder, 'output.npy')];
  await copyFile(join(MODEL, 'input.npy'), data);
  const { job, results } = await track(machine, '--model', 'tiny', '--data', data, '--output', output, ...args);
  expect([job.state, job.runner, results.path]).toEqual(['completed', 'onnx', output]);
  return output;
}

async function expectRightResult(path: string): Promise<void> {
  const [found, expected] = [await readNpy(path, 'found'), await readNpy(join(MODEL, 'expected.npy'), 'expected')];
  expect([found.dtype, found.shape]).toEqual([expected.dtype, expected.shape]);
  const [values, wanted] = [found.data, expected.data] as Float32Array[] as [Float32Array, Float32Array];
  const distance = Math.max(...wanted.map((value, i) => Math.abs(value - (values[i] as number))));
  expect(distance).toBeLessThan(1e-5);
}

async function sceneWithModel(lab: Lab): Promise<Scene> {
  const scene = await openScene(lab);
  await importModel(scene.worker, MODEL, 'tiny');
  return scene;
}

describe('an ONNX model of a worker', () => {
  it.each(LANES)('runs for a laptop that has only its alias, over %s', async (_, lane) => {
    await using lab = createLab();
    const scene = await sceneWithModel(lab);
    const laptop = await scene.client('laptop');
    await expectRightResult(await trackFixture(laptop, ...lane));
    const { stdout } = await laptop.succeed(['client', 'list-models', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ total: 0 });
  });

  it('is pushed from a laptop that has it, and run there', async () => {
    await using lab = createLab();
    const scene = await openScene(lab);
    const laptop = await scene.client('laptop');
    await importModel(laptop, MODEL, 'tiny');
    await expectRightResult(await trackFixture(laptop));
  });

  it('runs on a folder of arrays, with a file of results for each', async () => {
    await using lab = createLab();
    const laptop = await (await sceneWithModel(lab)).client('laptop');
    const data = join(laptop.folder, 'samples');
    await mkdir(data);
    for (const name of ['a.npy', 'b.npy']) await copyFile(join(MODEL, 'input.npy'), join(data, name));
    const { results } = await track(laptop, '--model', 'tiny', '--data', data, '--set', 'format=json', 'batch=2');
    expect((await readdir(results.path)).sort()).toEqual(['a.json', 'b.json']);
    const { y } = JSON.parse(await readFile(join(results.path, 'b.json'), 'utf8'));
    expect([y.dtype, y.shape, y.data[0][0].toFixed(3)]).toEqual(['float32', [3, 4], '33.325']);
  });

  it('fails with what it takes when the data has another shape, and with what is wrong when it is damaged', async () => {
    await using lab = createLab();
    const laptop = await (await sceneWithModel(lab)).client('laptop');
    const run = (path: string) => laptop.run(['track', '--model', 'tiny', '--data', path]);
    const wrong = await run(join(MODEL, 'expected.npy'));
    expect([wrong.exitCode, wrong.stderr]).toEqual([
      1,
      expect.stringContaining(
        'The model\'s input "x" takes float32 (any number, 16), and expected.npy has float32 (3, 4).',
      ),
    ]);
    const cut = join(laptop.folder, 'cut.npy');
    await writeFile(cut, (await readFile(join(MODEL, 'input.npy'))).subarray(0, 200));
    expect(await run(cut)).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('cut.npy is cut off') });
  });
});

describe('without a runner for it', () => {
  it('a model or data is refused with the runners that there are', async () => {
    await using lab = createLab();
    const scene = await sceneWithModel(lab);
    const laptop = await scene.client('laptop');
    const refusal = async (...args: string[]) => {
      const refused = await laptop.run(['track', '--json', ...args]);
      return [refused.exitCode, errorOf(refused).message];
    };
    const text = join(laptop.folder, 'notes.txt');
    await writeFile(text, 'no array');
    expect(await refusal('--model', 'tiny', '--data', text)).toEqual([
      3,
      expect.stringMatching(
        /^No runner of the worker runs tiny, which is mlp \(onnx\), on notes\.txt\. It has onnx \(/,
      ),
    ]);
    const input = join(MODEL, 'input.npy');
    expect(await refusal('--model', 'tiny', '--data', input, '--runner', 'yolo')).toEqual([
      3,
      expect.stringMatching(/^The worker has no runner named yolo\. It has .*onnx/),
    ]);
    expect(await refusal('--model', 'tiny', '--data', input, '--set', 'batch=0')).toEqual([
      2,
      'The setting batch of onnx cannot be "0": it must be at least 1.',
    ]);
  });
});

describe('a runner that the owner adds while the worker runs', () => {
  it('is there at once, and gone at once when it is removed', async () => {
    await using lab = createLab();
    const scene = await sceneWithModel(lab);
    const laptop = await scene.client('laptop');
    const declared = join(scene.worker.folder, 'copy.json');
    const script = 'require("node:fs").copyFileSync(process.argv[1], process.argv[2])';
    const args = [process.execPath, '-e', script, '{checkpoint}', '{output}.onnx'];
    await writeFile(declared, JSON.stringify({ name: 'copy', types: ['mlp'], args }));
    const run = () =>
      laptop.run(['track', '--model', 'tiny', '--runner', 'copy', '--output', `${laptop.folder}/model.onnx`]);
    expect(await run()).toMatchObject({ exitCode: 3 });
    await scene.worker.succeed(['worker', 'runners', 'add', declared]);
    expect(await run()).toMatchObject({ exitCode: 0 });
    const copied = await readFile(join(laptop.folder, 'model.onnx'));
    expect(copied.equals(await readFile(join(MODEL, 'model.onnx')))).toBe(true);
    await scene.worker.succeed(['worker', 'runners', 'remove', 'copy']);
    expect(await run()).toMatchObject({ exitCode: 3 });
  });
});
