import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { readNpy } from '../onnx/read-npy.ts';
import { writeNpy } from '../onnx/write-npy.ts';
import { fillArgs } from '../runners/placeholders.ts';
import type { Runner } from '../runners/runner-schema.ts';

const run = promisify(execFile);
/** Loading the library from a slow disk takes a few seconds. */
const TIMEOUT_MS = 60_000;
/** A model of 68 bytes, y = x + x, for any number of them. */
const MODEL = Buffer.from(
  'CAg6OgoOCgF4CgF4EgF5IgNBZGQSBG1hZGVaEAoBeBILCgkIARIFCgMSAU5iEAoBeRILCgkIARIFCgMSAU5CBAoAEA0=',
  'base64',
);
const INPUT = Float32Array.of(1, 2, 3);

/**
 * Runs the onnx program on a model and an array that are made for it.
 * @returns why it does not work, as a sentence; undefined when it does
 */
export async function tryOnnx({ args }: Runner, signal: AbortSignal): Promise<string | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'model-rtc-try-'));
  try {
    const [model, input, output] = ['model.onnx', 'x.npy', 'result'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    await writeFile(model, MODEL);
    await writeNpy(input, { dtype: 'float32', shape: [INPUT.length], data: INPUT });
    const values = {
      models: [folder],
      checkpoint: model,
      config: undefined,
      inputs: [input],
      output,
      settings: new Map(),
    };
    const [program, ...rest] = fillArgs(args, values) as [string, ...string[]];
    await run(program, rest, { timeout: TIMEOUT_MS, signal });
    const { data } = await readNpy(`${output}.npy`, 'the result');
    return INPUT.every((value, i) => data[i] === 2 * value) ? undefined : 'It computed a wrong result.';
  } catch (error) {
    signal.throwIfAborted();
    const { stderr, message } = error as { readonly stderr?: string; readonly message: string };
    return (stderr?.trim().split('\n').at(-1) || message).slice(0, 1000);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
