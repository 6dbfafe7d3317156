import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { encode } from 'jpeg-js';
import { PNG } from 'pngjs';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { toImageTensor } from '../../src/onnx/image-tensor.ts';
import { type Image, readImage } from '../../src/onnx/read-image.ts';
import { resample } from '../../src/onnx/resample.ts';
import type { OnnxSettings } from '../../src/onnx/settings.ts';
import type { Axis, Dtype, Port } from '../../src/onnx/types.ts';

let folder = '';
beforeEach(async () => {
  folder = await temporaryFolder();
});

async function readBytes(bytes: Uint8Array): Promise<Image> {
  const path = join(folder, 'image.bin');
  await writeFile(path, bytes);
  return await readImage(path, 'cat.png');
}

/** Two pixels beside each other: red, and half of each channel. */
function twoPixels(): Image {
  return { width: 2, height: 1, channels: 3, white: 255, data: Uint8Array.of(255, 0, 0, 128, 128, 128) };
}

const DEFAULTS: OnnxSettings = {
  ...{ layout: 'auto', width: undefined, height: undefined, color: 'auto', divide: 255, mean: [0], std: [1] },
  ...{ batch: undefined, format: 'npy', threads: undefined },
};

function port(shape: readonly Axis[], dtype: Dtype = 'float32'): Port {
  return { name: 'image', dtype, typeName: dtype, shape };
}

const values = (shape: readonly Axis[], settings: Partial<OnnxSettings> = {}, dtype: Dtype = 'float32') => {
  const tensor = toImageTensor(twoPixels(), port(shape, dtype), { ...DEFAULTS, ...settings });
  return [tensor.shape, Array.from(tensor.data as Float32Array, (value) => Math.round(value * 1000) / 1000)];
};

describe('an image file', () => {
  it('is read as PNG with 8 bits, with or without gray and opacity', async () => {
    const png = new PNG({ width: 2, height: 1 });
    png.data.set([255, 0, 0, 255, 10, 20, 30, 255]);
    expect(await readBytes(PNG.sync.write(png))).toMatchObject({
      ...{ width: 2, height: 1, channels: 4, white: 255 },
      data: Buffer.from([255, 0, 0, 255, 10, 20, 30, 255]),
    });
  });

  it('is read as PNG with 16 bits, without losing any', async () => {
    const png = new PNG({ width: 1, height: 1, bitDepth: 16, colorType: 0, inputColorType: 0, inputHasAlpha: false });
    png.data = Buffer.from(Uint16Array.of(4660).buffer);
    const image = await readBytes(
      PNG.sync.write(png, { bitDepth: 16, colorType: 0, inputColorType: 0, inputHasAlpha: false }),
    );
    expect(image.white).toBe(65_535);
    expect(image.data[0]).toBe(4660);
  });

  it('is read as JPEG, whatever its name says', async () => {
    const { data } = encode({ width: 8, height: 8, data: Buffer.alloc(256, 128) }, 90);
    const image = await readBytes(data);
    expect([image.width, image.height, image.channels]).toEqual([8, 8, 3]);
    expect(Math.abs((image.data[0] as number) - 128)).toBeLessThan(4);
  });

  it('that is neither says so', async () => {
    await expect(readBytes(Buffer.from('GIF89a'))).rejects.toThrow(/neither a PNG nor a JPEG/);
  });
});

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}

function pngOf(width: number, height: number, pixels: Buffer, isInterlaced = false): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, isInterlaced ? 1 : 0], 8);
  const magic = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
  return Buffer.concat([
    magic,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(pixels)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

describe('a hostile image', () => {
  it('that claims a size beyond the limit is refused before it is decoded', async () => {
    await expect(readBytes(pngOf(2 ** 31 - 1, 2 ** 31 - 1, Buffer.alloc(4)))).rejects.toThrow(
      /claims 2147483647 x 2147483647 pixels/,
    );
    await expect(readBytes(pngOf(0, 5, Buffer.alloc(4)))).rejects.toThrow(/claims 0 x 5 pixels/);
  });

  it('that unpacks to more than its size is refused', async () => {
    await expect(readBytes(pngOf(1, 1, Buffer.alloc(50_000_000), true))).rejects.toThrow(/cannot be decoded/);
  });

  it('with two headers is refused: the second could claim another size', async () => {
    const good = pngOf(1, 1, Buffer.alloc(4));
    const other = pngOf(60_000, 60_000, Buffer.alloc(4));
    const header = other.subarray(8, 33);
    const both = Buffer.concat([good.subarray(0, 33), header, good.subarray(33)]);
    await expect(readBytes(both)).rejects.toThrow(/cannot be decoded/);
  });

  it('that is cut off or damaged is refused with a sentence', async () => {
    const whole = pngOf(4, 4, Buffer.alloc(4 * 13));
    expect((await readBytes(whole)).width).toBe(4);
    for (const length of [9, 20, 40, whole.length - 20])
      await expect(readBytes(whole.subarray(0, length))).rejects.toThrow(
        /cat\.png cannot be decoded: .+ Send it again/,
      );
    await expect(readBytes(Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 16, 1, 2]))).rejects.toThrow(/cannot be decoded/);
  });
});

describe('an image for a model', () => {
  it('has its channels first or last, as the model declares or a person says', () => {
    expect(values([1, 3, 1, 2])).toEqual([
      [1, 3, 1, 2],
      [1, 0.502, 0, 0.502, 0, 0.502],
    ]);
    expect(values(['N', 'H', 'W', 3])).toEqual([
      [1, 1, 2, 3],
      [1, 0, 0, 0.502, 0.502, 0.502],
    ]);
    expect(values(['', '', '', ''], { layout: 'nhwc' })[0]).toEqual([1, 1, 2, 3]);
    expect(values(['', '', ''])[0]).toEqual([3, 1, 2]);
  });

  it('is gray, or blue first, where that is wanted', () => {
    expect(values([1, 1, 1, 2])).toEqual([
      [1, 1, 1, 2],
      [0.299, 0.502],
    ]);
    expect(values(['N', 'C', 'H', 'W'], { color: 'gray' })[0]).toEqual([1, 1, 1, 2]);
    expect(values([1, 3, 1, 2], { color: 'bgr' })[1]).toEqual([0, 0.502, 0, 0.502, 1, 0.502]);
    expect(values([1, 4, 1, 2])[1]).toEqual([1, 0.502, 0, 0.502, 0, 0.502, 1, 1]);
    expect(() => values([1, 3, 1, 2], { color: 'gray' })).toThrow(/takes images of 3 channels/);
  });

  it('is scaled and normalised by channel', () => {
    const [, numbers] = values([1, 3, 1, 2], { divide: 1, mean: [255, 0, 128], std: [1, 2, 4] });
    expect(numbers).toEqual([0, -127, 0, 64, -32, 0]);
    expect(() => values([1, 1, 1, 2], { mean: [1, 2, 3] })).toThrow(/mean has 3 numbers, and images have 1 channels/);
  });

  it('keeps its values for a model that takes whole numbers', () => {
    expect(values([1, 3, 1, 2], {}, 'uint8')[1]).toEqual([255, 128, 0, 128, 0, 128]);
    expect(() => values([1, 3, 1, 2], { mean: [0.5] }, 'uint8')).toThrow(/Leave out --set mean and std/);
    expect(() => values([1, 3, 1, 2], {}, 'int64')).toThrow(/takes int64, not images/);
  });

  it('is resized to what the model declares, and else to what a person chose', () => {
    expect(values([1, 3, 2, 4])[0]).toEqual([1, 3, 2, 4]);
    expect(values(['N', 3, 'H', 'W'], { width: 5, height: 3 })[0]).toEqual([1, 3, 3, 5]);
    expect(() => values([1, 3, 2, 4], { width: 5 })).toThrow(/width of 4. Leave out --set width=5/);
    expect(() => values([1, 16])).toThrow(/takes float32 \(1, 16\), which is no image/);
  });
});

describe('resizing', () => {
  const plane = (width: number, height: number, ...numbers: number[]) => ({
    width,
    height,
    data: Float32Array.from(numbers),
  });

  it('makes a mean of all that a new pixel covers', () => {
    expect(Array.from(resample(plane(4, 1, 0, 0, 8, 8), 2, 1).data, Math.round)).toEqual([1, 7]);
    expect(Array.from(resample(plane(1, 4, 0, 0, 8, 8), 1, 2).data, Math.round)).toEqual([1, 7]);
    expect(
      Array.from(
        resample(plane(100, 1, ...Array.from({ length: 100 }, (_, i) => (i % 2) * 10)), 10, 1).data,
        Math.round,
      ),
    ).toEqual(Array.from({ length: 10 }, () => 5));
  });

  it('goes evenly from one pixel to the next when it grows', () => {
    expect(Array.from(resample(plane(2, 1, 0, 4), 4, 1).data)).toEqual([0, 1, 3, 4]);
    expect(Array.from(resample(plane(1, 1, 9), 3, 2).data)).toEqual([9, 9, 9, 9, 9, 9]);
  });
});
