import { StructureError } from '../bytes/structure-error.ts';
import { OPAQUE, type PickledValue } from './values.ts';

/** Values that may wait for their use, or be remembered: a state dict of 100,000 tensors has some millions of opcodes and fewer of these. */
const MAX_STACK = 1_000_000;
const MAX_MEMO = 1_000_000;

/** More than this reader can hold; the pickle may be in order. */
export class TooLargeError extends Error {
  override readonly name = 'TooLargeError';
}

/** The stack, marks and memo of a pickle machine, with the errors that Python's has too. */
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

  /** The uppermost value, which stays. */
  get top(): PickledValue {
    const top = this.#values.at(-1);
    if (top === undefined) throw new StructureError('its stack is empty');
    return top;
  }

  mark(): void {
    if (this.#marks.length >= MAX_STACK) throw new TooLargeError('it holds too many values');
    this.#marks.push(this.#values.length);
  }

  /** The values since the last mark, which goes. */
  popToMark(): PickledValue[] {
    const start = this.#marks.pop();
    if (start === undefined) throw new StructureError('a mark is missing');
    return this.#values.splice(start);
  }

  /** The last `count` values, in their order. */
  popItems(count: number): PickledValue[] {
    if (this.#values.length - count < this.#fence) throw new StructureError('its stack is empty');
    return this.#values.splice(this.#values.length - count);
  }

  /** Drops a value, or the mark that is above it. */
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

  /** The value below which nothing can be popped. */
  get #fence(): number {
    return this.#marks.at(-1) ?? 0;
  }

  /** In place of a value that is not kept. */
  pushOpaque(): void {
    this.push(OPAQUE);
  }
}
