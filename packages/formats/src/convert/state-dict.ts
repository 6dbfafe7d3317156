import { StructureError } from '../bytes/structure-error.ts';
import { calleeName, isKind, type PickledDict, type PickledValue } from '../pickle/values.ts';
import { MODEL_KEYS, type NamedTorchTensor, tensorOf } from '../torch/torch-tensors.ts';

/** The tensors of a model by their names. */
export interface StateDict {
  readonly tensors: readonly NamedTorchTensor[];
  /** What the file holds besides, by its names. */
  readonly leftOut: readonly string[];
}

/** Names that a message lists. */
const MAX_NAMED = 4;

/**
 * The one dict of tensors that a file of torch.save holds: itself, or under the name that trainers give it beside the states of
 * the training. Nothing is guessed: whatever else could hold weights is refused by its name.
 * @throws StructureError
 */
export function findStateDict(value: PickledValue): StateDict {
  if (!isKind(value, 'dict')) throw new StructureError(`it holds ${describe(value)}, and no state dict`);
  if (hasTensors(value)) return readStateDict(value, []);
  const { entries = new Map<string, PickledValue>() } = value;
  const names = [...entries.keys()];
  const wrappers = MODEL_KEYS.filter((name) => hasTensors(entries.get(name)));
  const [wrapper] = wrappers;
  if (wrapper === undefined) {
    const unknown = [...entries].find(([, item]) => isKind(item, 'call'));
    throw unknown === undefined
      ? new StructureError(`none of what it holds is known as a state dict: ${listed(names)}`)
      : unknownValue(...unknown);
  }
  if (wrappers.length > 1) throw new StructureError(`it holds several state dicts: ${listed(wrappers)}`);
  return readStateDict(
    entries.get(wrapper) as PickledDict,
    names.filter((name) => name !== wrapper),
  );
}

function hasTensors(value: PickledValue | undefined): boolean {
  return isKind(value, 'dict') && [...(value.entries?.values() ?? [])].some((item) => tensorOf(item) !== undefined);
}

function readStateDict({ entries, hasOtherKeys }: PickledDict, others: readonly string[]): StateDict {
  if (hasOtherKeys) throw new StructureError('its state dict has names that are no text');
  const tensors: NamedTorchTensor[] = [];
  const leftOut = [...others];
  for (const [name, value] of entries ?? []) {
    const tensor = tensorOf(value);
    if (tensor !== undefined) tensors.push({ ...tensor, name });
    // Numbers and texts beside tensors are settings: no loader of a model takes them for weights.
    else if (typeof value !== 'object' || value === null) leftOut.push(name);
    else
      throw new StructureError(`its ${JSON.stringify(name)} is ${describe(value)}, and no tensor that is known here`);
  }
  return { tensors, leftOut };
}

function unknownValue(name: string, value: PickledValue): StructureError {
  return new StructureError(`its ${listed([name])} is ${describe(value)}, and no tensor that is known here`);
}

/** Names as a sentence has them. */
export function listed(names: readonly string[]): string {
  const shown = names.slice(0, MAX_NAMED).map((name) => JSON.stringify(name.slice(0, 128)));
  const more = names.length > MAX_NAMED ? ` and ${names.length - MAX_NAMED} more` : '';
  return names.length === 0 ? 'nothing' : `${shown.join(', ')}${more}`;
}

function describe(value: PickledValue): string {
  if (tensorOf(value) !== undefined) return 'a tensor without a name';
  const callee = calleeName(value);
  if (callee !== undefined) return `what ${callee.slice(0, 256)} makes`;
  if (isKind(value, 'list') || isKind(value, 'tuple')) return 'a list';
  if (isKind(value, 'dict')) return 'a dict';
  if (isKind(value, 'global')) return `${value.module}.${value.name}`.slice(0, 256);
  if (isKind(value, 'reference')) return 'a storage of a kind that is not known here';
  if (isKind(value, 'bytes')) return 'bytes';
  return typeof value === 'object' ? 'something' : 'a number or a text';
}
