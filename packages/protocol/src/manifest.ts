import * as z from 'zod';
import { type Digest, digestSchema, modelDigest } from './digest.ts';
import { ModelRtcError } from './errors.ts';
import { MAX_CHUNK_BYTES, MAX_CHUNKS, MAX_FILES, MAX_MODEL_BYTES, MAX_TIME_MS } from './limits.ts';
import { listSchema } from './list-schema.ts';
import { modelPathSchema, pathsProblem } from './model-path.ts';
import { schemaProblem } from './schema-problem.ts';

export const MANIFEST_VERSION = 1;

const sizeSchema = z.number().int().min(0).max(MAX_MODEL_BYTES);

export const manifestFileSchema = z.object({
  path: modelPathSchema,
  size: sizeSchema,
  sha256: digestSchema,
  /** Unix permission bits; only the executable bits matter to a receiver. */
  mode: z.number().int().min(0).max(0o777).optional(),
  /** When the file was last written, in milliseconds since 1970. No part of the digest. */
  mtimeMs: z.number().int().min(0).max(MAX_TIME_MS).optional(),
});

const chunkSchema = z.object({
  digest: digestSchema,
  size: z.number().int().min(1).max(MAX_CHUNK_BYTES),
});

/**
 * What a model's files are and how to fetch them. The chunks cover the files laid end to end in order, so a chunk may
 * span files.
 */
export const manifestSchema = z
  .object({
    version: z.literal(MANIFEST_VERSION),
    files: listSchema(manifestFileSchema, { min: 1, max: MAX_FILES }),
    chunker: z.string().min(1).max(64),
    chunks: listSchema(chunkSchema, { max: MAX_CHUNKS }),
  })
  .superRefine((manifest, context) => {
    const problem = manifestProblem(manifest);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
  });

export type Manifest = z.infer<typeof manifestSchema>;
export type ManifestFile = Manifest['files'][number];
export type ManifestChunk = Manifest['chunks'][number];

/**
 * A manifest from any outside value.
 * @throws ModelRtcError `invalid_model` that says which rule is broken.
 */
export function parseManifest(value: unknown): Manifest {
  const parsed = manifestSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new ModelRtcError(
    'invalid_model',
    `The manifest is not valid (${schemaProblem(parsed.error)}); nothing was stored.`,
  );
}

/** A file's time as a manifest has it; undefined for one that it cannot have. */
export function manifestTime(mtimeNs: bigint): number | undefined {
  // A file system may keep a little less than it was given.
  const timeMs = Number((mtimeNs + 500_000n) / 1_000_000n);
  return timeMs >= 0 && timeMs <= MAX_TIME_MS ? timeMs : undefined;
}

/** The bytes of all files of a manifest. */
export function modelSize(manifest: Pick<Manifest, 'files'>): number {
  return manifest.files.reduce((sum, file) => sum + file.size, 0);
}

/** The digest that a manifest's own file list gives. */
export function manifestDigest(manifest: Pick<Manifest, 'files'>): Digest {
  return modelDigest(manifest.files);
}

/** The rule that the parts of a manifest break together, or undefined. A list without chunks has no rule for them. */
export function manifestProblem({ files, chunks }: FilesAndChunks): string | undefined {
  const paths = pathsProblem(files.map((file) => file.path));
  if (paths !== undefined) return paths;
  const fileBytes = files.reduce((sum, file) => sum + file.size, 0);
  if (!Number.isSafeInteger(fileBytes)) return 'the files are larger than any disk';
  const chunkBytes = chunks?.reduce((sum, chunk) => sum + chunk.size, 0) ?? fileBytes;
  return fileBytes === chunkBytes ? undefined : `the chunks have ${chunkBytes} bytes but the files have ${fileBytes}`;
}

interface FilesAndChunks {
  readonly files: readonly { readonly path: string; readonly size: number }[];
  readonly chunks?: readonly { readonly size: number }[] | undefined;
}
