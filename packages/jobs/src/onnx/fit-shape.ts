import { shapeText, tensorText } from './dtypes.ts';
import type { Axis, Port, Tensor } from './types.ts';

/** Sizes that the model's axes with names have in one run: they must agree between its inputs. */
export type NamedSizes = Map<string, number>;

/** Whether an axis takes any size. */
export function isOpen(axis: Axis): boolean {
  return typeof axis === 'string' || axis < 0;
}

/**
 * A tensor as an input takes it: as it is, or one sample as a batch of one.
 * @returns what is wrong with its shape, as a whole message, when it does not fit
 */
export function fitShape(port: Port, tensor: Tensor, file: string, sizes: NamedSizes): Tensor | string {
  const { shape } = port;
  if (shape === undefined) return tensor;
  for (const candidate of [tensor.shape, ...asBatch(shape, tensor.shape)]) {
    if (!matches(shape, candidate, sizes)) continue;
    shape.forEach((axis, i) => {
      if (typeof axis === 'string' && axis !== '') sizes.set(axis, candidate[i] as number);
    });
    return { ...tensor, shape: candidate };
  }
  return `The model's input "${port.name}" takes ${portText(port)}, and ${file} has ${tensorText(tensor)}. ${hint(port, tensor, sizes)}`;
}

/** A sample without the axis of batches, for a model that takes batches of any size or of one. */
function asBatch(shape: readonly Axis[], given: readonly number[]): number[][] {
  const first = shape[0];
  const isSample = shape.length === given.length + 1 && first !== undefined && (isOpen(first) || first === 1);
  return isSample ? [[1, ...given]] : [];
}

function matches(shape: readonly Axis[], given: readonly number[], sizes: NamedSizes): boolean {
  if (shape.length !== given.length) return false;
  return shape.every((axis, i) => {
    if (!isOpen(axis)) return axis === given[i];
    const known = typeof axis === 'string' ? sizes.get(axis) : undefined;
    return known === undefined || known === given[i];
  });
}

function hint({ shape = [] }: Port, tensor: Tensor, sizes: NamedSizes): string {
  const known = [...sizes].filter(([name]) => shape.includes(name)).map(([name, size]) => `${name} is ${size}`);
  if (known.length > 0) return `In this run ${known.join(', ')}. Make the sizes of its inputs agree.`;
  return shape.length === tensor.shape.length || shape.length === tensor.shape.length + 1
    ? 'Change the array to that shape; an axis with a name takes any size.'
    : `Change the array to ${shape.length} axes.`;
}

/** As messages name what an input takes: `float32 (N, 16)`. */
export function portText({ dtype, typeName, shape }: Port): string {
  if (shape === undefined) return dtype ?? typeName;
  return `${dtype ?? typeName} ${shapeText(shape.map((axis, i) => axisText(axis, i)))}`;
}

function axisText(axis: Axis, index: number): string {
  if (!isOpen(axis)) return String(axis);
  return typeof axis === 'string' && axis !== '' ? axis : index === 0 ? 'any number' : 'any size';
}
