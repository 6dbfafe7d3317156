/**
 * Checks by hand for the parts that manifests have by the hundred thousand: zod takes longer for them than it takes to read
 * them. Each gives what its schema would give, or undefined where only the schema can tell; a test holds the two together.
 */
import { type Digest, isDigest, isLowerHex } from './digest.ts';
import { MAX_CHUNK_BYTES, MAX_MODEL_BYTES, MAX_TIME_MS } from './limits.ts';
import { type ModelPath, modelPathProblem } from './model-path.ts';

/** Unix permission bits. */
export const MAX_FILE_MODE = 0o777;
const GIT_SHA1_LENGTH = 40;

/** A file of a manifest, or of contents whose hashes are not all known. */
export interface UsualFile {
  path: ModelPath;
  size: number;
  sha256?: Digest;
  mode?: number;
  mtimeMs?: number;
  gitSha1?: string;
}

/** A file of a manifest. */
export function usualFile(value: unknown): (UsualFile & { sha256: Digest }) | undefined {
  const file = anyUsualFile(value, false);
  return file?.sha256 === undefined ? undefined : (file as UsualFile & { sha256: Digest });
}

/** A file of contents. */
export function usualContentsFile(value: unknown): UsualFile | undefined {
  return anyUsualFile(value, true);
}

/** @param hasGitSha1 whether such a file may have one; else it is left out, as all that is not known is */
function anyUsualFile(value: unknown, hasGitSha1: boolean): UsualFile | undefined {
  const given = recordOf(value);
  const { path, size } = given;
  if (typeof path !== 'string' || modelPathProblem(path) !== undefined) return undefined;
  if (!isInteger(size, 0, MAX_MODEL_BYTES)) return undefined;
  const file: UsualFile = { path: path as ModelPath, size };
  // One that is there as undefined stays so: that is rare enough for the schema.
  if (isDigestText(given.sha256)) file.sha256 = given.sha256;
  else if ('sha256' in given) return undefined;
  if (isInteger(given.mode, 0, MAX_FILE_MODE)) file.mode = given.mode;
  else if ('mode' in given) return undefined;
  if (isInteger(given.mtimeMs, 0, MAX_TIME_MS)) file.mtimeMs = given.mtimeMs;
  else if ('mtimeMs' in given) return undefined;
  if (!hasGitSha1) return file;
  if (isGitSha1(given.gitSha1)) file.gitSha1 = given.gitSha1;
  else if ('gitSha1' in given) return undefined;
  return file;
}

/** A chunk of a manifest. */
export function usualChunk(value: unknown): { digest: Digest; size: number } | undefined {
  const { digest, size } = recordOf(value);
  return isDigestText(digest) && isInteger(size, 1, MAX_CHUNK_BYTES) ? { digest, size } : undefined;
}

const NO_RECORD: Readonly<Record<string, unknown>> = {};

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : NO_RECORD;
}

function isInteger(value: unknown, min: number, max: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max;
}

function isDigestText(value: unknown): value is Digest {
  return typeof value === 'string' && isDigest(value);
}

function isGitSha1(value: unknown): value is string {
  return typeof value === 'string' && value.length === GIT_SHA1_LENGTH && isLowerHex(value);
}
