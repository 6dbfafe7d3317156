import { basename } from 'node:path';
import { checkModelFile } from './check-model-file.ts';
import { numberAt } from './convert.ts';
import { portText } from './fit-shape.ts';
import { type Model, type Output, openModel } from './runtime.ts';
import { OPEN_SIZES, trialInputs } from './trial-inputs.ts';
import { OnnxRunError, type Port } from './types.ts';

/** The exit code of a model that cannot be tried, which says nothing of the model. */
export const NOT_TRIED = 3;

/** A model cannot be tried: nobody knows what it takes. */
export class NotTriedError extends Error {
  override readonly name = 'NotTriedError';
}

/**
 * Runs a model once on small random numbers, by the shapes that it declares.
 * @returns what came out, as a sentence
 * @throws OnnxRunError when it does not load or run, or gives what is no number; NotTriedError
 */
export async function tryModel(path: string): Promise<string> {
  await checkModelFile(path);
  const model = await openModel(path, basename(path), undefined);
  const outputs = await runOnce(model);
  for (const [name, output] of outputs) {
    const problem = problemOf(output);
    if (problem !== undefined) throw new OnnxRunError(`Its output "${name}" has ${problem}.`);
  }
  const named = [...outputs].slice(0, 4).map(([name, { shape }]) => `${name} (${shape.join(', ')})`);
  const more = outputs.size > named.length ? ` and ${outputs.size - named.length} more` : '';
  return `Ran once on random numbers; all numbers of ${named.join(', ')}${more} are finite.`;
}

/** A model of fixed shapes must run; one that takes any size may not take those that are tried. */
async function runOnce(model: Model): Promise<ReadonlyMap<string, Output>> {
  const isFixed = model.inputs.every(({ shape }) => shape?.every((axis) => typeof axis === 'number' && axis >= 0));
  let last: unknown;
  for (const size of isFixed ? OPEN_SIZES.slice(0, 1) : OPEN_SIZES) {
    const feed = trialInputs(model.inputs, size);
    if (typeof feed === 'string') throw new NotTriedError(`It cannot be tried: ${feed}.`);
    try {
      return await model.run(feed);
    } catch (error) {
      if (isFixed) throw error;
      last = error;
    }
  }
  const reason = last instanceof Error ? last.message.split('\n')[0]?.slice(0, 200) : String(last);
  throw new NotTriedError(`It takes ${portsText(model.inputs)}, and none of the sizes that were tried: ${reason}`);
}

function portsText(ports: readonly Port[]): string {
  return ports
    .slice(0, 4)
    .map((port) => `${port.name} ${portText(port)}`)
    .join('; ');
}

/** What is wrong with the numbers of an output. */
function problemOf(output: Output): string | undefined {
  if (output.dtype === 'string' || !output.dtype.startsWith('float')) return undefined;
  let [nans, infinities] = [0, 0];
  for (let i = 0; i < output.data.length; i++) {
    const value = numberAt(output, i);
    if (Number.isNaN(value)) nans++;
    else if (!Number.isFinite(value)) infinities++;
  }
  if (nans + infinities === 0) return undefined;
  return `${nans} NaN and ${infinities} infinite of ${output.data.length} numbers`;
}
