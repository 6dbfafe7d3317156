import { openTurns, type Turns } from './turns.ts';

/**
 * Long work, with a `yield` wherever it can be left for a while. Written once, it can be done at once or in slices. It yields at
 * least once in the time that some 64 KB take.
 */
export type Steps<T> = Generator<undefined, T, undefined>;

/** How long work may hold the event loop, in milliseconds: an answer to a ping may wait so long. */
const SLICE_MS = 8;

export function runAtOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/**
 * Does the work in slices of a few milliseconds, so that others get their turn meanwhile. All such work of a process shares one
 * slice a turn. What takes less than a slice is done when this returns, unless other work waits.
 * @throws what the work throws
 */
export async function runInSlices<T>(steps: Steps<T>): Promise<T> {
  let endsMs = line.isEmpty ? performance.now() + SLICE_MS : 0;
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
    if (performance.now() < endsMs) continue;
    await line.turn();
    endsMs = performance.now() + SLICE_MS;
  }
}

/** Work that waits for its next slice: the first in line goes on in the next turn of the event loop, and the others wait. */
class Line {
  readonly #waiting: (() => void)[] = [];
  #turns: Turns | undefined;
  #isCalled = false;

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  turn(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#callNext();
    });
  }

  #callNext(): void {
    if (this.#isCalled || this.isEmpty) return;
    this.#isCalled = true;
    this.#turns ??= openTurns();
    this.#turns.later(() => {
      this.#isCalled = false;
      this.#waiting.shift()?.();
      this.#callNext();
    });
  }
}

const line = new Line();

/** How many items of a list are looked at between two yields. */
const ITEMS_A_STEP = 64;

/** What `map` gives for each item. */
export function* mapInSteps<T, U>(items: readonly T[], map: (item: T, index: number) => U): Steps<U[]> {
  const mapped: U[] = [];
  for (let i = 0; i < items.length; i++) {
    mapped.push(map(items[i] as T, i));
    if (i % ITEMS_A_STEP === ITEMS_A_STEP - 1) yield;
  }
  return mapped;
}

/** What is sorted at once: native code takes a few milliseconds for it, and merging takes longer than sorting. */
const RUN_TEXTS = 32_768;
const RUN_CHARS = 8 * 1024 * 1024;

/** A copy, sorted by UTF-16 units as `sort` does it. */
export function* sortTexts(texts: readonly string[]): Steps<string[]> {
  let runs: string[][] = [];
  for (let start = 0; start < texts.length; ) {
    const end = endOfRun(texts, start);
    runs.push(texts.slice(start, end).sort());
    start = end;
    yield;
  }
  while (runs.length > 1) {
    const merged: string[][] = [];
    for (let i = 0; i < runs.length; i += 2) merged.push(yield* mergeTexts(runs[i] ?? [], runs[i + 1] ?? []));
    runs = merged;
  }
  return runs[0] ?? [];
}

function endOfRun(texts: readonly string[], start: number): number {
  let chars = 0;
  let end = start;
  while (end < texts.length && end - start < RUN_TEXTS && chars < RUN_CHARS) chars += texts[end++]?.length ?? 0;
  return end;
}

/** Of equal texts, those of the first list come first. */
function* mergeTexts(first: readonly string[], second: readonly string[]): Steps<string[]> {
  const merged: string[] = [];
  let [left, right] = [0, 0];
  while (left < first.length && right < second.length) {
    const [a, b] = [first[left] as string, second[right] as string];
    const isFirst = a <= b;
    if (isFirst) left++;
    else right++;
    merged.push(isFirst ? a : b);
    if (merged.length % ITEMS_A_STEP === 0) yield;
  }
  for (; left < first.length; left++) merged.push(first[left] as string);
  for (; right < second.length; right++) merged.push(second[right] as string);
  return merged;
}
