import { StructureError } from '../bytes/structure-error.ts';
import { MAX_SAFETENSORS_HEADER_BYTES, MAX_STRUCTURE_ENTRIES } from '../limits.ts';
import { SAFETENSORS_LENGTH_BYTES } from './safetensors.ts';

/** A tensor that is about to be written. */
export interface TensorToWrite {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: number;
}

/** In the order of their alignment, as the safetensors library has them; other types are not written. */
const DTYPES = [
  'BOOL',
  'U8',
  'I8',
  'F8_E5M2',
  'F8_E4M3',
  'F8_E8M0',
  'F8_E4M3FNUZ',
  'F8_E5M2FNUZ',
  'I16',
  'U16',
  'F16',
  'BF16',
  'I32',
  'U32',
  'F32',
  'C64',
  'F64',
  'I64',
  'U64',
];

export function isSafetensorsType(dtype: string): boolean {
  return DTYPES.includes(dtype);
}

/**
 * Tensors in the order in which the safetensors library writes them: the same tensors give the same file here and there.
 * Source: safetensors/src/tensor.rs, `prepare`.
 */
export function inFileOrder<T extends TensorToWrite>(tensors: readonly T[]): T[] {
  const encoder = new TextEncoder();
  return tensors
    .map((tensor) => ({ tensor, rank: DTYPES.indexOf(tensor.dtype), name: encoder.encode(tensor.name) }))
    .sort((a, b) => b.rank - a.rank || compareBytes(a.name, b.name))
    .map(({ tensor }) => tensor);
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < a.length && i < b.length; i++) {
    if (a[i] !== b[i]) return (a[i] as number) - (b[i] as number);
  }
  return a.length - b.length;
}

/**
 * The first bytes of a safetensors file, up to its first tensor.
 * @param tensors in the order of the file, which has their bytes one after the other
 * @throws StructureError when they are more than readers of such files take, or one has the name of the metadata
 */
export function safetensorsHeader(
  tensors: readonly TensorToWrite[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  if (tensors.length > MAX_STRUCTURE_ENTRIES) throw new StructureError('it holds too many tensors');
  let offset = 0;
  const entries = tensors.map(({ name, dtype, shape, bytes }): [string, unknown] => {
    if (name === '__metadata__') throw new StructureError('a tensor is called "__metadata__"');
    offset += bytes;
    return [name, { dtype, shape, data_offsets: [offset - bytes, offset] }];
  });
  // An object would put names that are numbers first.
  const members = [['__metadata__', metadata] as const, ...entries].map(
    ([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`,
  );
  const json = new TextEncoder().encode(`{${members.join(',')}}`);
  const padded = Math.ceil(json.length / 8) * 8;
  if (padded > MAX_SAFETENSORS_HEADER_BYTES) throw new StructureError('it holds too many tensors');
  const header = new Uint8Array(SAFETENSORS_LENGTH_BYTES + padded).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(padded), true);
  header.set(json, SAFETENSORS_LENGTH_BYTES);
  return header;
}
