import { type ContentsFile, hashedFiles, type ModelContents, modelDigest } from '@model-rtc/protocol';

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

/** Combines two descriptions of a model that agree. It takes the chunks from the one that knows more of them. */
export function mergeContents(a: ModelContents, b: ModelContents): ModelContents {
  const [best, other] = chunkRank(b) > chunkRank(a) ? [b, a] : [a, b];
  const { chunker, chunks } = best;
  const digest = a.digest ?? b.digest;
  return {
    ...(digest === undefined ? {} : { digest }),
    // Chunks cover the files in the order of their own description.
    files: mergeFiles(best.files, new Map(other.files.map((file) => [file.path, file]))),
    ...(chunker === undefined ? {} : { chunker }),
    ...(chunks === undefined ? {} : { chunks }),
  };
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

function chunkRank({ chunks, chunker }: ModelContents): number {
  if (chunks === undefined) return 0;
  if (chunks.some(({ digest }) => digest === undefined)) return 1;
  return chunker === undefined ? 2 : 3;
}

function differ(a: string | undefined, b: string | undefined): boolean {
  return a !== undefined && b !== undefined && a !== b;
}
