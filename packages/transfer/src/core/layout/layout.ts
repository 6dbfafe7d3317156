import {
  type Digest,
  findModelDigest,
  hashedFiles,
  type ModelContents,
  type ModelPath,
  ModelRtcError,
  mapInSteps,
  runAtOnce,
  runInSlices,
  type Steps,
  sha256Digest,
} from '@model-rtc/protocol';
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { cutList, hashList } from './chunk-list.ts';
import { type CutChunk, layoutSpans, type Spans } from './spans.ts';

export interface LayoutFile {
  readonly path: ModelPath;
  /** Where the file starts in the concatenation of all files. */
  readonly offset: number;
  readonly size: number;
  /** Undefined when the source does not know it; then it is computed. */
  readonly sha256: Digest | undefined;
  /** The file's hash in git, when there is no SHA-256. */
  readonly gitSha1: string | undefined;
  readonly mode: number | undefined;
  /** When the file was last written where it comes from, in milliseconds since 1970. */
  readonly mtimeMs: number | undefined;
}

/**
 * A model's contents as the disk needs them: each different chunk has an id, numbered by its first place, and places in the
 * concatenation of all files. Plain data in typed arrays, so that it is cheap to pass to a thread and a list of 400,000
 * chunks takes a few megabytes.
 */
export interface Layout {
  /** The model's digest, if it is known. */
  readonly digest: Digest | undefined;
  readonly files: readonly LayoutFile[];
  readonly totalBytes: number;
  /** By id. */
  readonly sizes: Uint32Array;
  /** By id: 32 bytes each. */
  readonly digests: Uint8Array;
  /**
   * By id: 1 for a chunk whose digest is unknown, called a range. Either it is a part of a span, whose digest decides whether it is
   * right; or, without spans, it has one place, inside one file, and the hash of that file decides. Undefined when every chunk has a
   * digest.
   */
  readonly ranges: Uint8Array | undefined;
  /** What the source knows digests of that is longer than a chunk. */
  readonly spans: Spans | undefined;
  /** By place, in the order of the list: the id of the chunk there, and where it starts. */
  readonly idAt: Uint32Array;
  readonly offsetAt: Float64Array;
  /** The places of id are `places[firstPlace[id]]` up to `places[firstPlace[id + 1]]`. */
  readonly firstPlace: Uint32Array;
  readonly places: Uint32Array;
  /** The SHA-256 of the file order and the chunk list: one model may be cut in different ways. */
  readonly listHash: string;
}

/** The part of a chunk that lies in one file. */
export interface Extent {
  readonly file: number;
  readonly fileOffset: number;
  /** Where the part starts in the chunk. */
  readonly chunkOffset: number;
  readonly length: number;
}

const EMPTY_SHA256 = sha256Digest(new Uint8Array());
const EMPTY_GIT_SHA1 = 'e69de29bb2d1d6434b8b29ae775ad8c2e48c5391';
/** How many chunks are laid out between two yields. */
const CHUNKS_A_STEP = 256;
const NO_DIGEST = '0'.repeat(64);

/**
 * @throws ModelRtcError `invalid_model` when the files are not those of the contents' digest, the chunks do not make up
 * the files, or some bytes could never be verified.
 */
export function planLayout(contents: ModelContents): Layout {
  return runAtOnce(layOut(contents));
}

/**
 * The same in slices, so that a long list does not hold the event loop.
 * @throws ModelRtcError as `planLayout` does
 */
export async function planLayoutInSlices(contents: ModelContents): Promise<Layout> {
  return await runInSlices(layOut(contents));
}

function* layOut(contents: ModelContents): Steps<Layout> {
  yield* requireDigest(contents);
  const files = yield* layFiles(contents);
  const { spans } = contents;
  const chunks = cutList(contents, files);
  const { idAt, offsetAt, sizes, digests, isRange: ranges, spanOf, totalBytes } = yield* numberChunks(chunks);
  if (totalBytes !== totalOf(files)) throw notThatModel('its chunks do not cover its files');
  const hasRanges = ranges.includes(1);
  // Spans that are chunks themselves need no second look.
  const hasSpans = spans !== undefined && (hasRanges || contents.chunks !== undefined);
  const packed = yield* packDigests(digests);
  const listHash = yield* hashList(files, chunks, spans);
  return {
    digest: contents.digest,
    files,
    totalBytes,
    sizes: Uint32Array.from(sizes),
    digests: packed,
    ranges: hasRanges ? Uint8Array.from(ranges) : undefined,
    spans: hasSpans ? layoutSpans(spans, hasRanges ? spanOf : undefined) : undefined,
    idAt,
    offsetAt,
    ...indexPlaces(idAt, sizes.length),
    listHash,
  };
}

interface NumberedChunks extends Pick<Layout, 'idAt' | 'offsetAt' | 'totalBytes'> {
  /** By id, as is what follows. */
  readonly sizes: number[];
  readonly digests: string[];
  readonly isRange: number[];
  readonly spanOf: number[];
}

/** Chunks that have the same bytes get one id. */
function* numberChunks(chunks: readonly CutChunk[]): Steps<NumberedChunks> {
  const ids = new Map<string, number>();
  const [idAt, offsetAt] = [new Uint32Array(chunks.length), new Float64Array(chunks.length)];
  const [sizes, digests, isRange, spanOf]: [number[], string[], number[], number[]] = [[], [], [], []];
  let offset = 0;
  for (let place = 0; place < chunks.length; place++) {
    if (place % CHUNKS_A_STEP === 0) yield;
    const { digest, size, span = 0, part } = chunks[place] as CutChunk;
    const name = digest ?? part;
    const known = name === undefined ? undefined : ids.get(name);
    const id = known ?? sizes.length;
    if (known === undefined) {
      sizes.push(size);
      digests.push(digest ?? NO_DIGEST);
      isRange.push(digest === undefined ? 1 : 0);
      spanOf.push(span);
      if (name !== undefined) ids.set(name, id);
    } else if (sizes[id] !== size) throw notThatModel(`chunk ${name} is listed with two sizes`);
    idAt[place] = id;
    offsetAt[place] = offset;
    offset += size;
  }
  return { idAt, offsetAt, sizes, digests, isRange, spanOf, totalBytes: offset };
}

export function chunkCount(layout: Layout): number {
  return layout.sizes.length;
}

export function sizeOf(layout: Layout, id: number): number {
  return layout.sizes[id] ?? 0;
}

/** Whether the chunk's digest is unknown. */
export function isRange(layout: Layout, id: number): boolean {
  return layout.ranges?.[id] === 1;
}

/** Undefined for a range. */
export function digestOf(layout: Layout, id: number): Digest | undefined {
  return isRange(layout, id) ? undefined : (bytesToHex(rawDigest(layout, id)) as Digest);
}

/** What decides whether a range is right: the number of its span or, in a layout without spans, of the file that it lies in. */
export function deciderOf(layout: Layout, id: number): number {
  return (
    layout.spans?.ofRange?.[id] ?? fileAt(layout, layout.offsetAt[layout.places[layout.firstPlace[id] ?? 0] ?? 0] ?? 0)
  );
}

export function rawDigest(layout: Layout, id: number): Uint8Array {
  return layout.digests.subarray(id * 32, id * 32 + 32);
}

export function placesOf(layout: Layout, id: number): Uint32Array {
  return layout.places.subarray(layout.firstPlace[id], layout.firstPlace[id + 1]);
}

/** The bytes of the model that the chunk makes up, over all its places. */
export function bytesInModel(layout: Layout, id: number): number {
  return sizeOf(layout, id) * placesOf(layout, id).length;
}

/** The parts of files that the chunk at this place covers. */
export function extentsAt(layout: Layout, place: number): Extent[] {
  const start = layout.offsetAt[place] ?? 0;
  return extentsBetween(layout, start, start + sizeOf(layout, layout.idAt[place] ?? 0));
}

/** The parts of files between two offsets of the concatenation. */
export function extentsBetween(layout: Layout, start: number, end: number): Extent[] {
  const extents: Extent[] = [];
  for (let file = fileAt(layout, start); file < layout.files.length; file++) {
    const { offset, size } = layout.files[file] as LayoutFile;
    if (offset >= end) break;
    if (size === 0) continue;
    const from = Math.max(start, offset);
    const length = Math.min(end, offset + size) - from;
    extents.push({ file, fileOffset: from - offset, chunkOffset: from - start, length });
  }
  return extents;
}

/** The file that holds the byte at this offset of the concatenation. */
export function fileAt(layout: Layout, offset: number): number {
  let low = 0;
  let high = layout.files.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const file = layout.files[middle] as LayoutFile;
    if (file.offset + file.size <= offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The first place whose chunk ends after this offset of the concatenation. */
export function placeAt(layout: Layout, offset: number): number {
  let low = 0;
  let high = layout.idAt.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((layout.offsetAt[middle] ?? 0) + sizeOf(layout, layout.idAt[middle] ?? 0) <= offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

function* requireDigest({ digest, files }: ModelContents): Steps<void> {
  const hashed = digest === undefined ? undefined : hashedFiles(files);
  if (hashed !== undefined && (yield* findModelDigest(hashed)) !== digest)
    throw notThatModel('its files are not those of the digest');
}

/** The digests one behind the other, in bytes. */
function* packDigests(digests: readonly string[]): Steps<Uint8Array> {
  const packed = new Uint8Array(digests.length * 32);
  for (let at = 0; at < digests.length; at += CHUNKS_A_STEP) {
    packed.set(hexToBytes(digests.slice(at, at + CHUNKS_A_STEP).join('')), at * 32);
    yield;
  }
  return packed;
}

function* layFiles({ files }: ModelContents): Steps<LayoutFile[]> {
  let offset = 0;
  return yield* mapInSteps(files, ({ path, size, sha256, gitSha1, mode, mtimeMs }) => {
    const git = sha256 === undefined ? gitSha1 : undefined;
    const isWrong = (sha256 ?? EMPTY_SHA256) !== EMPTY_SHA256 || (git ?? EMPTY_GIT_SHA1) !== EMPTY_GIT_SHA1;
    if (size === 0 && isWrong) throw notThatModel(`${path} is empty but its hash is not that of nothing`);
    const file = { path, offset, size, sha256: size === 0 ? EMPTY_SHA256 : sha256, gitSha1: git, mode, mtimeMs };
    offset += size;
    return file;
  });
}

function totalOf(files: readonly LayoutFile[]): number {
  const last = files.at(-1);
  return last === undefined ? 0 : last.offset + last.size;
}

function indexPlaces(idAt: Uint32Array, count: number): Pick<Layout, 'firstPlace' | 'places'> {
  const firstPlace = new Uint32Array(count + 1);
  for (const id of idAt) firstPlace[id + 1] = (firstPlace[id + 1] ?? 0) + 1;
  for (let id = 0; id < count; id++) firstPlace[id + 1] = (firstPlace[id + 1] ?? 0) + (firstPlace[id] ?? 0);
  const next = firstPlace.slice();
  const places = new Uint32Array(idAt.length);
  for (const [place, id] of idAt.entries()) {
    places[next[id] ?? 0] = place;
    next[id] = (next[id] ?? 0) + 1;
  }
  return { firstPlace, places };
}

function notThatModel(why: string): ModelRtcError {
  return new ModelRtcError(
    'invalid_model',
    `The list of files and chunks does not describe the model (${why}); nothing was stored. Ask for it again, or from another source.`,
  );
}
