import {
  type ContentsChunk,
  type ContentsSpan,
  MAX_CHUNK_BYTES,
  MAX_CHUNKS,
  type ModelContents,
  ModelRtcError,
  type Steps,
} from '@model-rtc/protocol';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { type CutChunk, cutSpans } from './spans.ts';

/** The size of ranges when the source has no chunks: as most files are cut. */
const RANGE_BYTES = 1024 * 1024;
/** Of a list that is hashed: 16 KB, or 0.8 MB where paths are at their longest. */
const LINES_AT_ONCE = 256;

interface CutFile {
  readonly path: string;
  readonly size: number;
  /** Where the file starts in the concatenation of all files. */
  readonly offset: number;
  readonly sha256: string | undefined;
  readonly gitSha1: string | undefined;
}

/**
 * The chunks that the files are fetched in. A chunk without a digest is cut where a file ends, since the hash of the file
 * decides whether it is right: in two files it could be right for one and wrong for the other.
 *
 * Chunks as a source lists them are taken as they are; else spans are cut, or, without them, files.
 * @throws ModelRtcError `invalid_model` that names a file when bytes of it could never be verified
 */
export function cutList(
  { chunks, spans }: Pick<ModelContents, 'chunks' | 'spans'>,
  files: readonly CutFile[],
): readonly CutChunk[] {
  if (chunks?.every(({ digest }) => digest !== undefined)) return chunks;
  if (spans !== undefined) return cutSpans(spans);
  return chunks === undefined ? cutFiles(files) : cutRanges(chunks, files);
}

function cutRanges(chunks: readonly ContentsChunk[], files: readonly CutFile[]): ContentsChunk[] {
  const list: ContentsChunk[] = [];
  let file = 0;
  let offset = 0;
  for (const chunk of chunks) {
    const end = offset + chunk.size;
    if (chunk.digest !== undefined) list.push(chunk);
    for (; chunk.digest === undefined && offset < end; offset += list.at(-1)?.size ?? 0) {
      while (endOf(files[file]) <= offset) file++;
      const found = files[file];
      if (found !== undefined) requireHash(found);
      list.push({ size: Math.min(end, endOf(found)) - offset });
    }
    offset = end;
  }
  return list;
}

/** A SHA-256 that is different for different lists of one model. */
export function* hashList(
  files: readonly CutFile[],
  chunks: readonly CutChunk[],
  spans: readonly ContentsSpan[] | undefined,
): Steps<string> {
  const hash = sha256.create();
  yield* hashLines(hash, files, ({ path, size }) => `${size} ${path}\n`);
  yield* hashLines(hash, chunks, ({ digest = '-', size }) => `${digest} ${size}\n`);
  if (spans !== undefined) yield* hashLines(hash, spans, ({ digest, size }) => `span ${digest} ${size}\n`);
  return bytesToHex(hash.digest());
}

/** Many lines at a time: one by one, those of 370,000 chunks take a second. */
function* hashLines<T>(
  hash: ReturnType<typeof sha256.create>,
  items: readonly T[],
  line: (item: T) => string,
): Steps<void> {
  for (let at = 0; at < items.length; at += LINES_AT_ONCE) {
    hash.update(
      utf8ToBytes(
        items
          .slice(at, at + LINES_AT_ONCE)
          .map(line)
          .join(''),
      ),
    );
    yield;
  }
}

/** Uses larger ranges only when there would be too many: beyond about 400 GB. */
function cutFiles(files: readonly CutFile[]): ContentsChunk[] {
  for (let bytes = RANGE_BYTES; bytes <= MAX_CHUNK_BYTES; bytes *= 2) {
    const count = files.reduce((sum, { size }) => sum + Math.ceil(size / bytes), 0);
    if (count <= MAX_CHUNKS) return files.flatMap((file) => cutFile(file, bytes));
  }
  throw new ModelRtcError(
    'invalid_model',
    'The model is too large to be fetched at once. Nothing was stored. Fetch only some of its files.',
  );
}

function cutFile(file: CutFile, rangeBytes: number): ContentsChunk[] {
  if (file.size > 0) requireHash(file);
  const ranges: ContentsChunk[] = [];
  for (let at = 0; at < file.size; at += rangeBytes) ranges.push({ size: Math.min(rangeBytes, file.size - at) });
  return ranges;
}

/** Chunks past the end of the last file are refused later, in the layout. */
function endOf(file: CutFile | undefined): number {
  return file === undefined ? Number.POSITIVE_INFINITY : file.offset + file.size;
}

function requireHash({ path, sha256: known, gitSha1 }: CutFile): void {
  if (known !== undefined || gitSha1 !== undefined) return;
  throw new ModelRtcError(
    'invalid_model',
    `The bytes of ${path} cannot be verified: its source has neither a hash of the file nor digests of its chunks. Nothing was stored. Use another source.`,
    { details: { file: path } },
  );
}
