import * as z from 'zod';
import { type Digest, digestSchema, findModelDigest, modelDigest } from './digest.ts';
import { ModelRtcError } from './errors.ts';
import { MAX_CHUNK_BYTES, MAX_CHUNKS, MAX_FILES, MAX_MODEL_BYTES } from './limits.ts';
import { listSchema } from './list-schema.ts';
import { checkParts, MANIFEST_VERSION, type Manifest, manifestFileSchema, manifestProblem } from './manifest.ts';
import { pathsLengthProblem } from './model-path.ts';
import { schemaProblem } from './schema-problem.ts';
import { runInSlices, type Steps } from './steps.ts';
import { usualChunk, usualContentsFile } from './usual-parts.ts';

/** A git blob's SHA-1: that of `blob SIZE`, a zero byte and the contents. */
const gitSha1Schema = z.string().regex(/^[0-9a-f]{40}$/, 'a git SHA-1 is 40 lower-case hex characters');

const contentsFileSchema = manifestFileSchema.partial({ sha256: true }).extend({
  /** Looked at where there is no SHA-256: of a large file, git keeps a pointer to it, whose SHA-1 says nothing of the file. */
  gitSha1: gitSha1Schema.optional(),
});

const contentsChunkSchema = z.object({
  digest: digestSchema.optional(),
  size: z.number().int().min(1).max(MAX_CHUNK_BYTES),
});

/** A run of bytes that has a digest and is longer than a chunk may be. It is fetched in parts, and verified when all of it is there. */
const contentsSpanSchema = z.object({ digest: digestSchema, size: z.number().int().min(1).max(MAX_MODEL_BYTES) });

const filesSchema = listSchema(contentsFileSchema, {
  ...{ min: 1, max: MAX_FILES },
  quick: usualContentsFile,
  together: pathsLengthProblem,
});
const chunksSchema = listSchema(contentsChunkSchema, { max: MAX_CHUNKS, quick: usualChunk });
const spansSchema = listSchema(contentsSpanSchema, { max: MAX_CHUNKS });

/**
 * What is known of a model before it is fetched: its files, and whatever hashes its source has, of files, of chunks, of spans or of
 * all. A manifest is the case in which everything is known. Without `chunks`, how the files are cut is the receiver's choice.
 */
export const modelContentsSchema = z
  .object({
    digest: digestSchema.optional(),
    files: filesSchema,
    /** The name of the rules that cut the chunks, when they are those of a manifest. */
    chunker: z.string().min(1).max(64).optional(),
    /** They cover the files laid end to end in order, so one may span files. */
    chunks: chunksSchema.optional(),
    /** They cover the files laid end to end in order, so one may span files. */
    spans: spansSchema.optional(),
  })
  .superRefine((contents, context) => {
    const problem = manifestProblem(contents) ?? spansProblem(contents);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
  });

export type ModelContents = z.infer<typeof modelContentsSchema>;
export type ContentsFile = ModelContents['files'][number];
export type ContentsChunk = NonNullable<ModelContents['chunks']>[number];
export type ContentsSpan = NonNullable<ModelContents['spans']>[number];

/**
 * Contents from any outside value.
 * @throws ModelRtcError `invalid_model` that says which rule is broken.
 */
export function parseContents(value: unknown): ModelContents {
  const parsed = modelContentsSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new ModelRtcError(
    'invalid_model',
    `The list of the model's files is not valid (${schemaProblem(parsed.error)}); nothing was stored.`,
  );
}

function spansProblem({ files, spans }: Pick<ModelContents, 'files' | 'spans'>): string | undefined {
  const fileBytes = files.reduce((sum, { size }) => sum + size, 0);
  const spanBytes = spans?.reduce((sum, { size }) => sum + size, 0) ?? fileBytes;
  return fileBytes === spanBytes ? undefined : `the spans have ${spanBytes} bytes but the files have ${fileBytes}`;
}

/**
 * The same in slices, so that long contents do not hold the event loop.
 * @throws ModelRtcError as `parseContents` does
 */
export async function readContents(value: unknown): Promise<ModelContents> {
  await runInSlices(checkContents(value));
  return parseContents(value);
}

function* checkContents(value: unknown): Steps<void> {
  if (typeof value === 'object' && value !== null && 'spans' in value) yield* spansSchema.check(value.spans);
  const files = yield* checkParts(value, filesSchema, chunksSchema);
  const hashed = files === undefined ? undefined : hashedFiles(files);
  if (hashed !== undefined) yield* findModelDigest(hashed);
}

/** The files, when the SHA-256 of each is known. */
export function hashedFiles(files: readonly ContentsFile[]): Manifest['files'] | undefined {
  return files.every(({ sha256 }) => sha256 !== undefined) ? (files as Manifest['files']) : undefined;
}

/** The model's digest, when it is given or can be computed. */
export function contentsDigest({ digest, files }: Pick<ModelContents, 'digest' | 'files'>): Digest | undefined {
  if (digest !== undefined) return digest;
  const hashed = hashedFiles(files);
  return hashed === undefined ? undefined : modelDigest(hashed);
}

/** The manifest that these contents are; undefined when something of it is not known. */
export function contentsManifest({ files, chunker, chunks }: ModelContents): Manifest | undefined {
  const hashed = hashedFiles(files);
  const isCut = chunks?.every(({ digest }) => digest !== undefined);
  if (hashed === undefined || chunker === undefined || !isCut) return undefined;
  return { version: MANIFEST_VERSION, files: hashed, chunker, chunks: chunks as Manifest['chunks'] };
}
