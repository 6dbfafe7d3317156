import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { PNG } from 'pngjs';
import { startChild } from '../../../../test/support/script-child.ts';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { readNpy } from '../../src/onnx/read-npy.ts';
import type { Dtype, Numbers } from '../../src/onnx/types.ts';
import { writeNpy } from '../../src/onnx/write-npy.ts';
import { type MadeModel, type MadePort, writeOnnx } from '../support/make-onnx.ts';

const PROGRAM = new URL('../../src/onnx/onnx-runner.ts', import.meta.url);
const FIXTURE = fileURLToPath(new URL('../../../../test/fixtures/tiny-onnx/', import.meta.url));

let folder = '';
beforeEach(async () => {
  folder = await temporaryFolder();
  await mkdir(join(folder, 'data'));
});

async function run(model: string, ...args: string[]): Promise<{ code: number | null; output: string }> {
  const { ended } = startChild(PROGRAM, [`--model=${model}`, `--output=${join(folder, 'out')}`, ...args]);
  return await ended;
}

/** A model that gives back what it gets. */
function identity(...inputs: MadePort[]): MadeModel {
  return {
    inputs,
    outputs: inputs.map((port) => ({ ...port, name: `${port.name}_out` })),
    nodes: inputs.map(({ name }) => ({ op: 'Identity', inputs: [name], outputs: [`${name}_out`] })),
  };
}

async function made(model: MadeModel): Promise<string> {
  const path = join(folder, 'model.onnx');
  await writeOnnx(path, model);
  return path;
}

async function array(name: string, shape: readonly number[], data: Numbers, dtype: Dtype = 'float32'): Promise<string> {
  const path = join(folder, 'data', name);
  await writeNpy(path, { dtype, shape, data });
  return `--input=${path}`;
}

async function image(name: string, width: number, height: number, gray: number): Promise<void> {
  const png = new PNG({ width, height });
  png.data.fill(gray);
  await writeFile(join(folder, 'data', name), PNG.sync.write(png));
}

const read = (name: string) => readNpy(join(folder, name), name);
const DATA = () => `--input=${join(folder, 'data')}`;

describe('the onnx program', () => {
  it('gives what the model was computed to give', async () => {
    const { code, output } = await run(join(FIXTURE, 'model.onnx'), `--input=${join(FIXTURE, 'input.npy')}`);
    expect([code, output]).toEqual([
      0,
      'Inputs: x float32 (any number, 16)\nOutputs: y float32 (any number, 4)\n1/1 input\n',
    ]);
    const [found, expected] = [await read('out.npy'), await readNpy(join(FIXTURE, 'expected.npy'), 'expected.npy')];
    expect(found.shape).toEqual(expected.shape);
    for (const [i, value] of expected.data.entries()) expect(found.data[i]).toBeCloseTo(Number(value), 5);
  });

  it('runs a model that takes one sample at a time on many, and converts their type', async () => {
    const model = await made(identity({ name: 'x', type: 'float32', shape: [1, 2] }));
    const { code } = await run(model, await array('x.npy', [3, 2], Int16Array.of(1, 2, 3, 4, 5, 6), 'int16'));
    expect(code).toBe(0);
    expect(await read('out.npy')).toEqual({ dtype: 'float32', shape: [3, 2], data: Float32Array.of(1, 2, 3, 4, 5, 6) });
  });

  it('takes several inputs by name, and gives a file for each output', async () => {
    const ports = [
      { name: 'image:0', type: 'float32', shape: ['N', 1] },
      { name: 'mask', type: 'bool', shape: ['N'] },
    ] as const;
    await array('image_0.npy', [2, 1], Float32Array.of(1, 2));
    await array('mask.npy', [2], Uint8Array.of(0, 1), 'bool');
    expect(await run(await made(identity(...ports)), DATA(), '--batch=1')).toMatchObject({ code: 0 });
    expect((await readdir(join(folder, 'out'))).sort()).toEqual(['image_0_out.npy', 'mask_out.npy']);
    expect(await read('out/mask_out.npy')).toEqual({ dtype: 'bool', shape: [2], data: Uint8Array.of(0, 1) });
  });

  it('runs images in batches of a size that the model declares, and gives a file for each', async () => {
    const model = await made(identity({ name: 'x', type: 'float32', shape: [2, 1, 1, 1] }));
    for (const [name, gray] of [
      ['a', 0],
      ['b', 51],
      ['c', 255],
    ] as const)
      await image(`${name}.png`, 4, 4, gray);
    const { code, output } = await run(model, DATA());
    expect([code, output.split('\n').slice(2, -1)]).toEqual([0, ['1/3 a', '2/3 b', '3/3 c']]);
    const results = await Promise.all(['a', 'b', 'c'].map((name) => read(`out/${name}.npy`)));
    expect(results.map(({ shape, data }) => [shape, Math.round(Number(data[0]) * 100)])).toEqual([
      [[1, 1, 1, 1], 0],
      [[1, 1, 1, 1], 20],
      [[1, 1, 1, 1], 100],
    ]);
  });

  it('writes JSON with whole numbers whole, and null for what JSON has no number for', async () => {
    const ports = [
      { name: 'a', type: 'float32', shape: ['N'] },
      { name: 'b', type: 'int64', shape: [1, 1] },
    ] as const;
    await array('a.npy', [2], Float32Array.of(0.5, Number.NaN));
    await array('b.npy', [1, 1], BigInt64Array.of(2n ** 60n), 'int64');
    expect(await run(await made(identity(...ports)), DATA(), '--format=json')).toMatchObject({ code: 0 });
    expect(await readFile(join(folder, 'out.json'), 'utf8')).toBe(
      '{"a_out": {"dtype": "float32", "shape": [2], "data": [0.5, null]}, "b_out": {"dtype": "int64", "shape": [1,1], "data": [[1152921504606846976]]}}\n',
    );
  });
});

describe('the library that computes', () => {
  it('reports nothing to anybody, and so keeps nothing that would tell this machine from others', async () => {
    const home = join(folder, 'home');
    await mkdir(home);
    const args = ['--import', 'tsx', '--conditions=@model-rtc/source', fileURLToPath(PROGRAM)];
    const options = [`--model=${FIXTURE}model.onnx`, `--input=${FIXTURE}input.npy`, `--output=${join(folder, 'out')}`];
    // It also reports nothing where a variable CI says that nobody uses it.
    await promisify(execFile)(process.execPath, [...args, ...options], { env: { HOME: home, PATH: process.env.PATH } });
    expect(await readdir(home, { recursive: true })).toEqual([]);
  });
});

describe('a model with its tensors in a file beside it', () => {
  it('runs', async () => {
    await writeFile(join(folder, 'weights.bin'), Buffer.from(Float32Array.of(1, 2, 3, 4).buffer));
    const model = await made({
      inputs: [{ name: 'x', type: 'float32', shape: [4] }],
      outputs: [{ name: 'y', type: 'float32', shape: [4] }],
      nodes: [{ op: 'Add', inputs: ['x', 'w'], outputs: ['y'] }],
      tensors: [{ name: 'w', shape: [4], values: [], location: 'weights.bin' }],
    });
    const { code, output } = await run(model, await array('x.npy', [4], Float32Array.of(10, 10, 10, 10)));
    expect([code, output]).toEqual([0, expect.stringContaining('1/1 x')]);
    expect((await read('out.npy')).data).toEqual(Float32Array.of(11, 12, 13, 14));
  });
});

describe('what it cannot run', () => {
  const ONE = { name: 'x', type: 'float32', shape: ['N', 4] } as const;

  it('is said in a sentence: another shape, texts, no model, a damaged one', async () => {
    const given = await array('x.npy', [2, 5], new Float32Array(10));
    expect(await run(await made(identity(ONE)), given)).toMatchObject({
      code: 1,
      output: expect.stringMatching(
        /^.*\n.*\nThe model's input "x" takes float32 \(N, 4\), and x\.npy has float32 \(2, 5\)\. .*\n$/,
      ),
    });
    const texts = await made(identity({ name: 't', type: 'string', shape: ['N'] }));
    expect((await run(texts, given)).output).toMatch(/input "t" takes string, which no data file can hold/);
    await writeFile(join(folder, 'broken.onnx'), Buffer.from([8, 8, 58, 200, 1, 1, 1]));
    expect((await run(join(folder, 'broken.onnx'), given)).output).toMatch(/^broken\.onnx is damaged: .*Push it again/);
    expect((await run(join(folder, 'data', 'x.npy'), given)).output).toMatch(/x\.npy is no \.onnx file/);
    expect(await readdir(folder)).not.toContain('out');
  });

  it('is an option that it does not have', async () => {
    const given = await array('x.npy', [2, 4], new Float32Array(8));
    expect((await run(await made(identity(ONE)), given, '--unknown=1')).code).toBe(1);
  });
});
