import { mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { numberAt } from './convert.ts';
import { fileName, uniqueNames } from './data-files.ts';
import { countOf } from './dtypes.ts';
import { MAX_JSON_NUMBERS } from './limits.ts';
import type { Output } from './runtime.ts';
import { OnnxRunError, type Tensor } from './types.ts';
import { writeNpy } from './write-npy.ts';

export type NamedOutput = readonly [name: string, output: Output];

/** Characters of JSON that are written at a time. */
const JSON_BLOCK_CHARS = 1024 * 1024;

/**
 * The files of a run: one where there is one, else a folder with one for each sample and output. The names of outputs are part
 * of the file names only where a sample has several.
 */
export class ResultFiles {
  readonly #path: string;
  readonly #samples: number;
  readonly #format: 'npy' | 'json';

  /** @param path without an extension */
  constructor(path: string, samples: number, format: 'npy' | 'json') {
    this.#path = path;
    this.#samples = samples;
    this.#format = format;
  }

  /** @throws OnnxRunError for more numbers than a JSON file may have; what the file system throws */
  async write(label: string, outputs: readonly NamedOutput[]): Promise<void> {
    if (this.#format === 'json') return await writeJson(await this.#place(label, undefined, 1, '.json'), outputs);
    const names = uniqueNames(outputs.map(([name]) => fileName(name)));
    for (const [i, [name, output]] of outputs.entries()) {
      const isText = output.dtype === 'string';
      const path = await this.#place(label, names[i] as string, outputs.length, isText ? '.json' : '.npy');
      // numpy's files have no texts of any length.
      if (isText) await writeJson(path, [[name, output]]);
      else await writeNpy(path, output);
    }
  }

  async #place(label: string, output: string | undefined, outputs: number, extension: string): Promise<string> {
    if (this.#samples === 1 && outputs === 1) return `${this.#path}${extension}`;
    const name = this.#samples === 1 ? output : outputs === 1 ? label : `${label}.${output}`;
    const path = join(this.#path, `${name}${extension}`);
    await mkdir(dirname(path), { recursive: true });
    return path;
  }
}

async function writeJson(path: string, outputs: readonly NamedOutput[]): Promise<void> {
  const count = outputs.reduce((sum, [, { shape }]) => sum + countOf(shape), 0);
  if (count > MAX_JSON_NUMBERS)
    throw new OnnxRunError(
      `The outputs have ${count} numbers; a JSON file may have ${MAX_JSON_NUMBERS}. Leave out --set format=json.`,
    );
  const file = await open(path, 'wx');
  try {
    let block = '';
    for (const text of jsonParts(outputs)) {
      block += text;
      if (block.length < JSON_BLOCK_CHARS) continue;
      await file.writeFile(block);
      block = '';
    }
    await file.writeFile(`${block}\n`);
  } finally {
    await file.close();
  }
}

/** `{"y": {"dtype": "float32", "shape": [3, 4], "data": [[...], ...]}}` */
function* jsonParts(outputs: readonly NamedOutput[]): Generator<string> {
  for (const [i, [name, output]] of outputs.entries()) {
    const { dtype, shape } = output;
    yield `${i === 0 ? '{' : ', '}${JSON.stringify(name)}: {"dtype": "${dtype}", "shape": ${JSON.stringify(shape)}, "data": `;
    yield* nested(output, 0, 0);
    yield '}';
  }
  yield outputs.length === 0 ? '{}' : '}';
}

function* nested(output: Output, axis: number, start: number): Generator<string> {
  const size = output.shape[axis];
  if (size === undefined) return yield jsonValue(output, start);
  const step = countOf(output.shape.slice(axis + 1));
  yield '[';
  for (let i = 0; i < size; i++) {
    if (i > 0) yield axis === output.shape.length - 1 ? ', ' : ',\n';
    yield* nested(output, axis + 1, start + i * step);
  }
  yield ']';
}

/** JSON has no infinity and no NaN: they are null. Large whole numbers are written with all of their digits. */
function jsonValue(output: Output, index: number): string {
  if (output.dtype === 'string') return JSON.stringify(output.data[index]);
  const value = (output as Tensor).data[index] as number | bigint;
  if (typeof value === 'bigint') return value.toString();
  if (output.dtype === 'bool') return value === 0 ? 'false' : 'true';
  const number = numberAt(output as Tensor, index);
  return Number.isFinite(number) ? String(number) : 'null';
}
