import { lstat, readFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { atStorage, isMissing, listFolder, makeFolder, storageError, writeFileAtomic } from '@model-rtc/files';
import { type Manifest, ModelRtcError, manifestDigest, modelPathSchema, parseManifest } from '@model-rtc/protocol';
import * as z from 'zod';
import type { ProgressOptions } from '../progress.ts';
import { type HashParts, hashWalked, openFileSet, type Walked } from './hash-file-set.ts';
import type { FileSet, KeptResults, OpenResults } from './types.ts';
import { walkFiles } from './walk-files.ts';

/** What a job's single folder of results is called in its output. */
const RESULT = 'result';
/** What was left out is named up to this many: a log line for each is enough. */
const MAX_NAMED = 100;

const notesSchema = z.object({
  version: z.literal(1),
  form: z.enum(['file', 'folder']),
  /** Where the files lie, from the notes' folder on. */
  folder: z.string(),
  hasFiles: z.boolean(),
  emptyFolders: z.array(modelPathSchema),
  /** In the order of the manifest's files. */
  stats: z.array(
    z.object({ path: z.string(), size: z.number().int().min(0), mtimeNs: z.string().regex(/^-?\d{1,20}$/) }),
  ),
});

const pathsIn = (notes: string) => ({ notes: join(notes, 'results.json'), manifest: join(notes, 'manifest.json') });

/** @throws ModelRtcError see `FileSets.keepResults` */
export async function keepResults(
  parts: HashParts,
  output: string,
  notes: string,
  options: ProgressOptions = {},
): Promise<KeptResults | undefined> {
  const found = await findResults(output);
  if (found === undefined) return undefined;
  const set = await hashWalked(parts, found, options);
  await writeNotes(notes, set);
  const { digest, form, bytes, manifest } = set;
  const leftOut = set.leftOut.slice(0, MAX_NAMED).map(({ path, reason }) => ({ path, reason }));
  return { digest, form, bytes, leftOut, fileCount: manifest?.files.length ?? 0 };
}

/** What of a job's output is its result. */
async function findResults(output: string): Promise<Walked | undefined> {
  const [first, ...others] = await listFolder(output);
  if (first === undefined) return undefined;
  const isOnlyOne = others.length === 0;
  if (isOnlyOne && first.name === RESULT && first.isDirectory()) {
    return { ...(await walkFiles(join(output, RESULT))), form: 'folder', name: RESULT };
  }
  const walked = await walkFiles(output);
  const [file] = walked.files;
  const isFile = isOnlyOne && first.isFile() && file !== undefined;
  return { ...walked, form: isFile ? 'file' : 'folder', name: isFile ? file.path : RESULT };
}

/** The manifest first: the notes say that it is there. */
async function writeNotes(notes: string, { form, folder, manifest, emptyFolders, stats }: FileSet): Promise<void> {
  await atStorage(notes, 'created', () => makeFolder(notes, 0o700));
  const paths = pathsIn(notes);
  if (manifest !== undefined) await writeFileAtomic(paths.manifest, JSON.stringify(manifest), { mode: 0o600 });
  const text = JSON.stringify({
    ...{ version: 1, form, emptyFolders, hasFiles: manifest !== undefined, folder: relative(notes, folder) },
    stats: stats.map(({ path, size, mtimeNs }) => ({ path, size, mtimeNs: String(mtimeNs) })),
  });
  await writeFileAtomic(paths.notes, text, { mode: 0o600 });
}

/** @throws ModelRtcError see `FileSets.openResults` */
export async function openResults(notes: string): Promise<OpenResults> {
  const paths = pathsIn(notes);
  const text = await readNote(paths.notes);
  const { form, folder, emptyFolders, hasFiles, stats } = parsed(paths.notes, () =>
    notesSchema.parse(JSON.parse(text)),
  );
  if (!hasFiles)
    return { digest: manifestDigest({ files: [] }), form, manifest: undefined, emptyFolders, reader: undefined };
  const manifestText = await readNote(paths.manifest);
  const manifest: Manifest = parsed(paths.manifest, () => parseManifest(JSON.parse(manifestText)));
  const digest = manifestDigest(manifest);
  const set = {
    ...{ digest, manifest, folder: resolve(notes, folder) },
    stats: stats.map((file) => ({ ...file, mtimeNs: BigInt(file.mtimeNs) })),
  };
  return { digest, form, manifest, emptyFolders, reader: openFileSet(set) };
}

async function readNote(path: string): Promise<string> {
  try {
    // Whatever lies in a job's folder may have been put there by its runner.
    if (!(await lstat(path)).isFile()) throw new Error(`${path} is no plain file`);
    return await readFile(path, 'utf8');
  } catch (thrown) {
    throw isMissing(thrown) ? noResults(thrown) : storageError(thrown, path, 'read');
  }
}

function noResults(cause: unknown): ModelRtcError {
  return new ModelRtcError('not_found', 'The job has no results.', { cause });
}

function parsed<T>(path: string, parse: () => T): T {
  try {
    return parse();
  } catch (thrown) {
    throw damaged(path, thrown);
  }
}

function damaged(path: string, cause: unknown): ModelRtcError {
  const sentence = `${path} is damaged, so the results of its job cannot be sent. Run the job again.`;
  return new ModelRtcError('storage', sentence, { cause, details: { path } });
}
