import { type Digest, ModelRtcError } from '@model-rtc/protocol';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import {
  digestOf,
  type Extent,
  extentsAt,
  isRange,
  type Layout,
  type LayoutFile,
  placeAt,
  rawDigest,
  sizeOf,
} from '../layout/layout.ts';
import { MAX_REWRITES } from '../limits.ts';
import type { DiskJob } from './disk-port.ts';
import type { SpanChecker } from './span-checker.ts';
import type { ChunkFiles, DiskParts, HashState } from './storage.ts';

export type HashStep =
  /** Nothing can be hashed before another chunk comes. */
  | { readonly kind: 'waiting' }
  | { readonly kind: 'hashed'; readonly bytes: number }
  /** These chunks have wrong bytes in the files, and are now marked as not present. */
  | { readonly kind: 'lost'; readonly chunks: number[] }
  /** The file is wrong; these ranges of it are now marked as not present. */
  | { readonly kind: 'wrong_file'; readonly file: number; readonly chunks: number[] }
  /** Every file has its SHA-256. */
  | { readonly kind: 'whole' };

/** The computed SHA-256 of a file that has none in the layout. */
export interface FoundHash {
  readonly file: number;
  readonly sha256: Digest;
}

/** A file with a wrong hash, which is read again chunk by chunk. */
interface Recheck {
  readonly file: number;
  place: number;
  readonly bad: Set<number>;
  readonly ranges: number[];
  /** Which spans were read again, and whether they are right. */
  readonly spans: Map<number, boolean>;
}

const NONE: readonly FoundHash[] = [];

/**
 * Hashes every file in order while its chunks come: from the bytes at hand when the next chunk was just written, else by
 * reading them back, mostly from the page cache. So no second pass over the disk follows the transfer. Chunks that only the
 * journal lists are checked when they are read, since a power cut may keep the journal's line and lose the bytes. For a range
 * this checks that its bytes are those that were written; the hash of the file decides whether they are right.
 */
export class WholeFileHasher {
  readonly #layout: Layout;
  readonly #files: ChunkFiles;
  readonly #createSha256: () => HashState;
  readonly #createSha1: () => HashState;
  /** By id: 1 for a chunk that is in the files. */
  readonly #present: Uint8Array;
  /** By id: 1 for a chunk that this process checked, or a range that it wrote; others are only in the journal. */
  readonly #proven: Uint8Array;
  /** By id, for ranges that are present: the start of the SHA-256 of what was written. */
  readonly #sums: Uint32Array;
  readonly #scratch: Uint8Array;
  /** Where ranges are parts of spans. */
  readonly #spans: SpanChecker | undefined;
  readonly #failures = new Map<number, number>();
  /** The place whose chunk is hashed next. */
  #place = 0;
  /** Files before this one are done, though the chunk at #place may begin in one of them. */
  #file = 0;
  #hash: HashState | undefined;
  #gitHash: HashState | undefined;
  /** Hashes that were not reported yet. */
  #found: FoundHash[] = [];
  #recheck: Recheck | undefined;

  constructor(
    { layout, journalled, sums }: DiskJob,
    parts: Omit<DiskParts, 'journal' | 'later'>,
    spans: SpanChecker | undefined,
  ) {
    this.#layout = layout;
    this.#spans = spans;
    this.#files = parts.files;
    this.#createSha256 = parts.createSha256;
    this.#createSha1 = parts.createSha1;
    this.#sums = sums?.slice() ?? new Uint32Array(layout.ranges?.length ?? 0);
    this.#present = journalled.slice();
    this.#proven = new Uint8Array(journalled.length);
    this.#scratch = new Uint8Array(layout.sizes.reduce((most, size) => Math.max(most, size), 0));
  }

  /** Whether these are the chunk's bytes; for a range, whether they are those that were written. */
  matches(id: number, bytes: Uint8Array): boolean {
    if (isRange(this.#layout, id)) return this.#present[id] === 1 && this.#sums[id] === this.sumOf(bytes);
    const hash = this.#createSha256();
    hash.update(bytes);
    const found = hash.digest();
    return rawDigest(this.#layout, id).every((byte, at) => byte === found[at]);
  }

  /** The start of the SHA-256, which tells later whether a range's bytes are still those that were written. */
  sumOf(bytes: Uint8Array): number {
    const hash = this.#createSha256();
    hash.update(bytes);
    const [a = 0, b = 0, c = 0, d = 0] = hash.digest();
    return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
  }

  isPresent(id: number): boolean {
    return this.#present[id] === 1;
  }

  /** Marks a chunk that is in the files and was checked. @param sum - for a range */
  proven(id: number, sum?: number): void {
    this.#present[id] = 1;
    this.#proven[id] = 1;
    if (sum !== undefined) this.#sums[id] = sum;
  }

  /** The hashes of files that were computed since the last call. */
  takeFound(): readonly FoundHash[] {
    if (this.#found.length === 0) return NONE;
    const found = this.#found;
    this.#found = [];
    return found;
  }

  /** Hashes a chunk that was just written, if it is the next one. */
  offer(id: number, bytes: Uint8Array): number {
    let hashed = 0;
    while (this.#recheck === undefined && this.#layout.idAt[this.#place] === id) {
      this.#consume(bytes);
      hashed += bytes.length;
    }
    return hashed;
  }

  /**
   * Does the work for one chunk.
   * @throws ModelRtcError `verification_failed` when right chunks do not make up a file, or the disk does not keep bytes
   */
  step(): HashStep {
    if (this.#recheck !== undefined) return this.#recheckStep(this.#recheck);
    const id = this.#layout.idAt[this.#place];
    if (id === undefined) return { kind: 'whole' };
    if (this.#present[id] !== 1 || this.#spanOf(id)?.isRight(id) === false) return { kind: 'waiting' };
    if (!this.#isProvenFile(id)) {
      const bytes = this.#readBack(this.#place, id, this.#proven[id] !== 1);
      if (bytes === undefined) return this.#lose([id]);
      this.#consume(bytes);
    } else this.#consume(undefined);
    return { kind: 'hashed', bytes: sizeOf(this.#layout, id) };
  }

  /** Reads the chunk from the disk: whether it is right in all its places. */
  isRight(id: number, places: Iterable<number>): boolean {
    return [...places].every((place) => this.#readBack(place, id, true) !== undefined);
  }

  /** These chunks are not in the files any more. */
  forget(chunks: Iterable<number>): void {
    for (const id of chunks) {
      this.#present[id] = 0;
      this.#proven[id] = 0;
    }
  }

  /** What checks the span that a range is a part of; undefined for all other chunks. */
  #spanOf(id: number): SpanChecker | undefined {
    return isRange(this.#layout, id) ? this.#spans : undefined;
  }

  /** Whether the chunk was checked and is one whole file: then its bytes need no second hash. */
  #isProvenFile(id: number): boolean {
    if (this.#proven[id] !== 1) return false;
    const extents = extentsAt(this.#layout, this.#place);
    return extents.length === 1 && this.#isWholeFile(extents[0] as Extent, id);
  }

  #isWholeFile({ file, length }: Extent, id: number): boolean {
    const { size, gitSha1 } = this.#layout.files[file] as LayoutFile;
    const isWhole = size === length && length === sizeOf(this.#layout, id);
    return isWhole && gitSha1 === undefined && !isRange(this.#layout, id);
  }

  /** @param bytes - undefined when the chunk is one whole file and proven */
  #consume(bytes: Uint8Array | undefined): void {
    const id = this.#layout.idAt[this.#place] as number;
    for (const extent of extentsAt(this.#layout, this.#place)) {
      if (extent.file < this.#file) continue;
      this.#file = extent.file;
      const file = this.#layout.files[extent.file] as LayoutFile;
      const digest =
        this.#proven[id] === 1 && this.#isWholeFile(extent, id)
          ? digestOf(this.#layout, id)
          : this.#feed(extent, file, bytes as Uint8Array);
      if (digest === undefined) continue;
      if (!this.#isRightFile(file, digest)) {
        this.#startRecheck(extent.file);
        return;
      }
      if (file.sha256 === undefined) this.#found.push({ file: extent.file, sha256: digest as Digest });
      this.#file = extent.file + 1;
    }
    this.#place++;
  }

  /** Returns the file's digest when this was its last part. */
  #feed({ fileOffset, chunkOffset, length }: Extent, file: LayoutFile, bytes: Uint8Array): string | undefined {
    if (fileOffset === 0 || this.#hash === undefined) {
      this.#hash = this.#createSha256();
      this.#gitHash = file.gitSha1 === undefined ? undefined : this.#createGitHash(file.size);
    }
    const part = bytes.subarray(chunkOffset, chunkOffset + length);
    this.#hash.update(part);
    this.#gitHash?.update(part);
    return fileOffset + length === file.size ? bytesToHex(this.#hash.digest()) : undefined;
  }

  #createGitHash(size: number): HashState {
    const hash = this.#createSha1();
    hash.update(utf8ToBytes(`blob ${size}\0`));
    return hash;
  }

  /** A file without a hash is right when all its chunks are, which were checked by their digests. */
  #isRightFile({ sha256, gitSha1 }: LayoutFile, digest: string): boolean {
    if (sha256 !== undefined) return digest === sha256;
    return gitSha1 === undefined || (this.#gitHash !== undefined && bytesToHex(this.#gitHash.digest()) === gitSha1);
  }

  /** The file's hash is wrong although each of its chunks was right: find out which ones the disk did not keep. */
  #startRecheck(file: number): void {
    const place = placeAt(this.#layout, this.#layout.files[file]?.offset ?? 0);
    this.#place = place;
    this.#hash = undefined;
    this.#recheck = { file, place, bad: new Set(), ranges: [], spans: new Map() };
  }

  #recheckStep(recheck: Recheck): HashStep {
    const { path, offset, size } = this.#layout.files[recheck.file] as LayoutFile;
    const place = recheck.place++;
    const id = this.#layout.idAt[place];
    if (id !== undefined && (this.#layout.offsetAt[place] ?? 0) < offset + size) {
      const isOnDisk = this.#readBack(place, id, true) !== undefined;
      const span = this.#spanOf(id);
      if (!isOnDisk || span?.reread(id, recheck.spans) === false) recheck.bad.add(id);
      if (isRange(this.#layout, id) && span === undefined) recheck.ranges.push(id);
      return { kind: 'hashed', bytes: 0 };
    }
    this.#recheck = undefined;
    if (recheck.bad.size === 0 && recheck.ranges.length > 0) {
      const { chunks } = this.#lose(recheck.ranges);
      return { kind: 'wrong_file', file: recheck.file, chunks };
    }
    if (recheck.bad.size === 0) {
      throw new ModelRtcError(
        'verification_failed',
        `The chunks that the source lists do not make up ${path}: its SHA-256 is different. Nothing was installed. Pull the model from another source.`,
        { details: { file: path } },
      );
    }
    this.#countFailure(recheck.file, path);
    return this.#lose([...recheck.bad]);
  }

  #countFailure(file: number, path: string): void {
    const failures = (this.#failures.get(file) ?? 0) + 1;
    this.#failures.set(file, failures);
    if (failures <= MAX_REWRITES) return;
    throw new ModelRtcError(
      'verification_failed',
      `The disk does not keep what is written to ${path}: its SHA-256 was wrong ${failures} times. Check the disk, or use another one.`,
      { details: { file: path } },
    );
  }

  #lose(chunks: number[]): HashStep & { kind: 'lost' } {
    this.forget(chunks);
    for (const id of chunks) this.#spanOf(id)?.lose(id);
    return { kind: 'lost', chunks };
  }

  #readBack(place: number, id: number, check: boolean): Uint8Array | undefined {
    const bytes = this.#scratch.subarray(0, sizeOf(this.#layout, id));
    if (!this.#files.read(place, bytes)) return undefined;
    const span = this.#spanOf(id);
    const isRight = !check || (span === undefined ? this.matches(id, bytes) : span.isLikeFirst(place, id, bytes));
    return isRight ? bytes : undefined;
  }
}
