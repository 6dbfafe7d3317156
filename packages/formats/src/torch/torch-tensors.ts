import { calleeName, entriesOf, isKind, itemsOf, type PickledValue } from '../pickle/values.ts';

/** Torch's types as safetensors calls them, and the bytes of one item. */
const STORAGE_TYPES: Readonly<Record<string, readonly [dtype: string, itemBytes: number]>> = {
  DoubleStorage: ['F64', 8],
  FloatStorage: ['F32', 4],
  HalfStorage: ['F16', 2],
  BFloat16Storage: ['BF16', 2],
  LongStorage: ['I64', 8],
  IntStorage: ['I32', 4],
  ShortStorage: ['I16', 2],
  CharStorage: ['I8', 1],
  ByteStorage: ['U8', 1],
  BoolStorage: ['BOOL', 1],
  ComplexFloatStorage: ['C64', 8],
  ComplexDoubleStorage: ['C128', 16],
  UntypedStorage: ['U8', 1],
};

/** Where trainers put the model's own tensors, beside those of the optimizer. */
const MODEL_KEYS = ['state_dict', 'model_state_dict', 'model', 'module', 'net', 'params'] as const;
const REBUILD = /^torch\._utils\._rebuild_tensor(?:_v2)?$/;
const REBUILD_PARAMETER = /^torch\._utils\._rebuild_parameter(?:_with_state)?$/;
/** Limits on the search through a value, which may refer to itself. */
const MAX_DEPTH = 32;
const MAX_TENSORS = 131_072;

export interface TorchStorage {
  readonly key: string;
  readonly dtype: string;
  readonly itemBytes: number;
}

/** A tensor as a view of a storage, in items. */
export interface TorchTensor {
  readonly storage: TorchStorage;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly stride: readonly number[];
}

export interface NamedTorchTensor extends TorchTensor {
  readonly name: string;
}

/** The storage that a persistent id `('storage', class, key, device, items)` names; undefined for any other value. */
export function storageOf(value: PickledValue): TorchStorage | undefined {
  const id = isKind(value, 'reference') ? itemsOf(value.id) : undefined;
  const [kind, type, key] = id ?? [];
  if (kind !== 'storage' || typeof key !== 'string' || !isKind(type, 'global')) return undefined;
  const known = Object.hasOwn(STORAGE_TYPES, type.name) ? STORAGE_TYPES[type.name] : undefined;
  return known && { key, dtype: known[0], itemBytes: known[1] };
}

/** The tensor that a value is rebuilt into; undefined for any other value. */
export function tensorOf(value: PickledValue | undefined): TorchTensor | undefined {
  const name = calleeName(value);
  const args = isKind(value, 'call') ? itemsOf(value.args) : undefined;
  if (name === undefined || args === undefined) return undefined;
  if (REBUILD_PARAMETER.test(name))
    return isKind(args[0], 'call') && args[0] !== value ? plainTensor(args[0]) : undefined;
  return plainTensor(value);
}

function plainTensor(value: PickledValue | undefined): TorchTensor | undefined {
  const args = REBUILD.test(calleeName(value) ?? '') && isKind(value, 'call') ? itemsOf(value.args) : undefined;
  const [reference, offset, size, strides] = args ?? [];
  const storage = reference === undefined ? undefined : storageOf(reference);
  const shape = countsOf(size);
  const stride = countsOf(strides);
  if (storage === undefined || !isCount(offset) || shape === undefined || stride?.length !== shape.length)
    return undefined;
  return { storage, offset, shape, stride };
}

/** The model's tensors under their modules' names, in the order in which they were saved. */
export function listTorchTensors(value: PickledValue): NamedTorchTensor[] {
  const top = entriesOf(value);
  for (const key of MODEL_KEYS) {
    const found = collect(top?.get(key) ?? null);
    if (found.length > 0) return found;
  }
  return collect(value);
}

function collect(root: PickledValue): NamedTorchTensor[] {
  const found: NamedTorchTensor[] = [];
  const seen = new Set<PickledValue>();
  const visit = (value: PickledValue, name: string, depth: number): void => {
    if (typeof value !== 'object' || value === null || depth > MAX_DEPTH || found.length >= MAX_TENSORS) return;
    const tensor = tensorOf(value);
    if (tensor !== undefined) {
      found.push({ ...tensor, name });
      return;
    }
    if (seen.has(value)) return;
    seen.add(value);
    const prefix = name === '' ? '' : `${name}.`;
    for (const [key, item] of entriesOf(value) ?? itemsOf(value)?.entries() ?? [])
      visit(item, `${prefix}${key}`, depth + 1);
  };
  visit(root, '', 0);
  return found;
}

/** The items of its storage from a tensor's first to its last. */
export function spannedItems({ shape, stride }: TorchTensor): number {
  if (shape.includes(0)) return 0;
  return shape.reduce((span, side, i) => span + (side - 1) * (stride[i] as number), 1);
}

function countsOf(value: PickledValue | undefined): number[] | undefined {
  // torch.Size is a subclass of tuple.
  const items =
    calleeName(value) === 'torch.Size' && isKind(value, 'call') ? itemsOf(itemsOf(value.args)?.[0]) : itemsOf(value);
  return items?.every(isCount) === true ? (items as number[]) : undefined;
}

function isCount(value: PickledValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
