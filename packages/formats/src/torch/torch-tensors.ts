import { calleeName, entriesOf, isKind, itemsOf, type PickledCall, type PickledValue } from '../pickle/values.ts';

/** How safetensors calls a type of torch's, and the bytes of one item. */
type ItemType = readonly [dtype: string, itemBytes: number];

const STORAGE_TYPES: Readonly<Record<string, ItemType>> = {
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
/** What a tensor says itself, whose storage has no type: the types that came with torch 2.1 and later. */
const TENSOR_TYPES: Readonly<Record<string, ItemType>> = {
  float64: ['F64', 8],
  float32: ['F32', 4],
  float16: ['F16', 2],
  bfloat16: ['BF16', 2],
  float8_e4m3fn: ['F8_E4M3', 1],
  float8_e4m3fnuz: ['F8_E4M3FNUZ', 1],
  float8_e5m2: ['F8_E5M2', 1],
  float8_e5m2fnuz: ['F8_E5M2FNUZ', 1],
  float8_e8m0fnu: ['F8_E8M0', 1],
  int64: ['I64', 8],
  int32: ['I32', 4],
  int16: ['I16', 2],
  int8: ['I8', 1],
  uint64: ['U64', 8],
  uint32: ['U32', 4],
  uint16: ['U16', 2],
  uint8: ['U8', 1],
  bool: ['BOOL', 1],
  complex64: ['C64', 8],
  complex128: ['C128', 16],
};

/** Where trainers put the model's own tensors, beside those of the optimizer. */
export const MODEL_KEYS = ['state_dict', 'model_state_dict', 'model', 'module', 'net', 'params'] as const;
const REBUILD = /^torch\._utils\._rebuild_tensor(?:_v2|_v3)?$/;
const REBUILD_PARAMETER = /^torch\._utils\._rebuild_parameter(?:_with_state)?$/;
const REBUILD_TYPED = /^torch\._tensor\._rebuild_from_type(?:_v2)?$/;
/** Types of tensors that differ in nothing that counts for their numbers. */
const PLAIN_TYPES = new Set(['torch.Tensor', 'torch.nn.parameter.Parameter', 'torch.nn.parameter.Buffer']);
/** Limits on the search through a value, which may refer to itself. */
const MAX_DEPTH = 32;
const MAX_TENSORS = 131_072;

export interface TorchStorage {
  readonly key: string;
  readonly dtype: string;
  readonly itemBytes: number;
  /** The part of a storage that old files name as a storage of its own, in items of the storage. */
  readonly view?: { readonly offset: number; readonly items: number } | undefined;
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
  const [kind, type, key, , , view] = id ?? [];
  if (kind !== 'storage' || typeof key !== 'string' || !isKind(type, 'global')) return undefined;
  const known = typeNamed(STORAGE_TYPES, type.name);
  if (known === undefined) return undefined;
  const [dtype, itemBytes] = known;
  if (view === undefined || view === null) return { key, dtype, itemBytes };
  // Before torch 0.4: the key of the view, its offset and its size.
  const [, offset, items] = itemsOf(view) ?? [];
  return isCount(offset) && isCount(items) ? { key, dtype, itemBytes, view: { offset, items } } : undefined;
}

function typeNamed(types: Readonly<Record<string, ItemType>>, name: string): ItemType | undefined {
  return Object.hasOwn(types, name) ? types[name] : undefined;
}

/** The tensor that a value is rebuilt into; undefined for any other value. */
export function tensorOf(value: PickledValue | undefined): TorchTensor | undefined {
  return isKind(value, 'call') ? rebuilt(value, true) : undefined;
}

function rebuilt(call: PickledCall, mayWrap: boolean): TorchTensor | undefined {
  const name = calleeName(call);
  const args = itemsOf(call.args);
  // A state would change the tensor; torch writes none.
  if (name === undefined || args === undefined || call.state !== undefined) return undefined;
  if (REBUILD.test(name)) return plainTensor(name, args);
  if (!mayWrap) return undefined;
  const [first, type, inner] = args;
  if (REBUILD_PARAMETER.test(name)) return isKind(first, 'call') ? rebuilt(first, false) : undefined;
  if (!REBUILD_TYPED.test(name) || !isKind(type, 'global') || !PLAIN_TYPES.has(`${type.module}.${type.name}`))
    return undefined;
  if (!isKind(first, 'global') || inner === undefined) return undefined;
  const made = { kind: 'call', callee: first, args: inner } as const;
  return REBUILD_TYPED.test(calleeName(made) ?? '') ? undefined : rebuilt(made, true);
}

/** Of `(storage, offset, size, stride, requires_grad, hooks)`; the third version goes on with the type, then both with metadata. */
function plainTensor(name: string, args: readonly PickledValue[]): TorchTensor | undefined {
  const [reference, offset, size, strides, , , ...rest] = args;
  const stored = reference === undefined ? undefined : storageOf(reference);
  const shape = countsOf(size);
  const stride = countsOf(strides);
  if (stored === undefined || !isCount(offset) || shape === undefined || stride?.length !== shape.length)
    return undefined;
  const type = name.endsWith('_v3') ? rest.shift() : undefined;
  // Says that the numbers are conjugated or negated, which is done when they are read.
  if ([...(entriesOf(rest[0])?.values() ?? [])].some((flag) => flag !== false)) return undefined;
  const storage = name.endsWith('_v3') ? typed(stored, type) : stored;
  return storage && { storage, offset, shape, stride };
}

function typed(storage: TorchStorage, type: PickledValue | undefined): TorchStorage | undefined {
  if (!isKind(type, 'global') || type.module !== 'torch' || storage.view !== undefined) return undefined;
  const known = typeNamed(TENSOR_TYPES, type.name);
  return known && { key: storage.key, dtype: known[0], itemBytes: known[1] };
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
