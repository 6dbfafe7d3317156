import {
  type ContentsFile,
  hashedFiles,
  type ModelContents,
  ModelRtcError,
  modelDigest,
  withoutUndefined,
} from '@model-rtc/protocol';

/**
 * Says how two descriptions of one model differ: in paths, sizes, or hashes that both have.
 * @returns the end of a sentence; undefined when they agree
 */
export function disagreement(a: ModelContents, b: ModelContents): string | undefined {
  const others = new Map<string, ContentsFile>(b.files.map((file) => [file.path, file]));
  for (const file of a.files) {
    const other = others.get(file.path);
    if (other === undefined) return `${file.path} is not there`;
    if (other.size !== file.size) return `${file.path} has another size`;
    if (differ(file.sha256, other.sha256)) return `${file.path} has another SHA-256`;
    // For a file with a SHA-256, git may only have a pointer (Git LFS).
    const isGitFile = file.sha256 === undefined && other.sha256 === undefined;
    if (isGitFile && differ(file.gitSha1, other.gitSha1)) return `${file.path} is another one for git`;
  }
  if (others.size !== a.files.length) return 'it has more files';
  const hashed = hashedFiles(mergeFiles(a.files, others));
  const digests = [a.digest, b.digest, hashed === undefined ? undefined : modelDigest(hashed)];
  return new Set(digests.filter((digest) => digest !== undefined)).size > 1 ? 'its digest is another one' : undefined;
}

/**
 * Checks a provider that does not know models by their digests.
 * @throws ModelRtcError `verification_failed` when what a provider has is not what is fetched
 */
export function requireAgreement(fetched: ModelContents, own: ModelContents, name: string): void {
  const why = disagreement(fetched, own);
  if (why === undefined) return;
  const sentence = `${name} has other files than the model that is being fetched (${why}). Nothing is taken from it.`;
  throw new ModelRtcError('verification_failed', sentence);
}

/**
 * Combines two descriptions of a model that agree. It takes the chunks from the one that knows more of them. Where the other one has
 * digests of its own chunks or spans, and nothing else shows that both mean the same bytes, those are checked too, as spans.
 */
export function mergeContents(a: ModelContents, b: ModelContents): ModelContents {
  const [best, other] = chunkRank(b) > chunkRank(a) ? [b, a] : [a, b];
  const digest = a.digest ?? b.digest;
  const { cut, order, rest } = mergeCuts(best, other);
  // Chunks and spans cover the files in the order of their own description.
  const files = mergeFiles(order.files, new Map(rest.files.map((file) => [file.path, file])));
  return withoutUndefined({ digest, files, ...cut });
}

interface MergedCuts {
  readonly cut: { [K in 'chunker' | 'chunks' | 'spans']?: ModelContents[K] | undefined };
  /** The description whose order of files counts, and the other one. */
  readonly order: ModelContents;
  readonly rest: ModelContents;
}

function mergeCuts(best: ModelContents, other: ModelContents): MergedCuts {
  const { chunker, chunks, spans } = best;
  const isProven = chunkRank(best) < KNOWS_CHUNKS || hashedFiles(other.files) !== undefined || isCutLike(best, other);
  const proof = isProven ? undefined : spansOf(other);
  const moved = proof === undefined || chunks === undefined ? undefined : chunksInOrder(best, other.files);
  if (proof !== undefined && moved === undefined) return { cut: { spans: proof }, order: other, rest: best };
  return {
    cut: { chunker, chunks: moved ?? chunks, spans: proof ?? spans },
    ...(proof === undefined ? { order: best, rest: other } : { order: other, rest: best }),
  };
}

function isCutLike({ chunks }: ModelContents, other: ModelContents): boolean {
  const others = other.chunks ?? [];
  return chunks?.length === others.length && chunks.every(({ digest }, i) => digest === others[i]?.digest);
}

/** What a description knows digests of that cover all files. */
function spansOf({ spans, chunks }: ModelContents): ModelContents['spans'] {
  if (spans !== undefined) return spans;
  const known = chunks?.flatMap(({ digest, size }) => (digest === undefined ? [] : [{ digest, size }]));
  return known?.length === chunks?.length ? known : undefined;
}

/** The chunks when the files come in another order; undefined when one is in several files, so that it has no other place. */
function chunksInOrder({ files, chunks = [] }: ModelContents, order: readonly ContentsFile[]): ModelContents['chunks'] {
  const byFile = new Map<string, NonNullable<ModelContents['chunks']>>();
  let next = 0;
  for (const { path, size } of files) {
    const own = [];
    let left = size;
    for (; left > 0; next++) {
      const chunk = chunks[next];
      if (chunk === undefined || chunk.size > left) return undefined;
      own.push(chunk);
      left -= chunk.size;
    }
    byFile.set(path, own);
  }
  return order.flatMap(({ path }) => byFile.get(path) ?? []);
}

function mergeFiles(files: readonly ContentsFile[], others: ReadonlyMap<string, ContentsFile>): ContentsFile[] {
  return files.map(({ path, size, ...known }) => {
    const { sha256, gitSha1, mode, mtimeMs } = { ...others.get(path), ...known };
    return {
      path,
      size,
      ...(sha256 === undefined ? {} : { sha256 }),
      ...(gitSha1 === undefined || sha256 !== undefined ? {} : { gitSha1 }),
      ...(mode === undefined ? {} : { mode }),
      ...(mtimeMs === undefined ? {} : { mtimeMs }),
    };
  });
}

/** The rank from which on all chunks have digests. */
const KNOWS_CHUNKS = 3;

function chunkRank({ chunks, chunker, spans }: ModelContents): number {
  if (chunks?.every(({ digest }) => digest !== undefined)) return chunker === undefined ? KNOWS_CHUNKS : 4;
  if (spans !== undefined) return 2;
  return chunks === undefined ? 0 : 1;
}

function differ(a: string | undefined, b: string | undefined): boolean {
  return a !== undefined && b !== undefined && a !== b;
}
