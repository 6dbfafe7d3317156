import { type ByteReader, readGgufHeader, readSafetensorsHeader, StructureError } from '@model-rtc/formats';
import { ggufBytes, ggufTypeName } from './gguf-types.ts';
import { readTorchFile } from './torch-file.ts';
import { listTorchTensors, type NamedTorchTensor, spannedItems } from './torch-tensors.ts';

/** A tensor and where its bytes are in its file. */
export interface FileTensor {
  readonly name: string;
  /** As safetensors or GGUF call it, such as `BF16`. */
  readonly dtype: string;
  /** The outermost dimension first. */
  readonly shape: readonly number[];
  readonly start: number;
  readonly bytes: number;
  /** How its items lie in these bytes, where they do not lie in their order. */
  readonly layout: string;
}

/**
 * The tensors of a safetensors, GGUF or torch file; none for any other file, and for a broken one.
 * @throws what the reader and the signal throw.
 */
export async function listTensors(reader: ByteReader, signal?: AbortSignal): Promise<FileTensor[]> {
  for (const list of [ggufTensors, safetensorsTensors, torchTensors]) {
    try {
      const tensors = await list(reader, signal);
      if (tensors !== undefined) return tensors;
    } catch (error) {
      if (!(error instanceof StructureError)) throw error;
      return [];
    }
  }
  return [];
}

async function safetensorsTensors(reader: ByteReader): Promise<FileTensor[] | undefined> {
  const header = await readSafetensorsHeader(reader);
  return header?.tensors.map(({ name, dtype, shape, start, end }) => {
    return { name, dtype, shape, start, bytes: end - start, layout: '' };
  });
}

async function ggufTensors(reader: ByteReader): Promise<FileTensor[] | undefined> {
  const header = await readGgufHeader(reader);
  if (header === undefined) return undefined;
  const starts = [...header.tensors.map(({ start }) => start), reader.size].sort((a, b) => a - b);
  const endAfter = new Map(starts.map((start, i) => [start, starts[i + 1] ?? reader.size]));
  return header.tensors.map(({ name, type, shape, start }) => {
    const items = shape.reduce((count, side) => count * side, 1);
    // What lies between the end of a tensor and the next one is padding.
    const room = Math.max(0, (endAfter.get(start) ?? start) - start);
    const bytes = Math.min(ggufBytes(type, items) ?? room, room);
    return { name, dtype: ggufTypeName(type), shape: [...shape].reverse(), start, bytes, layout: '' };
  });
}

async function torchTensors(reader: ByteReader, signal?: AbortSignal): Promise<FileTensor[] | undefined> {
  const file = await readTorchFile(reader, signal);
  if (file === undefined) return undefined;
  const tensors: FileTensor[] = [];
  for (const tensor of listTorchTensors(file.value)) {
    const { storage, offset, shape, name } = tensor;
    const place = await file.storage(storage.key);
    const bytes = spannedItems(tensor) * storage.itemBytes;
    const start = offset * storage.itemBytes;
    if (place === undefined || !(start + bytes <= place.size)) continue;
    tensors.push({ name, dtype: storage.dtype, shape, start: place.start + start, bytes, layout: layoutOf(tensor) });
  }
  return tensors;
}

function layoutOf({ shape, stride }: NamedTorchTensor): string {
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    const side = shape[i] as number;
    if (side !== 1 && stride[i] !== step) return stride.join(',');
    step *= side;
  }
  return '';
}
