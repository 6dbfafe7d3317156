import { OnnxRunError } from './types.ts';

/** What a person chooses for one run of the onnx program. */
export interface OnnxSettings {
  /** How an image lies in memory: channels first or last; `auto` by the sizes that the model declares. */
  readonly layout: 'auto' | 'nchw' | 'nhwc';
  /** Pixels; undefined for what the model declares, else the image's own. */
  readonly width: number | undefined;
  readonly height: number | undefined;
  /** The channels, in order; `auto` by their number in the model, and red first. */
  readonly color: 'auto' | 'rgb' | 'bgr' | 'gray';
  /** A pixel is (value / divide - mean) / std, by channel. Only for models that take floating-point numbers. */
  readonly divide: number;
  readonly mean: readonly number[];
  readonly std: readonly number[];
  /** Samples in one run of the model; undefined for all of an array, and one image. */
  readonly batch: number | undefined;
  readonly format: 'npy' | 'json';
  /** Threads of one operator; undefined for one for each processor. */
  readonly threads: number | undefined;
}

type Given = Readonly<Partial<Record<keyof OnnxSettings, string | undefined>>>;

/** Reads settings as they stand in arguments. @throws OnnxRunError for one that means nothing */
export function parseSettings(given: Given): OnnxSettings {
  return {
    layout: choice('layout', given.layout, ['auto', 'nchw', 'nhwc']),
    width: count('width', given.width),
    height: count('height', given.height),
    color: choice('color', given.color, ['auto', 'rgb', 'bgr', 'gray']),
    divide: numbers('divide', given.divide, 1)[0] as number,
    mean: numbers('mean', given.mean, 4),
    std: numbers('std', given.std, 4),
    batch: count('batch', given.batch),
    format: choice('format', given.format, ['npy', 'json']),
    threads: count('threads', given.threads),
  };
}

function choice<T extends string>(name: string, value: string | undefined, choices: readonly T[]): T {
  const found = choices.find((one) => one === value);
  if (found === undefined) throw new OnnxRunError(`--${name} takes ${choices.join(', ')}, not "${value}".`);
  return found;
}

function count(name: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (!/^[1-9]\d{0,5}$/.test(value))
    throw new OnnxRunError(`--${name} takes a number from 1 to 999999, not "${value}".`);
  return Number(value);
}

/** Numbers with commas between them; none of `divide` and `std` is 0. */
function numbers(name: string, value: string | undefined, most: number): readonly number[] {
  const parsed = (value ?? '').split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  const isValid = (number: number) => Number.isFinite(number) && (name === 'mean' || number !== 0);
  if (parsed.length > most || !parsed.every(isValid))
    throw new OnnxRunError(`--${name} takes 1 to ${most} numbers such as 0.485,0.456,0.406, not "${value}".`);
  return parsed;
}
