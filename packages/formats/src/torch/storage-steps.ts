import type { OpcodeName } from '../pickle/opcodes.ts';

type Does =
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

/** What an opcode does to the walk of `pickledTensorNames`. */
export interface StorageStep {
  readonly does: Does;
  /** How many values it takes from the stack. */
  readonly pops: number | 'to-mark';
}

const step = (does: Does, pops: StorageStep['pops'] = 0): StorageStep => ({ does, pops });

/**
 * The opcodes that torch.save writes with protocols 2 to 5. The walk ends at any other one. With one more opcode here, the
 * same file would be cut into other chunks, so that the table changes only together with `CHUNKER`.
 */
export const STORAGE_STEPS: Readonly<Partial<Record<OpcodeName, StorageStep>>> = {
  PROTO: step('nothing'),
  FRAME: step('nothing'),
  STOP: step('stop'),
  MARK: step('mark'),
  BINUNICODE: step('text'),
  BINSTRING: step('text'),
  SHORT_BINSTRING: step('text'),
  BINPUT: step('put'),
  MEMOIZE: step('memoize'),
  BINGET: step('get'),
  BINBYTES: step('value'),
  BININT: step('value'),
  BININT1: step('value'),
  BININT2: step('value'),
  LONG1: step('value'),
  LONG4: step('value'),
  BINFLOAT: step('value'),
  NONE: step('value'),
  NEWTRUE: step('value'),
  NEWFALSE: step('value'),
  EMPTY_DICT: step('value'),
  EMPTY_LIST: step('value'),
  EMPTY_SET: step('value'),
  GLOBAL: step('value'),
  STACK_GLOBAL: step('value', 2),
  EMPTY_TUPLE: step('tuple'),
  TUPLE1: step('tuple', 1),
  TUPLE2: step('tuple', 2),
  TUPLE3: step('tuple', 3),
  TUPLE: step('tuple', 'to-mark'),
  BINPERSID: step('storage'),
  REDUCE: step('call'),
  NEWOBJ: step('call'),
  NEWOBJ_EX: step('value', 3),
  SETITEM: step('set-items', 2),
  SETITEMS: step('set-items', 'to-mark'),
  LIST: step('value', 'to-mark'),
  DICT: step('value', 'to-mark'),
  FROZENSET: step('value', 'to-mark'),
  BUILD: step('drop', 1),
  APPEND: step('drop', 1),
  POP: step('drop', 1),
  APPENDS: step('drop', 'to-mark'),
  ADDITEMS: step('drop', 'to-mark'),
  POP_MARK: step('drop', 'to-mark'),
  DUP: step('duplicate'),
};
