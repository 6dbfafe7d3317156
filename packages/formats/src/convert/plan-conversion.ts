import { OverBudgetError } from '../bytes/read-budget.ts';
import { StructureError } from '../bytes/structure-error.ts';
import { MAX_NAME_BYTES } from '../limits.ts';
import { inFileOrder, isSafetensorsType, safetensorsHeader } from '../safetensors/write-header.ts';
import { openTorchFile, referencesIn, type TorchFile } from '../torch/torch-file.ts';
import { type NamedTorchTensor, spannedItems } from '../torch/torch-tensors.ts';
import { torchProgramKind } from '../torch/torchscript.ts';
import type { ByteReader } from '../types.ts';
import { settleShared } from './shared-tensors.ts';
import { findStateDict, listed } from './state-dict.ts';
import type { Conversion, ConvertOptions, TensorCopy } from './types.ts';

/** Views of one storage take more room apart than together; more than this is no model. */
const MAX_GROWTH = 2;
const FREE_GROWTH_BYTES = 64 * 1024 * 1024;
/** The two halves of a complex number are swapped one by one. */
const PARTS_OF_COMPLEX = 2;

/**
 * Plans how a file of torch.save becomes a safetensors file; the pickle is walked, and nothing in it is run.
 * @returns undefined for a file of anything else, and for one that holds no tensors
 * @throws StructureError when it holds something that is not known to be plain tensors, with what that is; OverBudgetError; what
 *   the reader and the signal throw
 */
export async function planConversion(reader: ByteReader, options: ConvertOptions): Promise<Conversion | undefined> {
  const file = await openTorchFile(reader, options);
  if (file === undefined || referencesIn(file.value).next().done === true) return undefined;
  if ((await torchProgramKind(reader)) !== undefined)
    throw new StructureError('it is a program of torch.jit or torch.export');
  if (!file.keepsAll) throw new StructureError('it holds more values than can be kept');
  const { tensors, leftOut } = findStateDict(file.value);
  const copies: TensorCopy[] = [];
  for (const tensor of tensors) copies.push(await placeTensor(file, tensor));
  const { kept, dropped, warnings } = settleShared(copies, options.tiesWeights === true);
  const ordered = inFileOrder(kept);
  // As the safetensors library's converter notes it.
  const header = safetensorsHeader(ordered, { ...Object.fromEntries(dropped), format: 'pt' });
  const size = ordered.reduce((sum, { bytes }) => sum + bytes, header.length);
  if (!(size <= MAX_GROWTH * reader.size + FREE_GROWTH_BYTES)) {
    throw new StructureError(`its tensors share so much that they would take ${size} bytes apart`);
  }
  const besides = leftOut.length === 0 ? [] : [`${listed(leftOut)} of the original is no tensor and left out.`];
  return { header, tensors: ordered, size, dropped: [...dropped.keys()], warnings: [...besides, ...warnings] };
}

/** Why a file cannot be converted, as the end of a sentence; undefined for any other failure. */
export function whyNotConverted(thrown: unknown): string | undefined {
  return thrown instanceof StructureError || thrown instanceof OverBudgetError ? thrown.message : undefined;
}

async function placeTensor(file: TorchFile, tensor: NamedTorchTensor): Promise<TensorCopy> {
  const { name, storage, offset, shape, stride } = tensor;
  const { dtype, itemBytes, view } = storage;
  const quoted = JSON.stringify(name.slice(0, 128));
  if (new TextEncoder().encode(name).length > MAX_NAME_BYTES) throw new StructureError('a name is too long');
  if (!isSafetensorsType(dtype))
    throw new StructureError(`its ${quoted} is of the type ${dtype}, which safetensors lacks`);
  const place = await file.storage(storage.key);
  const bytes = shape.reduce((product, side) => product * side, itemBytes);
  const span = spannedItems(tensor) * itemBytes;
  const first = (offset + (view?.offset ?? 0)) * itemBytes;
  const end = view === undefined ? place.size : Math.min(place.size, (view.offset + view.items) * itemBytes);
  // Products of huge sides are no exact numbers, and compare as such.
  if ((span > 0 && !(first + span <= end)) || !Number.isSafeInteger(bytes)) {
    throw new StructureError(`its ${quoted} goes on behind the end of its storage`);
  }
  const isSwapped = file.byteOrder === 'big' && itemBytes > 1;
  const numberBytes = dtype === 'C64' ? itemBytes / PARTS_OF_COMPLEX : itemBytes;
  const swappedBytes = isSwapped ? numberBytes : undefined;
  return { name, dtype, shape, stride, itemBytes, start: place.start + first, bytes, swappedBytes };
}
