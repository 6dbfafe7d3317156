import * as z from 'zod';
import { type Digest, digestSchema, findModelDigest, modelDigest } from './digest.ts';
import { ModelRtcError } from './errors.ts';
import { MAX_CHUNK_BYTES, MAX_CHUNKS, MAX_FILES, MAX_MODEL_BYTES, MAX_TIME_MS } from './limits.ts';
import { listSchema } from './list-schema.ts';
import { findPathsProblem, pathsLengthProblem } from './model-path.ts';
import { modelPathSchema } from './name-schemas.ts';
import { schemaProblem } from './schema-problem.ts';
import { runAtOnce, runInSlices, type Steps } from './steps.ts';
import { MAX_FILE_MODE, usualChunk, usualFile } from './usual-parts.ts';

export const MANIFEST_VERSION = 1;

const sizeSchema = z.number().int().min(0).max(MAX_MODEL_BYTES);

export const manifestFileSchema = z.object({
  path: modelPathSchema,
  size: sizeSchema,
  sha256: digestSchema,
  /** Unix permission bits; only the executable bits matter to a receiver. */
  mode: z.number().int().min(0).max(MAX_FILE_MODE).optional(),
  /** When the file was last written, in milliseconds since 1970. No part of the digest. */
  mtimeMs: z.number().int().min(0).max(MAX_TIME_MS).optional(),
});

const chunkSchema = z.object({
  digest: digestSchema,
  size: z.number().int().min(1).max(MAX_CHUNK_BYTES),
});

const filesSchema = listSchema(manifestFileSchema, {
  ...{ min: 1, max: MAX_FILES, quick: usualFile },
  together: pathsLengthProblem,
});
const chunksSchema = listSchema(chunkSchema, { max: MAX_CHUNKS, quick: usualChunk });

/**
 * What a model's files are and how to fetch them. The chunks cover the files laid end to end in order, so a chunk may
 * span files.
 */
export const manifestSchema = z
  .object({
    version: z.literal(MANIFEST_VERSION),
    files: filesSchema,
    chunker: z.string().min(1).max(64),
    chunks: chunksSchema,
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

/**
 * The same for a manifest that may be long: in slices, so that it does not hold the event loop.
 * @throws ModelRtcError as `parseManifest` does
 */
export async function readManifest(value: unknown): Promise<Manifest> {
  await prepareManifest(value);
  return parseManifest(value);
}

/** Checks in slices what may be a manifest. Its schema then finds the work done, whether the manifest is taken or refused. */
export async function prepareManifest(value: unknown): Promise<void> {
  await runInSlices(checkManifest(value));
}

/** Lists with fewer items are checked at once, in a millisecond or two. */
const LONG_LIST_ITEMS = 1_000;

/** The manifest in parameters or an answer, when it is so long that it has to be prepared. */
export function longManifest(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('manifest' in value)) return undefined;
  const { files, chunks } = (value.manifest ?? {}) as { readonly files?: unknown; readonly chunks?: unknown };
  const isLong = [files, chunks].some((list) => Array.isArray(list) && list.length > LONG_LIST_ITEMS);
  return isLong ? value.manifest : undefined;
}

function* checkManifest(value: unknown): Steps<void> {
  const files = yield* checkParts(value, filesSchema, chunksSchema);
  if (files !== undefined) yield* findModelDigest(files);
}

interface PartCheck<T> {
  readonly check: (value: unknown) => Steps<T[] | undefined>;
}

/**
 * Checks the lists of what may be a manifest or contents, so that their schemas find the work done.
 * @returns the files, unless they are refused
 */
export function* checkParts<T extends { readonly path: string; readonly size: number }>(
  value: unknown,
  filesSchema: PartCheck<T>,
  chunksSchema: PartCheck<unknown>,
): Steps<readonly T[] | undefined> {
  if (typeof value !== 'object' || value === null) return undefined;
  const parts: { readonly files?: unknown; readonly chunks?: unknown } = value;
  yield* chunksSchema.check(parts.chunks);
  const files = yield* filesSchema.check(parts.files);
  const problem = files === undefined ? undefined : yield* findFilesProblem(files);
  return problem === undefined ? files : undefined;
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
  const paths = runAtOnce(findFilesProblem(files));
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

/** The rule that the paths of these files break together, or undefined. What was found for a list is remembered. */
function* findFilesProblem(files: FilesAndChunks['files']): Steps<string | undefined> {
  const known = filesProblems.get(files);
  if (known !== undefined) return known.problem;
  const problem = yield* findPathsProblem(files.map(({ path }) => path));
  filesProblems.set(files, { problem });
  return problem;
}

const filesProblems = new WeakMap<FilesAndChunks['files'], { readonly problem: string | undefined }>();
