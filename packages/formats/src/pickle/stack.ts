import { StructureError } from '../bytes/structure-error.ts';
import { MAX_PICKLE_HELD_CHARS } from '../limits.ts';
import { OPAQUE, type PickledValue } from './values.ts';

/** Values on the stack and in the memo: a state dict of 100,000 tensors has some millions of opcodes and fewer of these. */
const MAX_STACK = 1_000_000;
const MAX_MEMO = 1_000_000;

/** More than this reader can hold; the pickle may be valid. */
export class TooLargeError extends Error {
  override readonly name = 'TooLargeError';
}

/** What a long integer is counted as: the longest that is kept has as many bytes. */
const LONG_CHARS = 256;

/**
 * The stack, marks and memo of a pickle machine, with the same errors as Python's. What texts and long integers take in memory is
 * bounded as well as their number.
 */
export class PickleStack {
  readonly #values: PickledValue[] = [];
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, PickledValue>();
  #heldChars = 0;

  push(value: PickledValue): void {
    if (this.#values.length >= MAX_STACK) throw new TooLargeError('it holds too many values');
    this.#hold(value);
    this.#values.push(value);
  }

  pop(): PickledValue {
    if (this.#values.length <= this.#fence) throw new StructureError('its stack is empty');
    const value = this.#values.pop() as PickledValue;
    this.#heldChars -= charsOf(value);
    return value;
  }

  /** The top value, which stays. */
  get top(): PickledValue {
    const top = this.#values.at(-1);
    if (top === undefined) throw new StructureError('its stack is empty');
    return top;
  }

  mark(): void {
    if (this.#marks.length >= MAX_STACK) throw new TooLargeError('it holds too many values');
    this.#marks.push(this.#values.length);
  }

  /** Removes the last mark and the values above it, and returns the values. */
  popToMark(): PickledValue[] {
    const start = this.#marks.pop();
    if (start === undefined) throw new StructureError('a mark is missing');
    return this.#take(start);
  }

  /** Removes and returns the last `count` values, in order. */
  popItems(count: number): PickledValue[] {
    if (this.#values.length - count < this.#fence) throw new StructureError('its stack is empty');
    return this.#take(this.#values.length - count);
  }

  /** Drops the top value, or the mark on top of it. */
  drop(): void {
    if (this.#marks.length > 0 && this.#fence === this.#values.length) this.#marks.pop();
    else this.pop();
  }

  remember(key: number | undefined, value: PickledValue): void {
    if (this.#memo.size >= MAX_MEMO) throw new TooLargeError('it remembers too many values');
    const place = key ?? this.#memo.size;
    this.#heldChars -= charsOf(this.#memo.get(place));
    this.#hold(value);
    this.#memo.set(place, value);
  }

  recall(key: number): PickledValue {
    const value = this.#memo.get(key);
    if (value === undefined) throw new StructureError('it uses a value that it does not have');
    return value;
  }

  /** Nothing below this index can be popped. */
  get #fence(): number {
    return this.#marks.at(-1) ?? 0;
  }

  #take(start: number): PickledValue[] {
    const values = this.#values.splice(start);
    for (const value of values) this.#heldChars -= charsOf(value);
    return values;
  }

  #hold(value: PickledValue): void {
    this.#heldChars += charsOf(value);
    if (this.#heldChars > MAX_PICKLE_HELD_CHARS) throw new TooLargeError('it holds too much text');
  }

  /** Stands for a value that is not kept. */
  pushOpaque(): void {
    this.push(OPAQUE);
  }
}

function charsOf(value: PickledValue | undefined): number {
  if (typeof value === 'string') return value.length;
  return typeof value === 'bigint' ? LONG_CHARS : 0;
}
