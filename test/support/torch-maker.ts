import { zip } from './make-zip.ts';
import { raw, unicode } from './pickle-bytes.ts';

/** A tensor as a test wants it in a file of torch. */
export interface TensorToPickle {
  readonly name: string;
  /** `FloatStorage`, or `torch.float8_e4m3fn` for a tensor that says its type itself. */
  readonly type: string;
  readonly key: string;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly stride: readonly number[];
}

/** A number as torch.save writes it, of up to 8 bytes. */
export function number(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(BigInt(value));
  return raw('\x8a\x08', bytes);
}

function tuple(...items: readonly Buffer[]): Buffer {
  return raw('(', ...items, 't');
}

export function storage(type: string, key: string): Buffer {
  return raw(tuple(unicode('storage'), raw(`ctorch\n${type}\n`), unicode(key), unicode('cpu'), number(1)), 'Q');
}

export function tensor({ type, key, offset, shape, stride }: Omit<TensorToPickle, 'name'>): Buffer {
  const [, own] = /^torch\.(.+)$/.exec(type) ?? [];
  const args = [
    ...[storage(own === undefined ? type : 'UntypedStorage', key), number(offset)],
    ...[tuple(...shape.map(number)), tuple(...stride.map(number)), raw('\x89'), raw('ccollections\nOrderedDict\n)R')],
    ...(own === undefined ? [] : [raw(`ctorch\n${own}\n`)]),
  ];
  return raw(`ctorch._utils\n_rebuild_tensor_v${own === undefined ? 2 : 3}\n`, tuple(...args), 'R');
}

export function dict(entries: readonly (readonly [string, Buffer])[]): Buffer {
  return raw('}(', ...entries.flatMap(([name, value]) => [unicode(name), value]), 'u');
}

export function stateDict(tensors: readonly TensorToPickle[]): Buffer {
  return dict(tensors.map((one) => [one.name, tensor(one)] as const));
}

/** A file of torch's zip format with one pickled value. */
export function torchZip(
  value: Buffer,
  storages: Readonly<Record<string, Uint8Array>>,
  others: Readonly<Record<string, Buffer>> = {},
): Buffer {
  return zip({
    'archive/data.pkl': raw('\x80\x02', value, '.'),
    ...Object.fromEntries(Object.entries(others).map(([name, bytes]) => [`archive/${name}`, bytes])),
    ...Object.fromEntries(Object.entries(storages).map(([key, bytes]) => [`archive/data/${key}`, Buffer.from(bytes)])),
  });
}

/** A file of the format before torch 1.6. */
export function torchLegacy(
  value: Buffer,
  storages: Readonly<Record<string, readonly [items: number, Uint8Array]>>,
): Buffer {
  const pickle = (...parts: (string | Uint8Array)[]) => raw('\x80\x02', ...parts, '.');
  const items = Object.entries(storages).map(([, [count, bytes]]) => {
    const head = Buffer.alloc(8);
    head.writeBigUInt64LE(BigInt(count));
    return raw(head, bytes);
  });
  return raw(
    pickle(Buffer.from('8a0a6cfc9c46f9206aa85019', 'hex')),
    pickle('M\xe9\x03'),
    pickle('}'),
    pickle(value),
    pickle('](', ...Object.keys(storages).map(unicode), 'e'),
    ...items,
  );
}
