/** What an opcode does to the walk of `pickledTensorNames`; `pops` says how many values it takes from the stack. */
export interface PickleOpcode {
  readonly does:
    | 'nothing'
    | 'mark'
    | 'text'
    | 'put'
    | 'memoize'
    | 'get'
    | 'duplicate'
    | 'storage'
    | 'call'
    | 'tuple'
    | 'set-items'
    | 'drop'
    | 'value'
    | 'stop';
  readonly pops: number | 'to-mark';
  /** Bytes of the fixed part of its argument. */
  readonly width: number;
  /** Whether the fixed part is the length of bytes that follow. */
  readonly sized: boolean;
  /** Lines of text that are its argument instead. */
  readonly lines: number;
}

const plain = { pops: 0, width: 0, sized: false, lines: 0 } as const;

/** The opcodes that torch.save writes with protocols 2 to 5. Source: CPython Lib/pickletools.py. */
export const PICKLE_OPCODES: ReadonlyMap<number, PickleOpcode> = new Map<number, PickleOpcode>([
  // Frames: PROTO, FRAME, STOP, MARK
  [0x80, { ...plain, does: 'nothing', width: 1 }],
  [0x95, { ...plain, does: 'nothing', width: 8 }],
  [0x2e, { ...plain, does: 'stop' }],
  [0x28, { ...plain, does: 'mark' }],
  // Texts: BINUNICODE, SHORT_BINUNICODE, BINUNICODE8, BINSTRING, SHORT_BINSTRING
  [0x58, { ...plain, does: 'text', width: 4, sized: true }],
  [0x8c, { ...plain, does: 'text', width: 1, sized: true }],
  [0x8d, { ...plain, does: 'text', width: 8, sized: true }],
  [0x54, { ...plain, does: 'text', width: 4, sized: true }],
  [0x55, { ...plain, does: 'text', width: 1, sized: true }],
  // Memo: BINPUT, LONG_BINPUT, MEMOIZE, BINGET, LONG_BINGET
  [0x71, { ...plain, does: 'put', width: 1 }],
  [0x72, { ...plain, does: 'put', width: 4 }],
  [0x94, { ...plain, does: 'memoize' }],
  [0x68, { ...plain, does: 'get', width: 1 }],
  [0x6a, { ...plain, does: 'get', width: 4 }],
  // Bytes: BINBYTES, SHORT_BINBYTES, BINBYTES8, BYTEARRAY8
  [0x42, { ...plain, does: 'value', width: 4, sized: true }],
  [0x43, { ...plain, does: 'value', width: 1, sized: true }],
  [0x8e, { ...plain, does: 'value', width: 8, sized: true }],
  [0x96, { ...plain, does: 'value', width: 8, sized: true }],
  // Numbers: BININT, BININT1, BININT2, LONG1, LONG4, BINFLOAT
  [0x4a, { ...plain, does: 'value', width: 4 }],
  [0x4b, { ...plain, does: 'value', width: 1 }],
  [0x4d, { ...plain, does: 'value', width: 2 }],
  [0x8a, { ...plain, does: 'value', width: 1, sized: true }],
  [0x8b, { ...plain, does: 'value', width: 4, sized: true }],
  [0x47, { ...plain, does: 'value', width: 8 }],
  // Constants and empty containers: None, True, False, dict, list, set
  ...[0x4e, 0x88, 0x89, 0x7d, 0x5d, 0x8f].map((code): [number, PickleOpcode] => [code, { ...plain, does: 'value' }]),
  // Names of classes and functions: GLOBAL, STACK_GLOBAL
  [0x63, { ...plain, does: 'value', lines: 2 }],
  [0x93, { ...plain, does: 'value', pops: 2 }],
  // Tuples: (), 1, 2, 3 and since the mark
  [0x29, { ...plain, does: 'tuple' }],
  [0x85, { ...plain, does: 'tuple', pops: 1 }],
  [0x86, { ...plain, does: 'tuple', pops: 2 }],
  [0x87, { ...plain, does: 'tuple', pops: 3 }],
  [0x74, { ...plain, does: 'tuple', pops: 'to-mark' }],
  // BINPERSID; REDUCE, NEWOBJ
  [0x51, { ...plain, does: 'storage' }],
  [0x52, { ...plain, does: 'call' }],
  [0x81, { ...plain, does: 'call' }],
  [0x92, { ...plain, does: 'value', pops: 3 }],
  // SETITEM, SETITEMS; LIST, DICT, FROZENSET since the mark
  [0x73, { ...plain, does: 'set-items', pops: 2 }],
  [0x75, { ...plain, does: 'set-items', pops: 'to-mark' }],
  [0x6c, { ...plain, does: 'value', pops: 'to-mark' }],
  [0x64, { ...plain, does: 'value', pops: 'to-mark' }],
  [0x91, { ...plain, does: 'value', pops: 'to-mark' }],
  // BUILD, APPEND, POP take one value; APPENDS, ADDITEMS and POP_MARK those since the mark; DUP
  ...[0x62, 0x61, 0x30].map((code): [number, PickleOpcode] => [code, { ...plain, does: 'drop', pops: 1 }]),
  ...[0x65, 0x90, 0x31].map((code): [number, PickleOpcode] => [code, { ...plain, does: 'drop', pops: 'to-mark' }]),
  [0x32, { ...plain, does: 'duplicate' }],
]);
