import { makeNumbers } from './dtypes.ts';
import { isOpen, portText } from './fit-shape.ts';
import { toFloat16 } from './float16.ts';
import type { Image } from './read-image.ts';
import { type Plane, resample } from './resample.ts';
import type { OnnxSettings } from './settings.ts';
import { type Axis, type Dtype, OnnxRunError, type Port, type Tensor } from './types.ts';

/** Where an input has its axes, and what it wants in them; undefined for any size. */
interface ImageShape {
  readonly isChannelsFirst: boolean;
  readonly hasBatch: boolean;
  readonly channels: number | undefined;
  readonly height: number | undefined;
  readonly width: number | undefined;
}

const CHANNELS: ReadonlySet<Axis> = new Set([1, 3, 4]);
/** How much each of red, green and blue counts for brightness. Source: ITU-R BT.601 */
const LUMA = [0.299, 0.587, 0.114] as const;
/** Numbers of 16 bits are brought to 0 to 255, the range that models are trained with. */
const WHITE = 255;

/**
 * An image as a model's input takes it: with its layout, size, channels and type, as a batch of one.
 * @throws OnnxRunError when the input takes no images, or a setting contradicts what the model declares
 */
export function toImageTensor(image: Image, port: Port, settings: OnnxSettings): Tensor {
  const wanted = imageShape(port, settings);
  const width = sizeOf('width', wanted.width, settings.width, image.width);
  const height = sizeOf('height', wanted.height, settings.height, image.height);
  const channels = channelsOf(image, wanted.channels, settings);
  const planes = channels.map((plane) => resample(plane, width, height));
  const data = fill(planes, wanted.isChannelsFirst, port.dtype as Dtype, normalizer(port, settings, planes.length));
  const sizes = wanted.isChannelsFirst ? [planes.length, height, width] : [height, width, planes.length];
  return { dtype: port.dtype as Dtype, shape: wanted.hasBatch ? [1, ...sizes] : sizes, data };
}

function imageShape(port: Port, { layout }: OnnxSettings): ImageShape {
  const shape = port.shape ?? [-1, -1, -1, -1];
  if (shape.length !== 3 && shape.length !== 4)
    throw new OnnxRunError(
      `The model's input "${port.name}" takes ${portText(port)}, which is no image. Send .npy files of that shape.`,
    );
  const axes = shape.slice(-3) as [Axis, Axis, Axis];
  const isChannelsFirst = layout === 'auto' ? !(CHANNELS.has(axes[2]) && !CHANNELS.has(axes[0])) : layout === 'nchw';
  const [channels, height, width] = (isChannelsFirst ? axes : [axes[2], axes[0], axes[1]]).map(fixed);
  return { isChannelsFirst, hasBatch: shape.length === 4, channels, height, width };
}

function fixed(axis: Axis): number | undefined {
  return isOpen(axis) ? undefined : (axis as number);
}

function sizeOf(name: string, declared: number | undefined, chosen: number | undefined, own: number): number {
  if (declared !== undefined && chosen !== undefined && declared !== chosen)
    throw new OnnxRunError(`The model takes images with a ${name} of ${declared}. Leave out --set ${name}=${chosen}.`);
  return declared ?? chosen ?? own;
}

/** The channels that the model takes, each from 0 to 255. */
function channelsOf(image: Image, declared: number | undefined, { color }: OnnxSettings): Plane[] {
  const count = declared ?? (color === 'gray' ? 1 : 3);
  if ((color === 'gray' && count !== 1) || ((color === 'rgb' || color === 'bgr') && count === 1) || count > 4)
    throw new OnnxRunError(
      `The model takes images of ${count} channel${count === 1 ? '' : 's'}. Leave out --set color=${color}, or send .npy files.`,
    );
  if (count === 2) throw new OnnxRunError('The model takes images of 2 channels, which no image has. Send .npy files.');
  if (count === 1) return [brightness(image)];
  const order = color === 'bgr' ? [2, 1, 0, 3] : [0, 1, 2, 3];
  return order.slice(0, count).map((channel) => planeOf(image, channel));
}

function planeOf({ width, height, channels, white, data }: Image, channel: number): Plane {
  const plane = new Float32Array(width * height);
  if (channel >= channels) return { width, height, data: plane.fill(WHITE) };
  const factor = WHITE / white;
  for (let i = 0; i < plane.length; i++) plane[i] = (data[i * channels + channel] as number) * factor;
  return { width, height, data: plane };
}

function brightness({ width, height, channels, white, data }: Image): Plane {
  const plane = new Float32Array(width * height);
  const [red, green, blue] = LUMA.map((share) => (share * WHITE) / white) as [number, number, number];
  for (let i = 0, at = 0; i < plane.length; i++, at += channels)
    plane[i] = red * (data[at] as number) + green * (data[at + 1] as number) + blue * (data[at + 2] as number);
  return { width, height, data: plane };
}

type Normalize = (value: number, channel: number) => number;

/** What a channel's value from 0 to 255 becomes in the type that the model takes. */
function normalizer({ name, dtype }: Port, { divide, mean, std }: OnnxSettings, channels: number): Normalize {
  const isFloat = dtype?.startsWith('float') ?? false;
  for (const [key, values] of [['mean', mean] as const, ['std', std] as const]) {
    if (values.length !== 1 && values.length !== channels)
      throw new OnnxRunError(`--set ${key} has ${values.length} numbers, and images have ${channels} channels here.`);
  }
  const at = (values: readonly number[], channel: number): number => (values[channel] ?? values[0]) as number;
  if (isFloat) {
    const toNumber: Normalize = (value, channel) => (value / divide - at(mean, channel)) / at(std, channel);
    return dtype === 'float16' ? (value, channel) => toFloat16(toNumber(value, channel)) : toNumber;
  }
  if (dtype === undefined || dtype === 'bool' || dtype === 'int8' || dtype.endsWith('64'))
    throw new OnnxRunError(`The model's input "${name}" takes ${dtype ?? 'no numbers'}, not images. Send .npy files.`);
  if (mean.some((value) => value !== 0) || std.some((value) => value !== 1))
    throw new OnnxRunError(`The model takes whole numbers (${dtype}). Leave out --set mean and std.`);
  return (value) => Math.min(WHITE, Math.max(0, Math.round(value)));
}

function fill(planes: readonly Plane[], isChannelsFirst: boolean, dtype: Dtype, normalize: Normalize): Tensor['data'] {
  const size = (planes[0] as Plane).data.length;
  const result = makeNumbers(dtype, size * planes.length);
  planes.forEach(({ data }, channel) => {
    const [start, step] = isChannelsFirst ? [channel * size, 1] : [channel, planes.length];
    for (let i = 0; i < size; i++) result[start + i * step] = normalize(data[i] as number, channel) as never;
  });
  return result;
}
