import type { CheckedFile } from '@model-rtc/formats/layouts';
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { arrayReader, type CountingReader } from '../bytes/readers.ts';
import { u32, u64 } from '../chunks/make-files.ts';

export interface CountedFile extends CheckedFile {
  readonly reader: CountingReader;
}

/** A file that refuses to be read outside of its bytes. */
export function file(path: string, content: string | Uint8Array | CountingReader): CountedFile {
  const bytes = typeof content === 'string' ? utf8ToBytes(content) : content;
  const reader = bytes instanceof Uint8Array ? arrayReader(bytes) : bytes;
  return { path, size: reader.size, reader, withReader: async (work) => await work(reader) };
}

/** The superblock of an HDF5 file, and bytes up to the end that it names. */
export function makeHdf5(size: number, version: 0 | 1 | 2 | 3 = 0): Uint8Array {
  const nowhere = u64(2n ** 64n - 1n);
  const signature = Uint8Array.of(0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a);
  const addresses = [u64(0), nowhere, u64(size), nowhere];
  const old = [Uint8Array.of(version, 0, 0, 0, 0, 8, 8, 0), u32(0), u32(0), ...(version === 1 ? [u32(0)] : [])];
  const head = version < 2 ? old : [Uint8Array.of(version, 8, 8, 0)];
  const start = concatBytes(signature, ...head, ...addresses);
  return concatBytes(start, new Uint8Array(size - start.length));
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let left = value;
  for (; left > 127; left = Math.floor(left / 128)) bytes.push((left % 128) + 128);
  return Uint8Array.of(...bytes, left);
}

/** A field of a protocol buffer: a number, or text, bytes or a message. */
function field(number: number, value: number | string | Uint8Array): Uint8Array {
  if (typeof value === 'number') return concatBytes(varint(number * 8), varint(value));
  const bytes = typeof value === 'string' ? utf8ToBytes(value) : value;
  return concatBytes(varint(number * 8 + 2), varint(bytes.length), bytes);
}

/** A tensor that lies in another file. */
export function externalTensor(location: string, offset: number, length: number): Uint8Array {
  const entries = Object.entries({ location, offset: String(offset), length: String(length) });
  const said = entries.map(([key, value]) => field(13, concatBytes(field(1, key), field(2, value))));
  return concatBytes(field(1, 4), field(2, 1), field(8, 'w'), ...said, field(14, 1));
}

/** An ONNX file: version, graph, operators, as writers order them. */
export function makeOnnx(...initializers: readonly Uint8Array[]): Uint8Array {
  const node = concatBytes(field(1, 'x'), field(2, 'y'), field(4, 'Relu'));
  const graph = concatBytes(field(1, node), field(2, 'g'), ...initializers.map((tensor) => field(5, tensor)));
  return concatBytes(field(1, 8), field(2, 'test'), field(7, graph), field(8, concatBytes(field(1, ''), field(2, 17))));
}

/** A tensor with its bytes. */
export function plainTensor(bytes: Uint8Array): Uint8Array {
  return concatBytes(field(1, bytes.length), field(2, 2), field(8, 'w'), field(9, bytes));
}

export function lfsPointer(size: number): string {
  return `version https://git-lfs.github.com/spec/v1\noid sha256:${'0123456789abcdef'.repeat(4)}\nsize ${size}\n`;
}
