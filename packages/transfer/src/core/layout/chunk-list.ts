import { type ContentsChunk, MAX_CHUNK_BYTES, MAX_CHUNKS, ModelRtcError } from '@model-rtc/protocol';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';

/** How files are cut when their source has no chunks: as most other files are. */
const RANGE_BYTES = 1024 * 1024;

interface CutFile {
  readonly path: string;
  readonly size: number;
  /** Where the file starts in the concatenation of all files. */
  readonly offset: number;
  readonly sha256: string | undefined;
  readonly gitSha1: string | undefined;
}

/**
 * The chunks that the files are fetched in. One without a digest is cut where a file ends, since the hash of a file decides
 * whether it is right: one that lay in two files could be right for the one and wrong for the other.
 *
 * @param chunks - as the source lists them; without, the files are cut into ranges.
 * @throws ModelRtcError `invalid_model` that names a file when bytes of it could never be verified
 */
export function cutList(
  chunks: readonly ContentsChunk[] | undefined,
  files: readonly CutFile[],
): readonly ContentsChunk[] {
  if (chunks === undefined) return cutFiles(files);
  if (chunks.every(({ digest }) => digest !== undefined)) return chunks;
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

/** The SHA-256 of what makes two lists of one model different. */
export function hashList(files: readonly CutFile[], chunks: readonly ContentsChunk[]): string {
  const hash = sha256.create();
  for (const { path, size } of files) hash.update(utf8ToBytes(`${size} ${path}\n`));
  for (const { digest = '-', size } of chunks) hash.update(utf8ToBytes(`${digest} ${size}\n`));
  return bytesToHex(hash.digest());
}

/** Larger ranges only where there would be too many: beyond some 400 GB. */
function cutFiles(files: readonly CutFile[]): ContentsChunk[] {
  for (let bytes = RANGE_BYTES; bytes <= MAX_CHUNK_BYTES; bytes *= 2) {
    const count = files.reduce((sum, { size }) => sum + Math.ceil(size / bytes), 0);
    if (count <= MAX_CHUNKS) return files.flatMap((file) => cutFile(file, bytes));
  }
  throw new ModelRtcError(
    'invalid_model',
    'The model is too large to be fetched at once; nothing was stored. Fetch a part of its files.',
  );
}

function cutFile(file: CutFile, rangeBytes: number): ContentsChunk[] {
  if (file.size > 0) requireHash(file);
  const ranges: ContentsChunk[] = [];
  for (let at = 0; at < file.size; at += rangeBytes) ranges.push({ size: Math.min(rangeBytes, file.size - at) });
  return ranges;
}

/** Chunks that go on behind the last file are refused when they are laid out. */
function endOf(file: CutFile | undefined): number {
  return file === undefined ? Number.POSITIVE_INFINITY : file.offset + file.size;
}

function requireHash({ path, sha256: known, gitSha1 }: CutFile): void {
  if (known !== undefined || gitSha1 !== undefined) return;
  throw new ModelRtcError(
    'invalid_model',
    `Nothing says what the bytes of ${path} should be: its source has neither a hash of the file nor digests of its chunks; nothing was stored. Use another source.`,
    { details: { file: path } },
  );
}
