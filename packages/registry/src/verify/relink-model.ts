import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { atStorage, ignoreMissing } from '@model-rtc/files';
import { type Digest, type Manifest, ModelRtcError, manifestDigest } from '@model-rtc/protocol';
import type { RegistryContext } from '../context.ts';
import { resolveNamed } from '../entry/resolve.ts';
import type { StoredEntry } from '../entry/types.ts';
import { copyFiles } from '../files/copy-files.ts';
import type { FileProblem } from '../files/types.ts';
import { realOriginal } from '../import/import-model.ts';
import { folderOfOriginals, linkFiles, makeFolders } from '../import/link-files.ts';
import { placeModel } from '../import/place-model.ts';
import type { ScannedFile } from '../import/scanned-model.ts';
import { withImportFolder } from '../import/staging.ts';
import type { ImportResult, WorkOptions } from '../import/types.ts';
import { inPhase } from '../progress.ts';
import { readManifestNote } from '../store/model-notes.ts';
import type { FileStat } from '../store/types.ts';
import type { VerifyContext } from './hash-found.ts';
import { draftOf } from './replace-files.ts';

const LISTED_DIFFERENCES = 3;

/** A model's files at another place, before they were read. */
interface FilesElsewhere {
  readonly root: string;
  readonly manifest: Manifest;
  readonly files: readonly ScannedFile[];
}

/** Points a model at the same files in another place, after reading all of them. */
export async function relinkModel(
  context: VerifyContext,
  ref: string,
  path: string,
  options: WorkOptions,
): Promise<ImportResult> {
  const { index, paths } = context;
  const { stored } = await resolveNamed(context, await index.read(), ref);
  const { digest } = stored;
  if (digest === undefined) {
    const sentence = `Model ${stored.id} is still training, so there is nothing to compare its files with. Try again when it is done.`;
    throw new ModelRtcError('busy', sentence);
  }
  const root = await realOriginal(context, path);
  const found = await findFiles(context, stored, digest, root, options);
  const placed = await withImportFolder(paths.staging, async (staged) => {
    const filesIn = stored.filesIn === undefined ? undefined : folderOfOriginals(found.files);
    const stats = await stageVerified(context, staged, found, { linked: stored.linked, filesIn }, options);
    return await placeModel(context, {
      staged,
      digest,
      manifest: found.manifest,
      stats,
      draft: draftOf(stored),
      alias: undefined,
      ifExists: 'overwrite',
      linked: stored.linked,
      filesIn,
      originalPath: root,
      importedWith: stored.importedWith,
      signal: options.signal,
    });
  });
  const entry = await context.show(placed.stored);
  return { entry, manifest: found.manifest, outcome: 'imported', skipped: [] };
}

async function findFiles(
  context: RegistryContext,
  stored: StoredEntry,
  digest: Digest,
  root: string,
  { signal, onProgress }: WorkOptions,
): Promise<FilesElsewhere> {
  const manifest = await readManifestNote(join(context.paths.models, stored.folder), digest).catch(() => undefined);
  if (manifest !== undefined) return { root, manifest, files: await statFiles(root, manifest) };
  // Without the manifest, only a scan can find the model's files, and only their digest can prove that they are.
  const { scanModel, hashFiles } = await context.loadImportSteps();
  const { files } = await scanModel(root, { ...stored.importedWith, modelType: stored.modelType, isExact: true });
  const hashed = await hashFiles(files, { signal, onProgress: inPhase(onProgress, 'hash') });
  if (manifestDigest(hashed.manifest) === digest) return { root, manifest: hashed.manifest, files };
  throw notTheModel(root, [{ path: '', problem: 'its digest is different' }]);
}

async function statFiles(root: string, { files }: Manifest): Promise<ScannedFile[]> {
  const rootIsFile = (await stat(root)).isFile();
  const only = files.length === 1 && rootIsFile;
  const scanned: ScannedFile[] = [];
  const problems: FileProblem[] = [];
  for (const { path, size } of files) {
    // A file stands for those that belong to it.
    const absolutePath = only ? root : join(rootIsFile ? dirname(root) : root, path);
    const found = await atStorage(absolutePath, 'read', () => ignoreMissing(stat(absolutePath, { bigint: true })));
    if (found === undefined) problems.push({ path, problem: 'it is not there' });
    else if (!found.isFile()) problems.push({ path, problem: 'it is not a plain file' });
    else if (found.size !== BigInt(size)) problems.push({ path, problem: `it has ${found.size} bytes, not ${size}` });
    else scanned.push({ path, absolutePath, size, mode: Number(found.mode) & 0o777, mtimeNs: found.mtimeNs });
  }
  if (problems.length > 0) throw notTheModel(root, problems);
  return scanned;
}

/** Puts links or copies into the staged folder and reads them there, so that exactly the verified files are placed. */
async function stageVerified(
  context: VerifyContext,
  staged: string,
  { root, manifest, files }: FilesElsewhere,
  { linked, filesIn }: Pick<StoredEntry, 'linked' | 'filesIn'>,
  { signal, onProgress }: WorkOptions,
): Promise<readonly FileStat[]> {
  if (filesIn === undefined) await makeFolders(staged, files);
  if (filesIn === undefined && linked) await linkFiles(context, staged, files);
  else if (filesIn === undefined) await copyFiles(files, staged, { signal, onProgress: inPhase(onProgress, 'copy') });
  const hashed = await context.hashFound({ path: filesIn ?? staged, linked }, manifest, {
    signal,
    onProgress: inPhase(onProgress, 'verify'),
  });
  if (hashed.problems.length > 0) throw notTheModel(root, hashed.problems);
  return hashed.stats.filter((found) => found !== undefined);
}

function notTheModel(root: string, problems: readonly FileProblem[]): ModelRtcError {
  const listed = problems
    .slice(0, LISTED_DIFFERENCES)
    .map(({ path, problem }) => (path === '' ? problem : `${JSON.stringify(path)}: ${problem}`))
    .join('; ');
  const more = problems.length > LISTED_DIFFERENCES ? ` and ${problems.length - LISTED_DIFFERENCES} more` : '';
  const sentence = `The files at ${root} are not the model (${listed}${more}); nothing was changed. Import it as a model of its own, or give another path.`;
  return new ModelRtcError('verification_failed', sentence, {
    details: { path: root, problems: problems.slice(0, 100) },
  });
}
