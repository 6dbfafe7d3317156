import {
  type ContentsFile,
  type Digest,
  digestSchema,
  isDigest,
  MAX_CHUNK_BYTES,
  MAX_CHUNKS,
  MAX_FILES,
  MAX_MODEL_BYTES,
  type ModelContents,
  ModelRtcError,
  modelDigest,
  parseContents,
  sha256Digest,
} from '@model-rtc/protocol';
import * as z from 'zod';
import { registryError } from './errors.ts';

const size = z.number().int().min(0).max(MAX_MODEL_BYTES);
/** Checked one by one below, since a list of zod's goes on after its first bad item. */
const list = (max: number, min = 0) => z.array(z.unknown()).min(min).max(max);

const shapeSchema = z.object({
  total_size: size,
  chunk_size: size.min(1),
  chunks: list(MAX_CHUNKS),
  files: list(MAX_FILES, 1),
  digest: digestSchema.optional(),
});

/** A model's manifest in a static registry, checked. */
export interface StaticManifest {
  /** The SHA-256 of its bytes: its name in the registry. */
  readonly hash: Digest;
  /** Of all files together. */
  readonly totalBytes: number;
  /** The files, laid end to end in order, are cut every so many bytes. */
  readonly chunkBytes: number;
  readonly chunks: readonly Digest[];
  readonly contents: ModelContents;
}

/**
 * @param hash - that the list of models gives; nothing of the manifest is looked at before its bytes are found to have it
 * @throws ModelRtcError `verification_failed` for other bytes, `invalid_model` for a manifest that breaks a rule
 */
export function parseStaticManifest(bytes: Uint8Array, hash: Digest): StaticManifest {
  const found = sha256Digest(bytes);
  if (found !== hash) {
    throw registryError(
      'hash_mismatch',
      `The manifest in the registry has the SHA-256 ${found.slice(0, 12)}..., and its list says ${hash.slice(0, 12)}.... Nothing was stored. Try again later, or tell the publisher.`,
      { expected: hash, found },
    );
  }
  const { total_size: totalBytes, chunk_size: chunkBytes, ...shape } = parseShape(bytes, hash);
  const chunks = shape.chunks.map((chunk) => requireDigest(chunk, hash));
  const count = Math.ceil(totalBytes / chunkBytes);
  if (chunks.length !== count) {
    throw invalid(
      hash,
      `it has ${chunks.length} chunks where ${totalBytes} bytes cut every ${chunkBytes} make ${count}`,
    );
  }
  const contents = contentsOf({ hash, totalBytes, chunkBytes, chunks }, shape.files, shape.digest);
  return { hash, totalBytes, chunkBytes, chunks, contents };
}

/** The bytes of one chunk: all have the same but the last. */
export function chunkSize({ totalBytes, chunkBytes }: Omit<StaticManifest, 'contents'>, chunk: number): number {
  return Math.min(chunkBytes, totalBytes - chunk * chunkBytes);
}

function parseShape(bytes: Uint8Array, hash: Digest) {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw invalid(hash, 'it is not JSON', error);
  }
  const parsed = shapeSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw invalid(hash, `${issue?.path.join('.') || 'it'}: ${issue?.message}`, parsed.error);
}

function requireDigest(value: unknown, hash: Digest): Digest {
  if (typeof value === 'string' && isDigest(value)) return value;
  throw invalid(hash, 'a chunk is not a SHA-256 of 64 lower-case hex characters');
}

/** Chunks that are longer than ours may be become spans. */
function contentsOf(
  cut: Omit<StaticManifest, 'contents'>,
  listed: readonly unknown[],
  digest: Digest | undefined,
): ModelContents {
  const pieces = cut.chunks.map((chunk, i) => ({ digest: chunk, size: chunkSize(cut, i) }));
  const files = listed.map((file) => known(file));
  try {
    const checked = parseContents({
      files,
      ...(cut.chunkBytes > MAX_CHUNK_BYTES ? { spans: pieces } : { chunks: pieces }),
    });
    return { ...checked, ...digestOf(checked.files, digest, cut.hash) };
  } catch (error) {
    const { message } = ModelRtcError.from(error);
    throw invalid(cut.hash, /\((.*)\)/s.exec(message)?.[1] ?? message, error);
  }
}

/** The fields of a file that count; others are left alone. */
function known(file: unknown): unknown {
  if (typeof file !== 'object' || file === null) return file;
  const { path, size: bytes, sha256 } = file as Partial<ContentsFile>;
  return { path, size: bytes, ...(sha256 === undefined ? {} : { sha256 }) };
}

/** With the SHA-256 of every file the digest follows, and must be what the manifest says. */
function digestOf(files: readonly ContentsFile[], said: Digest | undefined, hash: Digest): { digest?: Digest } {
  if (!files.every(({ sha256 }) => sha256 !== undefined)) return said === undefined ? {} : { digest: said };
  const digest = modelDigest(files.map((file) => ({ ...file, sha256: file.sha256 as Digest })));
  if (said === undefined || said === digest) return { digest };
  throw invalid(hash, 'its digest is not that of its files');
}

function invalid(hash: Digest, why: string, cause?: unknown): ModelRtcError {
  return registryError(
    'manifest_invalid',
    `The manifest ${hash.slice(0, 12)}... in the registry is not valid (${why}). Nothing was stored. Tell the publisher.`,
    { hash },
    cause,
  );
}
