import { unlessBroken } from '../bytes/structure-error.ts';
import type { ByteReader, FileFormat, FileTensor, ReadOptions } from '../types.ts';
import { readTorchFile } from './torch-file.ts';
import { listTorchTensors, type NamedTorchTensor, spannedItems } from './torch-tensors.ts';
import { torchZipParts } from './torch-zip.ts';

/** What torch.save writes since torch 1.6, and every other zip archive, such as .npz: its entries are parts too. */
export const torchZip: FileFormat = { name: 'torch-zip', parts: torchZipParts, tensors: torchTensors };

/** What torch.save wrote before. Only a walk through its pickles tells it. */
export const torchLegacy: FileFormat = { name: 'torch-legacy', tensors: torchTensors };

async function torchTensors(reader: ByteReader, options: ReadOptions): Promise<FileTensor[] | undefined> {
  const file = await readTorchFile(reader, options);
  if (file === undefined) return undefined;
  const tensors: FileTensor[] = [];
  for (const tensor of listTorchTensors(file.value)) {
    const { storage, offset, shape, name } = tensor;
    const place = await unlessBroken(file.storage(storage.key));
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
