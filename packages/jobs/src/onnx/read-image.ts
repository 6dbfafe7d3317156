import { readFile, stat } from 'node:fs/promises';
import { inflateSync } from 'node:zlib';
import { decode } from 'jpeg-js';
import { PNG } from 'pngjs';
import { MAX_IMAGE_FILE_BYTES, MAX_IMAGE_PIXELS } from './limits.ts';
import { OnnxRunError } from './types.ts';

/** An image as it is in its file: three or four channels for each pixel, whose largest value is `white`. */
export interface Image {
  readonly width: number;
  readonly height: number;
  /** Red, green, blue, and opacity where there are four. */
  readonly channels: 3 | 4;
  readonly white: 255 | 65_535;
  readonly data: Uint8Array | Uint16Array;
}

const PNG_MAGIC = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
const JPEG_MAGIC = Buffer.from('\xff\xd8\xff', 'latin1');
/** The size is in the first chunk, whose place is fixed. */
const PNG_SIZE_AT = 16;
const PNG_HEADER_BYTES = 33;
const PNG_INTERLACE_AT = 28;
const DEEP_BITS = 16;
/** jpeg-js counts what it allocates: three copies of a progressive image's coefficients and the pixels. */
const JPEG_MEMORY_MB = 4096;

/**
 * Reads a PNG or JPEG file, by its content and not its name.
 * @throws OnnxRunError when it is neither, is damaged, or is larger than the limits
 */
export async function readImage(path: string, name: string): Promise<Image> {
  const { size } = await stat(path);
  if (size > MAX_IMAGE_FILE_BYTES)
    throw new OnnxRunError(`${name} has ${size} bytes; an image file may have ${MAX_IMAGE_FILE_BYTES}.`);
  const bytes = await readFile(path);
  if (bytes.subarray(0, PNG_MAGIC.length).equals(PNG_MAGIC)) return decodePng(bytes, name);
  if (bytes.subarray(0, JPEG_MAGIC.length).equals(JPEG_MAGIC)) return decodeJpeg(bytes, name);
  throw new OnnxRunError(`${name} is neither a PNG nor a JPEG image. Convert it to one of them, or to .npy.`);
}

function decodePng(bytes: Buffer, name: string): Image {
  if (bytes.length < PNG_HEADER_BYTES) throw damaged(name, 'it ends in its header');
  const [width, height] = [bytes.readUInt32BE(PNG_SIZE_AT), bytes.readUInt32BE(PNG_SIZE_AT + 4)];
  assertPixels(width, height, name);
  try {
    const pixels = pngPixels(bytes);
    // The library bounds what it inflates by the image's size, except of interlaced images.
    if (bytes[PNG_INTERLACE_AT] !== 0) assertInflates(pixels, width, height);
    // The types do not know what `skipRescale` gives for 16 bits: two bytes a channel, as numbers of 16 bits.
    const { data, depth } = PNG.sync.read(bytes, { skipRescale: true }) as unknown as {
      data: Uint8Array | Uint16Array;
      depth: number;
    };
    return { width, height, channels: 4, white: depth === DEEP_BITS ? 65_535 : 255, data };
  } catch (error) {
    throw damaged(name, messageOf(error), error);
  }
}

/** The compressed pixels. Throws for a second header: the library would believe that one, whatever it claims. */
function pngPixels(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = PNG_MAGIC.length, headers = 0; at + 12 <= bytes.length; ) {
    const [length, type] = [bytes.readUInt32BE(at), bytes.toString('latin1', at + 4, at + 8)];
    if (type === 'IHDR' && ++headers > 1) throw new Error('it has two headers');
    if (type === 'IDAT') parts.push(bytes.subarray(at + 8, at + 8 + length));
    at += length + 12;
  }
  return Buffer.concat(parts);
}

function assertInflates(pixels: Buffer, width: number, height: number): void {
  // Eight bytes a pixel at most, and a byte before each line of each of the seven passes.
  inflateSync(pixels, { maxOutputLength: width * height * 8 + height * 7 + 64 });
}

function decodeJpeg(bytes: Buffer, name: string): Image {
  try {
    const options = { useTArray: true, formatAsRGBA: false, tolerantDecoding: false } as const;
    const limits = { maxResolutionInMP: MAX_IMAGE_PIXELS / 1e6, maxMemoryUsageInMB: JPEG_MEMORY_MB };
    const { width, height, data } = decode(bytes, { ...options, ...limits });
    return { width, height, channels: 3, white: 255, data };
  } catch (error) {
    throw damaged(name, messageOf(error), error);
  }
}

function assertPixels(width: number, height: number, name: string): void {
  if (width > 0 && height > 0 && width * height <= MAX_IMAGE_PIXELS) return;
  throw new OnnxRunError(
    `${name} claims ${width} x ${height} pixels; an image may have ${MAX_IMAGE_PIXELS / 1e6} million. Make it smaller.`,
  );
}

function damaged(name: string, reason: string, cause?: unknown): OnnxRunError {
  return new OnnxRunError(`${name} cannot be decoded: ${reason}. Send it again, or convert it.`, { cause });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
