/**
 * What follows an opcode's byte: a number of this many bytes, a length of this many bytes and then the content, a
 * big-endian double, or lines of text.
 */
export type ArgumentForm =
  | { readonly kind: 'number'; readonly bytes: 0 | 1 | 2 | 4 | 8 }
  | { readonly kind: 'sized'; readonly bytes: 1 | 4 | 8 }
  | { readonly kind: 'double' }
  | { readonly kind: 'lines'; readonly lines: 1 | 2 };

const NONE: ArgumentForm = { kind: 'number', bytes: 0 };
const DOUBLE: ArgumentForm = { kind: 'double' };
const LINE: ArgumentForm = { kind: 'lines', lines: 1 };
const LINES: ArgumentForm = { kind: 'lines', lines: 2 };
const number = (bytes: 1 | 2 | 4 | 8): ArgumentForm => ({ kind: 'number', bytes });
const sized = (bytes: 1 | 4 | 8): ArgumentForm => ({ kind: 'sized', bytes });

/** Every opcode of the pickle protocols 0 to 5. Source: CPython Lib/pickletools.py. */
const OPCODES = [
  [0x80, 'PROTO', number(1)],
  [0x95, 'FRAME', number(8)],
  [0x2e, 'STOP', NONE],
  [0x28, 'MARK', NONE],
  [0x30, 'POP', NONE],
  [0x31, 'POP_MARK', NONE],
  [0x32, 'DUP', NONE],
  // Numbers and constants
  [0x49, 'INT', LINE],
  [0x4a, 'BININT', number(4)],
  [0x4b, 'BININT1', number(1)],
  [0x4d, 'BININT2', number(2)],
  [0x4c, 'LONG', LINE],
  [0x8a, 'LONG1', sized(1)],
  [0x8b, 'LONG4', sized(4)],
  [0x46, 'FLOAT', LINE],
  [0x47, 'BINFLOAT', DOUBLE],
  [0x4e, 'NONE', NONE],
  [0x88, 'NEWTRUE', NONE],
  [0x89, 'NEWFALSE', NONE],
  // Texts and bytes
  [0x53, 'STRING', LINE],
  [0x54, 'BINSTRING', sized(4)],
  [0x55, 'SHORT_BINSTRING', sized(1)],
  [0x56, 'UNICODE', LINE],
  [0x58, 'BINUNICODE', sized(4)],
  [0x8c, 'BINUNICODE', sized(1)],
  [0x8d, 'BINUNICODE', sized(8)],
  [0x42, 'BINBYTES', sized(4)],
  [0x43, 'BINBYTES', sized(1)],
  [0x8e, 'BINBYTES', sized(8)],
  [0x96, 'BINBYTES', sized(8)],
  [0x97, 'NEXT_BUFFER', NONE],
  [0x98, 'READONLY_BUFFER', NONE],
  // Containers
  [0x29, 'EMPTY_TUPLE', NONE],
  [0x85, 'TUPLE1', NONE],
  [0x86, 'TUPLE2', NONE],
  [0x87, 'TUPLE3', NONE],
  [0x74, 'TUPLE', NONE],
  [0x5d, 'EMPTY_LIST', NONE],
  [0x6c, 'LIST', NONE],
  [0x61, 'APPEND', NONE],
  [0x65, 'APPENDS', NONE],
  [0x7d, 'EMPTY_DICT', NONE],
  [0x64, 'DICT', NONE],
  [0x73, 'SETITEM', NONE],
  [0x75, 'SETITEMS', NONE],
  [0x8f, 'EMPTY_SET', NONE],
  [0x90, 'ADDITEMS', NONE],
  [0x91, 'FROZENSET', NONE],
  // The memo
  [0x70, 'PUT', LINE],
  [0x71, 'BINPUT', number(1)],
  [0x72, 'BINPUT', number(4)],
  [0x94, 'MEMOIZE', NONE],
  [0x67, 'GET', LINE],
  [0x68, 'BINGET', number(1)],
  [0x6a, 'BINGET', number(4)],
  // Imports and calls
  [0x63, 'GLOBAL', LINES],
  [0x93, 'STACK_GLOBAL', NONE],
  [0x82, 'EXT', number(1)],
  [0x83, 'EXT', number(2)],
  [0x84, 'EXT', number(4)],
  [0x52, 'REDUCE', NONE],
  [0x62, 'BUILD', NONE],
  [0x69, 'INST', LINES],
  [0x6f, 'OBJ', NONE],
  [0x81, 'NEWOBJ', NONE],
  [0x92, 'NEWOBJ_EX', NONE],
  [0x50, 'PERSID', LINE],
  [0x51, 'BINPERSID', NONE],
] as const satisfies readonly (readonly [number, string, ArgumentForm])[];

export type OpcodeName = (typeof OPCODES)[number][1];

export interface Opcode {
  readonly name: OpcodeName;
  readonly form: ArgumentForm;
}

/** By the byte that stands for each. */
export const PICKLE_OPCODES: ReadonlyMap<number, Opcode> = new Map(
  OPCODES.map(([byte, name, form]) => [byte, { name, form }]),
);
