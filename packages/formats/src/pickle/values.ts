/** A class or function that the pickle imports; `?` stands for a name that is computed during loading. */
export interface PickledGlobal {
  readonly kind: 'global';
  readonly module: string;
  readonly name: string;
}

/** Bytes in the pickle, by their place in the file. */
export interface PickledBytes {
  readonly kind: 'bytes';
  readonly offset: number;
  readonly length: number;
}

export interface PickledTuple {
  readonly kind: 'tuple';
  readonly items: readonly PickledValue[];
}

/** A list or a set. */
export interface PickledList {
  readonly kind: 'list';
  readonly items: PickledValue[];
}

/** Numbers as keys are kept as text, and entries with other keys are left out. */
export interface PickledDict {
  readonly kind: 'dict';
  /** Whether the pickle has keys that are no text. */
  hasOtherKeys?: true | undefined;
  /** Missing while the dict is empty, like the one that comes with each tensor. */
  entries?: Map<string, PickledValue> | undefined;
}

/** The result of a call, if anything were called. */
export interface PickledCall {
  readonly kind: 'call';
  readonly callee: PickledValue;
  readonly args: PickledValue;
  /** What BUILD passes to the object. */
  state?: PickledValue | undefined;
  /** What SETITEMS puts into the object. */
  entries?: Map<string, PickledValue> | undefined;
  hasOtherKeys?: true | undefined;
}

/** What the loader looks up itself: torch's storages. */
export interface PickledReference {
  readonly kind: 'reference';
  readonly id: PickledValue;
}

/** A value that nothing more is known about. */
export interface OpaqueValue {
  readonly kind: 'opaque';
}

/** What a pickle holds, as far as one can tell without running anything. */
export type PickledValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | PickledGlobal
  | PickledBytes
  | PickledTuple
  | PickledList
  | PickledDict
  | PickledCall
  | PickledReference
  | OpaqueValue;

export const OPAQUE: OpaqueValue = { kind: 'opaque' };

type Kinds = Exclude<PickledValue, null | boolean | number | bigint | string>;

/** Whether a value is of this kind; false for plain texts and numbers. */
export function isKind<K extends Kinds['kind']>(
  value: PickledValue | undefined,
  kind: K,
): value is Extract<Kinds, { kind: K }> {
  return typeof value === 'object' && value !== null && value.kind === kind;
}

const NO_ENTRIES: ReadonlyMap<string, PickledValue> = new Map();

/** The items of a tuple or list; undefined for anything else. */
export function itemsOf(value: PickledValue | undefined): readonly PickledValue[] | undefined {
  return isKind(value, 'tuple') || isKind(value, 'list') ? value.items : undefined;
}

/** The entries of a dict or of an object that is used like one (OrderedDict, a config); undefined for anything else. */
export function entriesOf(value: PickledValue | undefined): ReadonlyMap<string, PickledValue> | undefined {
  if (isKind(value, 'dict')) return value.entries ?? NO_ENTRIES;
  if (!isKind(value, 'call')) return undefined;
  return value.entries ?? entriesOf(value.state);
}

/** `module.name` of what a value calls; undefined when the value is not a call of an import. */
export function calleeName(value: PickledValue | undefined): string | undefined {
  return isKind(value, 'call') && isKind(value.callee, 'global')
    ? `${value.callee.module}.${value.callee.name}`
    : undefined;
}
