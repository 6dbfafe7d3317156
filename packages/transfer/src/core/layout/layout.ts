import { type Digest, type Manifest, ModelRtcError, manifestDigest, sha256Digest } from '@model-rtc/protocol';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';

export interface LayoutFile {
  readonly path: string;
  /** Where the file starts in the concatenation of all files. */
  readonly offset: number;
  readonly size: number;
  readonly sha256: Digest;
  readonly mode: number | undefined;
}

/**
 * A manifest as the disk needs it: each different chunk has a number (its id, in order of first place), and places in the
 * concatenation of all files. Plain data in typed arrays, so that it goes to a thread cheaply and a list of 400,000
 * chunks takes a few megabytes.
 */
export interface Layout {
  readonly files: readonly LayoutFile[];
  readonly totalBytes: number;
  /** By id. */
  readonly sizes: Uint32Array;
  /** By id: 32 bytes each. */
  readonly digests: Uint8Array;
  /** By place, in the manifest's order: the id of the chunk there and where it starts. */
  readonly idAt: Uint32Array;
  readonly offsetAt: Float64Array;
  /** The places of id are `places[firstPlace[id]]` up to `places[firstPlace[id + 1]]`. */
  readonly firstPlace: Uint32Array;
  readonly places: Uint32Array;
  /** The SHA-256 of the file order and the chunk list: two manifests of one model may be cut differently. */
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

/**
 * @throws ModelRtcError `invalid_model` when the manifest is not the digest's, or its list cannot give its files.
 */
export function planLayout(manifest: Manifest, digest: Digest): Layout {
  if (manifestDigest(manifest) !== digest) throw notThatModel('its files are not those of the digest');
  const files = layFiles(manifest);
  const ids = new Map<Digest, number>();
  const { chunks } = manifest;
  const idAt = new Uint32Array(chunks.length);
  const offsetAt = new Float64Array(chunks.length);
  const sizes: number[] = [];
  let offset = 0;
  for (const [place, chunk] of chunks.entries()) {
    const id = ids.get(chunk.digest) ?? ids.size;
    if (id === ids.size) sizes.push(chunk.size);
    else if (sizes[id] !== chunk.size) throw notThatModel(`chunk ${chunk.digest} is listed with two sizes`);
    ids.set(chunk.digest, id);
    idAt[place] = id;
    offsetAt[place] = offset;
    offset += chunk.size;
  }
  if (offset !== totalOf(files)) throw notThatModel('its chunks do not cover its files');
  return {
    files,
    totalBytes: offset,
    sizes: Uint32Array.from(sizes),
    digests: hexToBytes([...ids.keys()].join('')),
    idAt,
    offsetAt,
    ...indexPlaces(idAt, ids.size),
    listHash: hashList(manifest),
  };
}

export function chunkCount(layout: Layout): number {
  return layout.sizes.length;
}

export function sizeOf(layout: Layout, id: number): number {
  return layout.sizes[id] ?? 0;
}

export function digestOf(layout: Layout, id: number): Digest {
  return bytesToHex(rawDigest(layout, id)) as Digest;
}

export function rawDigest(layout: Layout, id: number): Uint8Array {
  return layout.digests.subarray(id * 32, id * 32 + 32);
}

export function placesOf(layout: Layout, id: number): Uint32Array {
  return layout.places.subarray(layout.firstPlace[id], layout.firstPlace[id + 1]);
}

/** What the chunk is of the model, in all its places. */
export function bytesInModel(layout: Layout, id: number): number {
  return sizeOf(layout, id) * placesOf(layout, id).length;
}

/** The parts of files that the chunk at this place covers. */
export function extentsAt(layout: Layout, place: number): Extent[] {
  const start = layout.offsetAt[place] ?? 0;
  const end = start + sizeOf(layout, layout.idAt[place] ?? 0);
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

/** The first file, empty ones aside, that holds the byte at this offset of the concatenation. */
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

function layFiles(manifest: Manifest): LayoutFile[] {
  let offset = 0;
  return manifest.files.map(({ path, size, sha256, mode }) => {
    if (size === 0 && sha256 !== EMPTY_SHA256) throw notThatModel(`${path} is empty but its SHA-256 is not`);
    const file = { path, offset, size, sha256, mode };
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

function hashList({ files, chunks }: Manifest): string {
  const hash = sha256.create();
  for (const { path, size } of files) hash.update(utf8ToBytes(`${size} ${path}\n`));
  for (const { digest, size } of chunks) hash.update(utf8ToBytes(`${digest} ${size}\n`));
  return bytesToHex(hash.digest());
}

function notThatModel(why: string): ModelRtcError {
  return new ModelRtcError(
    'invalid_model',
    `The manifest does not describe the model (${why}); nothing was stored. Ask for it again, or from another source.`,
  );
}
