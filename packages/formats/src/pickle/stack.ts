import { StructureError } from '../bytes/structure-error.ts';
import { OPAQUE, type PickledValue } from './values.ts';

/** Values on the stack and in the memo: a state dict of 100,000 tensors has some millions of opcodes and fewer of these. */
const MAX_STACK = 1_000_000;
const MAX_MEMO = 1_000_000;

/** More than this reader can hold; the pickle may be valid. */
export class TooLargeError extends Error {
  override readonly name = 'TooLargeError';
}

/** The stack, marks and memo of a pickle machine, with the same errors as Python's. */
export class PickleStack {
  readonly #values: PickledValue[] = [];
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, PickledValue>();

  push(value: PickledValue): void {
    if (this.#values.length >= MAX_STACK) throw new TooLargeError('it holds too many values');
    this.#values.push(value);
  }

  pop(): PickledValue {
    if (this.#values.length <= this.#fence) throw new StructureError('its stack is empty');
    return this.#values.pop() as PickledValue;
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
    return this.#values.splice(start);
  }

  /** Removes and returns the last `count` values, in order. */
  popItems(count: number): PickledValue[] {
    if (this.#values.length - count < this.#fence) throw new StructureError('its stack is empty');
    return this.#values.splice(this.#values.length - count);
  }

  /** Drops the top value, or the mark on top of it. */
  drop(): void {
    if (this.#marks.length > 0 && this.#fence === this.#values.length) this.#marks.pop();
    else this.pop();
  }

  remember(key: number | undefined, value: PickledValue): void {
    if (this.#memo.size >= MAX_MEMO) throw new TooLargeError('it remembers too many values');
    this.#memo.set(key ?? this.#memo.size, value);
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

  /** Stands for a value that is not kept. */
  pushOpaque(): void {
    this.push(OPAQUE);
  }
}
