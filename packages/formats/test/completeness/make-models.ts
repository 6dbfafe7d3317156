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

/** A specification of Core ML: its version, its description, and the model. */
export function makeMlmodel(): Uint8Array {
  return concatBytes(field(1, 7), field(2, field(1, 'image')), field(502, new Uint8Array(300)));
}

/** A tensor with its bytes. */
export function plainTensor(bytes: Uint8Array): Uint8Array {
  return concatBytes(field(1, bytes.length), field(2, 2), field(8, 'w'), field(9, bytes));
}

export function lfsPointer(size: number): string {
  return `version https://git-lfs.github.com/spec/v1\noid sha256:${'0123456789abcdef'.repeat(4)}\nsize ${size}\n`;
}

/** A pickle that Python writes for these opcodes, each given as text whose characters are bytes. */
function pickled(...parts: readonly (string | Uint8Array)[]): Uint8Array {
  return concatBytes(...parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)));
}

const text = (value: string) => pickled('X', u32(value.length), value);
const int = (value: number) => pickled('J', u32(value));

/** What torch.save wrote before torch 1.6: a dict of tensors of 32-bit floats, by their number of items. */
export function makeLegacyTorch(tensors: Readonly<Record<string, number>>): Uint8Array {
  const names = Object.entries(tensors);
  const tensor = (items: number, key: number) =>
    pickled(
      ...[
        'ctorch._utils\n_rebuild_tensor_v2\n((',
        text('storage'),
        'ctorch\nFloatStorage\n',
        text(`k${key}`),
        text('cpu'),
      ],
      ...[int(items), 'NtQ', int(0), int(items), '\x85', int(1), '\x85', '\x89}tR'],
    );
  const value = names.map(([name, items], key) => pickled(text(name), tensor(items, key), 's'));
  return pickled(
    ...['\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.', '\x80\x02M\xe9\x03.', '\x80\x02}.', '\x80\x02}', ...value, '.'],
    ...['\x80\x02](', ...names.map((_, key) => text(`k${key}`)), 'e.'],
    ...names.map(([, items]) => concatBytes(u64(items), new Uint8Array(4 * items).fill(7))),
  );
}

/** The `.metadata` of torch.distributed.checkpoint: where each tensor is, as `[file, offset, length]`. */
export function makeDcpMetadata(...places: readonly (readonly [string, number, number])[]): Uint8Array {
  const info = ([name, offset, length]: readonly [string, number, number]) =>
    pickled(
      ...['ctorch.distributed.checkpoint.filesystem\n_StorageInfo\n)\x81}('],
      ...[text('relative_path'), text(name), text('offset'), int(offset), text('length'), int(length), 'ub'],
    );
  return pickled('\x80\x02](', ...places.map(info), 'e.');
}

/** The index of a TensorFlow checkpoint: where each tensor is, as `[name, shard, offset, size]`, in one block. */
export function makeTensorflowIndex(
  shards: number,
  ...tensors: readonly (readonly [string, number, number, number])[]
): Uint8Array {
  const row = (key: string, value: Uint8Array) =>
    concatBytes(varint(0), varint(key.length), varint(value.length), utf8ToBytes(key), value);
  const rows = [
    row('', field(1, shards)),
    ...tensors.map(([name, shard, offset, size]) =>
      row(name, concatBytes(field(1, 1), field(3, shard), field(4, offset), field(5, size))),
    ),
  ];
  const restart = concatBytes(u32(0), u32(1));
  const pieces: Uint8Array[] = [];
  let at = 0;
  const place = (content: Uint8Array): Uint8Array => {
    const handle = concatBytes(varint(at), varint(content.length));
    const piece = concatBytes(content, new Uint8Array(5));
    pieces.push(piece);
    at += piece.length;
    return handle;
  };
  const data = place(concatBytes(...rows, restart));
  const meta = place(restart);
  const listing = place(concatBytes(row('z', data), restart));
  const handles = concatBytes(meta, listing);
  const footer = concatBytes(handles, new Uint8Array(40 - handles.length), u64(0xdb4775248b80fb57n));
  return concatBytes(...pieces, footer);
}
