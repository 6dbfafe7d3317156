import { latin1Text } from '../bytes/latin1.ts';
import { StructureError } from '../bytes/structure-error.ts';
import { lineFloat, lineInteger, longInteger, quotedText, rawUnicodeText, utf8Text } from './literals.ts';
import type { OpcodeName } from './opcodes.ts';
import type { PickleStack } from './stack.ts';
import { isKind, itemsOf, OPAQUE, type PickledValue } from './values.ts';

/** What follows an opcode's byte. */
export interface Argument {
  readonly number: number;
  /** The bytes or the line; undefined when too long to keep. */
  readonly bytes: Uint8Array | undefined;
  readonly secondLine: Uint8Array | undefined;
  /** Where the bytes are in the file. */
  readonly offset: number;
  readonly length: number;
}

/** Makes a text of its bytes in the pickle, which opcodes do in different ways. */
export type DecodeText = (bytes: Uint8Array) => string;

export interface MachineState {
  readonly stack: PickleStack;
  /** Records an import and returns it as a value. */
  importName(module: PickledValue, name: PickledValue): PickledValue;
  /** Records bytes or a text, which may hold another pickle. */
  noteConstant(argument: Argument, decode: DecodeText | undefined): void;
  /** Whether more values may be kept; beyond the limit, and in a walk for names alone, they become opaque. */
  mayKeep(count: number): boolean;
  /** Whether a text of so many bytes may be kept; one that is not becomes opaque. */
  mayKeepText(length: number): boolean;
}

type Action = (machine: MachineState, argument: Argument) => void;

/** The overhead of a map, counted in list items. */
const MAP_WEIGHT = 4;
/** Python itself allows more, but no module or class has a name that long. */
export const MAX_IMPORT_NAME_BYTES = 1024;
/** Nobody uses longer integers as keys. */
const MAX_LONG_BYTES = 256;

/** What each opcode does to the machine. Those that end the walk or do nothing are missing. */
export const ACTIONS: Readonly<Partial<Record<OpcodeName, Action>>> = {
  MARK: ({ stack }) => stack.mark(),
  POP: ({ stack }) => stack.drop(),
  POP_MARK: ({ stack }) => void stack.popToMark(),
  DUP: ({ stack }) => stack.push(stack.top),
  ...numberActions(),
  ...textActions(),
  ...containerActions(),
  ...memoActions(),
  ...callActions(),
};

function numberActions(): Partial<Record<OpcodeName, Action>> {
  const plain: Action = ({ stack }, { number }) => stack.push(number);
  return {
    INT: ({ stack }, { bytes }) => stack.push(intLine(bytes)),
    BININT: ({ stack }, { number }) => stack.push(number | 0),
    BININT1: plain,
    BININT2: plain,
    LONG: ({ stack }, { bytes }) => stack.push((bytes && lineInteger(bytes)) ?? OPAQUE),
    LONG1: ({ stack }, { bytes }) => stack.push(long(bytes)),
    LONG4: ({ stack }, { bytes }) => stack.push(long(bytes)),
    FLOAT: ({ stack }, { bytes }) => stack.push(bytes === undefined ? OPAQUE : lineFloat(bytes)),
    BINFLOAT: plain,
    NONE: ({ stack }) => stack.push(null),
    NEWTRUE: ({ stack }) => stack.push(true),
    NEWFALSE: ({ stack }) => stack.push(false),
  };
}

/** Protocol 0 writes booleans as the numbers 00 and 01. */
function intLine(bytes: Uint8Array | undefined): PickledValue {
  const text = bytes === undefined ? '' : latin1Text(bytes);
  if (text === '00' || text === '01') return text === '01';
  return (bytes && lineInteger(bytes)) ?? OPAQUE;
}

function long(bytes: Uint8Array | undefined): PickledValue {
  return bytes === undefined || bytes.length > MAX_LONG_BYTES ? OPAQUE : longInteger(bytes);
}

function textActions(): Partial<Record<OpcodeName, Action>> {
  const text =
    (decode: DecodeText): Action =>
    (machine, argument) => {
      // A text too long to read is inspected as bytes.
      machine.noteConstant(argument, argument.bytes === undefined ? undefined : decode);
      const isKept = argument.bytes !== undefined && machine.mayKeepText(argument.length);
      machine.stack.push(isKept ? decode(argument.bytes) : OPAQUE);
    };
  return {
    STRING: text(quotedText),
    BINSTRING: text(latin1Text),
    SHORT_BINSTRING: text(latin1Text),
    UNICODE: text(rawUnicodeText),
    BINUNICODE: text(utf8Text),
    BINBYTES(machine, argument) {
      machine.noteConstant(argument, undefined);
      keep(machine, { kind: 'bytes', offset: argument.offset, length: argument.length });
    },
    NEXT_BUFFER: ({ stack }) => stack.pushOpaque(),
  };
}

/** Pushes a container, or an opaque value when too many are kept already. */
function keep(machine: MachineState, value: PickledValue): void {
  machine.stack.push(machine.mayKeep(isKind(value, 'tuple') || isKind(value, 'list') ? 2 : 1) ? value : OPAQUE);
}

function containerActions(): Partial<Record<OpcodeName, Action>> {
  const tuple =
    (count: number): Action =>
    (machine) =>
      keep(machine, { kind: 'tuple', items: machine.stack.popItems(count) });
  const emptyList: Action = (machine) => keep(machine, { kind: 'list', items: [] });
  const list: Action = (machine) => keep(machine, { kind: 'list', items: machine.stack.popToMark() });
  return {
    EMPTY_TUPLE: tuple(0),
    TUPLE1: tuple(1),
    TUPLE2: tuple(2),
    TUPLE3: tuple(3),
    TUPLE: (machine) => keep(machine, { kind: 'tuple', items: machine.stack.popToMark() }),
    EMPTY_LIST: emptyList,
    EMPTY_SET: emptyList,
    LIST: list,
    FROZENSET: list,
    APPEND: (machine) => append(machine, machine.stack.popItems(1)),
    APPENDS: (machine) => append(machine, machine.stack.popToMark()),
    ADDITEMS: (machine) => append(machine, machine.stack.popToMark()),
    EMPTY_DICT: (machine) => keep(machine, { kind: 'dict' }),
    DICT(machine) {
      const items = machine.stack.popToMark();
      keep(machine, { kind: 'dict' });
      setItems(machine, items);
    },
    SETITEM: (machine) => setItems(machine, machine.stack.popItems(2)),
    SETITEMS: (machine) => setItems(machine, machine.stack.popToMark()),
  };
}

function append(machine: MachineState, items: readonly PickledValue[]): void {
  const target = machine.stack.top;
  if (!isKind(target, 'list') || !machine.mayKeep(items.length)) return;
  for (const item of items) target.items.push(item);
}

function setItems(machine: MachineState, items: readonly PickledValue[]): void {
  const target = machine.stack.top;
  if (!isKind(target, 'dict') && !isKind(target, 'call')) return;
  if (!machine.mayKeep(items.length + (target.entries === undefined ? MAP_WEIGHT : 0))) return;
  target.entries ??= new Map();
  const { entries } = target;
  for (let i = 0; i + 1 < items.length; i += 2) {
    const key = items[i];
    if (typeof key !== 'string') target.hasOtherKeys = true;
    if (typeof key === 'string' || typeof key === 'number') entries.set(String(key), items[i + 1] as PickledValue);
  }
}

function memoActions(): Partial<Record<OpcodeName, Action>> {
  return {
    PUT: ({ stack }, { bytes }) => stack.remember(memoKey(bytes), stack.top),
    BINPUT: ({ stack }, { number }) => stack.remember(number, stack.top),
    MEMOIZE: ({ stack }) => stack.remember(undefined, stack.top),
    GET: ({ stack }, { bytes }) => stack.push(stack.recall(memoKey(bytes))),
    BINGET: ({ stack }, { number }) => stack.push(stack.recall(number)),
  };
}

function memoKey(line: Uint8Array | undefined): number {
  const key = line === undefined ? undefined : lineInteger(line);
  if (typeof key !== 'number' || key < 0) throw new StructureError('a memo key is no number');
  return key;
}

function callActions(): Partial<Record<OpcodeName, Action>> {
  const call: Action = (machine) => {
    const [callee, args] = machine.stack.popItems(2) as [PickledValue, PickledValue];
    keepCall(machine, callee, args);
  };
  return {
    GLOBAL: (machine, argument) => machine.stack.push(importLines(machine, argument)),
    STACK_GLOBAL(machine) {
      const [module, name] = machine.stack.popItems(2) as [PickledValue, PickledValue];
      machine.stack.push(machine.importName(module, name));
    },
    // Only the loading program knows what an extension code stands for.
    EXT: (machine) => machine.stack.push(machine.importName('copyreg', OPAQUE)),
    REDUCE: call,
    NEWOBJ: call,
    NEWOBJ_EX(machine) {
      const [callee, args] = machine.stack.popItems(3) as [PickledValue, PickledValue, PickledValue];
      keepCall(machine, callee, args);
    },
    INST(machine, argument) {
      const callee = importLines(machine, argument);
      keepCall(machine, callee, { kind: 'tuple', items: machine.stack.popToMark() });
    },
    OBJ(machine) {
      const [callee = OPAQUE, ...items] = machine.stack.popToMark();
      keepCall(machine, callee, { kind: 'tuple', items });
    },
    BUILD({ stack }) {
      const state = stack.pop();
      if (isKind(stack.top, 'call')) stack.top.state = state;
    },
    PERSID(machine, { bytes, length }) {
      const id = bytes !== undefined && machine.mayKeepText(length) ? latin1Text(bytes) : OPAQUE;
      keep(machine, { kind: 'reference', id });
    },
    BINPERSID(machine) {
      keep(machine, { kind: 'reference', id: machine.stack.pop() });
    },
  };
}

function importLines(machine: MachineState, { bytes, secondLine }: Argument): PickledValue {
  return machine.importName(nameOf(bytes), nameOf(secondLine));
}

/** A name that is too long for one stands for any name. */
function nameOf(line: Uint8Array | undefined): PickledValue {
  return line === undefined || line.length > MAX_IMPORT_NAME_BYTES ? OPAQUE : utf8Text(line);
}

/** A call of OrderedDict or defaultdict is a dict; any other call stays a call. */
function keepCall(machine: MachineState, callee: PickledValue, args: PickledValue): void {
  const isDict =
    isKind(callee, 'global') &&
    callee.module === 'collections' &&
    (callee.name === 'OrderedDict' || callee.name === 'defaultdict');
  keep(machine, isDict ? { kind: 'dict' } : { kind: 'call', callee, args });
  // Python 2 gives the entries to the call: a list of pairs.
  const pairs = isDict && callee.name === 'OrderedDict' ? (itemsOf(itemsOf(args)?.[0]) ?? []) : [];
  if (pairs.length > 0 && machine.mayKeep(pairs.length)) setItems(machine, pairs.flatMap(pairOf));
}

/** What is no pair has a key that nobody knows. */
function pairOf(value: PickledValue): readonly PickledValue[] {
  const pair = itemsOf(value);
  return pair?.length === 2 ? pair : [OPAQUE, OPAQUE];
}
