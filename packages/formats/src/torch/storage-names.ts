import { type ArgumentForm, PICKLE_OPCODES } from '../pickle/opcodes.ts';
import { STORAGE_STEPS, type StorageStep } from './storage-steps.ts';

/** A storage's key, as torch's persistent ids hold it: `('storage', class, key, device, elements)`. */
interface Storage {
  readonly key: string;
}
/** What the walk knows about a value: it keeps texts, tuples and storages; all else is `undefined`. */
type Value = string | Storage | readonly Value[] | undefined;

interface Walk {
  readonly stack: Value[];
  readonly marks: number[];
  readonly memo: Map<number, Value>;
  readonly names: Map<string, string>;
}

/** Opcodes of one pickle. Each takes at least one byte, so this limits time only. */
const MAX_OPCODES = 2_000_000;
/** Values on the stack: a state dict of 100,000 tensors puts two there for each. */
const MAX_STACK = 1_000_000;

/**
 * The names that a torch pickle gives to storages: the key under which a tensor stands in its dict
 * (`model.encoder.0.weight`), by the storage's key. The pickle is only walked: nothing is built or called. An unknown
 * opcode ends the walk, and the answer is what was found up to there.
 * Source: CPython Lib/pickletools.py (opcodes), PyTorch torch/serialization.py (persistent ids).
 */
export function pickledTensorNames(pickle: Uint8Array): Map<string, string> {
  const view = new DataView(pickle.buffer, pickle.byteOffset, pickle.byteLength);
  const walk: Walk = { stack: [], marks: [], memo: new Map(), names: new Map() };
  let at = 0;
  for (let step = 0; step < MAX_OPCODES && at < pickle.length; step++) {
    const opcode = PICKLE_OPCODES.get(view.getUint8(at));
    const todo = opcode && STORAGE_STEPS[opcode.name];
    const argument = todo && argumentOf(opcode.form, pickle, view, at + 1);
    if (todo === undefined || argument === undefined || !apply(walk, todo, argument)) break;
    at = argument.end;
  }
  return walk.names;
}

interface Argument {
  readonly number: number;
  readonly bytes: Uint8Array;
  readonly end: number;
}

const NO_BYTES = new Uint8Array(0);

/** What follows an opcode's byte; undefined when the pickle ends before it does. */
function argumentOf(form: ArgumentForm, pickle: Uint8Array, view: DataView, at: number): Argument | undefined {
  if (form.kind === 'lines') {
    const end = afterLines(pickle, at, form.lines);
    return end === undefined ? undefined : { number: 0, bytes: NO_BYTES, end };
  }
  const width = form.kind === 'double' ? 8 : form.bytes;
  const start = at + width;
  if (start > pickle.length) return undefined;
  const number = readNumber(view, at, width);
  const end = start + (form.kind === 'sized' ? number : 0);
  return end > pickle.length ? undefined : { number, bytes: pickle.subarray(start, end), end };
}

function afterLines(pickle: Uint8Array, at: number, lines: number): number | undefined {
  let end = at;
  for (let line = 0; line < lines; line++) {
    const newline = pickle.indexOf(0x0a, end);
    if (newline === -1) return undefined;
    end = newline + 1;
  }
  return end;
}

function readNumber(view: DataView, at: number, width: number): number {
  if (width === 1) return view.getUint8(at);
  if (width === 2) return view.getUint16(at, true);
  if (width === 4) return view.getUint32(at, true);
  return width === 8 ? view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32 : 0;
}

/** Does what the opcode would do in a pickle machine; false ends the walk. */
function apply(walk: Walk, { does, pops }: StorageStep, argument: Argument): boolean {
  const { stack, marks, memo } = walk;
  switch (does) {
    case 'nothing':
      break;
    case 'mark':
      marks.push(stack.length);
      break;
    case 'text':
      stack.push(new TextDecoder().decode(argument.bytes));
      break;
    case 'put':
      memo.set(argument.number, stack.at(-1));
      break;
    case 'memoize':
      memo.set(memo.size, stack.at(-1));
      break;
    case 'get':
      stack.push(memo.get(argument.number));
      break;
    case 'duplicate':
      stack.push(stack.at(-1));
      break;
    case 'storage':
      stack.push(toStorage(stack.pop()));
      break;
    case 'call':
      applyCall(stack);
      break;
    case 'tuple':
      stack.push(popItems(walk, pops));
      break;
    case 'set-items':
      nameItems(walk, popItems(walk, pops));
      break;
    case 'drop':
      popItems(walk, pops);
      break;
    case 'value':
      popItems(walk, pops);
      stack.push(undefined);
      break;
    case 'stop':
      return false;
  }
  return stack.length <= MAX_STACK && marks.length <= MAX_STACK;
}

/** The last `count` values, or those since the last mark. */
function popItems({ stack, marks }: Walk, count: number | 'to-mark'): Value[] {
  const start = count === 'to-mark' ? (marks.pop() ?? 0) : stack.length - count;
  return stack.splice(Math.max(0, Math.min(start, stack.length)));
}

function toStorage(id: Value): Value {
  if (!Array.isArray(id)) return undefined;
  const [kind, , key] = id as readonly Value[];
  return kind === 'storage' && typeof key === 'string' ? { key } : undefined;
}

/**
 * A call's result stands for the storage that is its first argument: `_rebuild_tensor_v2(storage, ...)` gives a tensor,
 * `_rebuild_parameter(tensor, ...)` the same tensor. Only the first argument is looked at, so a call costs the same
 * whatever its arguments are.
 */
function applyCall(stack: Value[]): void {
  const argumentList = stack.pop();
  stack.pop();
  const first = Array.isArray(argumentList) ? (argumentList as readonly Value[])[0] : undefined;
  stack.push(isCarrier(first) ? first : undefined);
}

function isCarrier(value: Value): value is Storage {
  return typeof value === 'object' && 'key' in value;
}

/** The first name of a storage wins: a state dict comes before later references to it. */
function nameItems({ names }: Walk, items: readonly Value[]): void {
  for (let i = 0; i + 1 < items.length; i += 2) {
    const name = items[i];
    const value = items[i + 1];
    if (typeof name === 'string' && value !== undefined && isCarrier(value) && !names.has(value.key)) {
      names.set(value.key, name);
    }
  }
}
