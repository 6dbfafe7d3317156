import { ModelRtcError } from '@model-rtc/protocol';
import { isRange, type Layout, placesOf, sizeOf } from '../layout/layout.ts';
import { type Spans, spanDigest } from '../layout/spans.ts';
import type { ChunkFiles, DiskParts, HashState } from './storage.ts';

export type SpanStep =
  /** No span can be hashed now. */
  | { readonly kind: 'waiting' }
  /** A part was read back and hashed. */
  | { readonly kind: 'hashed' }
  | { readonly kind: 'right'; readonly chunks: readonly number[] }
  /** An earlier run wrote some of these ranges, and they are not the span's: fetch them again, and blame nobody. */
  | { readonly kind: 'lost'; readonly chunks: number[] }
  /** The span is wrong; all of these ranges came in this run. */
  | { readonly kind: 'wrong'; readonly span: number; readonly chunks: number[] };

/** A span whose ranges came in order so far. */
interface OpenSpan {
  readonly hash: HashState;
  /** How many ranges the hash has taken in. */
  next: number;
}

/** The ranges that make up a span. */
interface SpanRanges {
  readonly first: number;
  count: number;
  /** How many are not in the files. */
  missing: number;
  /** Whether an earlier run wrote one of those that are. */
  isOld: boolean;
  state: 'open' | 'due' | 'right';
}

/**
 * Checks the spans of a layout whose chunks are ranges of them: hashes each from the bytes at hand while its ranges come in order, and
 * reads back what came out of order, or in an earlier run. Only what is in a right span may be hashed as a part of files, so that a
 * wrong span undoes nothing.
 */
export class SpanChecker {
  readonly #layout: Layout;
  readonly #spans: Spans;
  readonly #ofRange: Uint32Array;
  readonly #files: ChunkFiles;
  readonly #createSha256: () => HashState;
  readonly #ranges = new Map<number, SpanRanges>();
  readonly #open = new Map<number, OpenSpan>();
  /** Spans that are all there and not checked yet. */
  readonly #due: number[] = [];
  readonly #scratch: Uint8Array;

  /** @param journalled - by id: 1 for each chunk that an earlier run wrote */
  constructor(layout: Layout, spans: Spans, journalled: Uint8Array, parts: Pick<DiskParts, 'files' | 'createSha256'>) {
    this.#layout = layout;
    this.#spans = spans;
    this.#ofRange = spans.ofRange as Uint32Array;
    this.#files = parts.files;
    this.#createSha256 = parts.createSha256;
    this.#scratch = new Uint8Array(layout.sizes.reduce((most, size) => Math.max(most, size), 0));
    for (let id = 0; id < layout.sizes.length; id++) if (isRange(layout, id)) this.#count(id, journalled[id] === 1);
    for (const [span, { missing }] of this.#ranges) if (missing === 0) this.#makeDue(span);
  }

  /** Whether the range is a part of a span that is right. */
  isRight(id: number): boolean {
    return this.#ranges.get(this.#ofRange[id] as number)?.state === 'right';
  }

  /** The range is in the files now, and was not before. */
  written(id: number, bytes: Uint8Array): void {
    const span = this.#ofRange[id] as number;
    const ranges = this.#ranges.get(span) as SpanRanges;
    ranges.missing--;
    const part = id - ranges.first;
    const open = this.#open.get(span) ?? (part === 0 ? { hash: this.#createSha256(), next: 0 } : undefined);
    if (open?.next === part) {
      open.hash.update(bytes);
      open.next++;
      this.#open.set(span, open);
    }
    if (ranges.missing === 0) this.#makeDue(span);
  }

  /** Does the work for one part of a span. */
  step(): SpanStep {
    const span = this.#due[0];
    if (span === undefined) return { kind: 'waiting' };
    const ranges = this.#ranges.get(span) as SpanRanges;
    const open = this.#open.get(span) ?? { hash: this.#createSha256(), next: 0 };
    this.#open.set(span, open);
    if (open.next < ranges.count) {
      const bytes = this.#readBack(ranges.first + open.next);
      if (bytes === undefined) return this.#end(span, ranges, false);
      open.hash.update(bytes);
      open.next++;
      return { kind: 'hashed' };
    }
    return this.#end(span, ranges, this.#isDigest(span, open.hash));
  }

  /** Reads a whole span from the files: whether it is right. Marks it so, though its ranges were in no journal. */
  check(id: number): boolean {
    const span = this.#ofRange[id] as number;
    const ranges = this.#ranges.get(span) as SpanRanges;
    if (ranges.state === 'right') return true;
    if (!this.reread(id, new Map())) return false;
    this.#forget(span);
    Object.assign(ranges, { missing: 0, state: 'right' });
    return true;
  }

  /** Whether the files still hold the span that the range is a part of. @param known - by span; it is added to */
  reread(id: number, known: Map<number, boolean>): boolean {
    const span = this.#ofRange[id] as number;
    const isRight = known.get(span) ?? this.#isOnDisk(span, this.#ranges.get(span) as SpanRanges);
    known.set(span, isRight);
    return isRight;
  }

  /** The range is no longer in the files as it should be. */
  lose(id: number): void {
    const span = this.#ofRange[id] as number;
    const ranges = this.#ranges.get(span) as SpanRanges;
    this.#forget(span);
    ranges.state = 'open';
    ranges.missing++;
  }

  /** Of a range that a span has in several places, only the bytes in the first place were checked with the span. */
  isLikeFirst(place: number, id: number, bytes: Uint8Array): boolean {
    if (place === placesOf(this.#layout, id)[0]) return true;
    return this.#readBack(id)?.every((byte, at) => byte === bytes[at]) === true;
  }

  #count(id: number, isThere: boolean): void {
    const span = this.#ofRange[id] as number;
    const known = this.#ranges.get(span);
    const ranges = known ?? { first: id, count: 0, missing: 0, isOld: false, state: 'open' };
    ranges.count++;
    if (isThere) ranges.isOld = true;
    else ranges.missing++;
    this.#ranges.set(span, ranges);
  }

  #makeDue(span: number): void {
    (this.#ranges.get(span) as SpanRanges).state = 'due';
    this.#due.push(span);
  }

  #end(span: number, ranges: SpanRanges, isRight: boolean): SpanStep {
    this.#forget(span);
    const { first, count, isOld } = ranges;
    const chunks = Array.from({ length: count }, (_, part) => first + part);
    if (isRight) {
      ranges.state = 'right';
      return { kind: 'right', chunks };
    }
    Object.assign(ranges, { state: 'open', missing: count, isOld: false });
    return isOld ? { kind: 'lost', chunks } : { kind: 'wrong', span, chunks };
  }

  #forget(span: number): void {
    this.#open.delete(span);
    const at = this.#due.indexOf(span);
    if (at !== -1) this.#due.splice(at, 1);
  }

  #isOnDisk(span: number, { first, count }: SpanRanges): boolean {
    const hash = this.#createSha256();
    for (let part = 0; part < count; part++) {
      const bytes = this.#readBack(first + part);
      if (bytes === undefined) return false;
      hash.update(bytes);
    }
    return this.#isDigest(span, hash);
  }

  #isDigest(span: number, hash: HashState): boolean {
    const found = hash.digest();
    return spanDigest(this.#spans, span).every((byte, at) => byte === found[at]);
  }

  #readBack(id: number): Uint8Array | undefined {
    const bytes = this.#scratch.subarray(0, sizeOf(this.#layout, id));
    return this.#files.read(placesOf(this.#layout, id)[0] ?? 0, bytes) ? bytes : undefined;
  }
}

/**
 * Checks spans of a layout whose chunks come from another list: one after the other, when every chunk and file is right.
 * @throws ModelRtcError `verification_failed` when the two lists describe different models
 */
export function* checkWholeSpans(
  layout: Layout,
  spans: Spans,
  { files, createSha256 }: Pick<DiskParts, 'files' | 'createSha256'>,
): Generator<void> {
  const scratch = new Uint8Array(layout.sizes.reduce((most, size) => Math.max(most, size), 0));
  let [hash, span] = [createSha256(), 0];
  for (const [place, id] of layout.idAt.entries()) {
    const bytes = scratch.subarray(0, sizeOf(layout, id));
    const isThere = files.read(place, bytes);
    const start = layout.offsetAt[place] as number;
    for (let done = 0; done < bytes.length; ) {
      const end = spans.offsets[span + 1] as number;
      const part = bytes.subarray(done, Math.min(bytes.length, end - start));
      hash.update(part);
      done += part.length;
      if (start + done < end) continue;
      const found = hash.digest();
      if (!isThere || !spanDigest(spans, span).every((byte, at) => byte === found[at])) throw otherModels();
      [hash, span] = [createSha256(), span + 1];
    }
    yield;
  }
}

function otherModels(): ModelRtcError {
  return new ModelRtcError(
    'verification_failed',
    'The sources describe different models of that name: the files are as one of them lists them, and not as another one does. Nothing was installed. Use only one of the sources.',
  );
}
