import { bytesOf, countOf, numbersIn, tensorText } from './dtypes.ts';
import type { Output } from './runtime.ts';
import { OnnxRunError, type Port, type Tensor } from './types.ts';

export type Feed = ReadonlyMap<string, Tensor>;

/**
 * Cuts the arrays of one sample along their first axis.
 * @param rows of one run; undefined for all, or for one where the model takes just one
 * @throws OnnxRunError when the arrays have different numbers of rows
 */
export function splitFeed(feed: Feed, ports: readonly Port[], rows: number | undefined): Feed[] {
  const size = rows ?? (takesOne(feed, ports) ? 1 : undefined);
  if (size === undefined) return [feed];
  const counts = new Set([...feed.values()].map(({ shape }) => shape[0]));
  const [count] = counts;
  if (counts.size > 1 || count === undefined) {
    const texts = [...feed].map(([name, tensor]) => `${name} ${tensorText(tensor)}`);
    throw new OnnxRunError(
      `The inputs cannot be cut into batches, since they differ in their first axis: ${texts.join(', ')}. Leave out --set batch.`,
    );
  }
  const parts: Feed[] = [];
  for (let start = 0; start < count; start += size)
    parts.push(
      new Map([...feed].map(([name, tensor]) => [name, rowsOf(tensor, start, Math.min(count, start + size))])),
    );
  return parts.length === 0 ? [feed] : parts;
}

/** Whether every input takes a batch of one, and every array has several. */
function takesOne(feed: Feed, ports: readonly Port[]): boolean {
  return ports.every(({ name, shape }) => {
    const given = feed.get(name)?.shape ?? [];
    return shape?.[0] === 1 && given.length === shape.length && (given[0] as number) > 1;
  });
}

/** Part of a tensor along its first axis, in the same memory. */
export function rowsOf(tensor: Tensor, start: number, end: number): Tensor {
  const [, ...rest] = tensor.shape;
  const step = countOf(rest);
  return { ...tensor, shape: [end - start, ...rest], data: tensor.data.subarray(start * step, end * step) };
}

/** Tensors behind each other along their first axis; undefined when their other axes differ. */
export function joinRows(parts: readonly Tensor[]): Tensor | undefined {
  const [first] = parts;
  if (first === undefined || parts.length === 1) return first;
  const rest = first.shape.slice(1);
  const isAlike = parts.every(
    ({ dtype, shape }) => shape.length > 0 && dtype === first.dtype && shape.slice(1).join() === rest.join(),
  );
  if (!isAlike) return undefined;
  const rows = parts.reduce((sum, { shape }) => sum + (shape[0] as number), 0);
  const bytes = new Uint8Array(rows * countOf(rest) * bytesOf(first.dtype));
  let at = 0;
  for (const { data } of parts) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return { dtype: first.dtype, shape: [rows, ...rest], data: numbersIn(first.dtype, bytes.buffer) };
}

/**
 * What one output has for the whole sample: the outputs of its parts behind each other.
 * @param rows of each part
 * @returns undefined when they cannot be told apart when joined, such as detections whose number differs
 */
export function joinOutputs(outputs: readonly Output[], rows: readonly number[]): Output | undefined {
  if (outputs.length === 1) return outputs[0];
  const isByRow = outputs.every(({ shape }, i) => shape[0] === rows[i]);
  const numbers = outputs.filter((output): output is Tensor => output.dtype !== 'string');
  return isByRow && numbers.length === outputs.length ? joinRows(numbers) : undefined;
}
