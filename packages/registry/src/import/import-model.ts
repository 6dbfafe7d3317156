import { realpath, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { isInside, isMissing, storageError } from '@model-rtc/files';
import { ModelRtcError, manifestDigest, modelSize } from '@model-rtc/protocol';
import type { RegistryContext } from '../context.ts';
import { aliasTaken } from '../entry/aliases.ts';
import { copyFiles, requireSame } from '../files/copy-files.ts';
import { isWhole } from '../files/registered-model.ts';
import type { HashedFiles } from '../hash/types.ts';
import { inPhase } from '../progress.ts';
import { readAdditions } from './additions.ts';
import { repositoryOf } from './hub-cache.ts';
import { requireInside } from './inside-folder.ts';
import { emptyFolder, folderOfOriginals, lacksLinks, linkFiles, makeFolders } from './link-files.ts';
import { type ImportWork, placeImported, resultOf, type StagedFiles } from './place-imported.ts';
import type { FileOptions, ScannedFile, ScannedModel, ScanOptions } from './scanned-model.ts';
import { withImportFolder } from './staging.ts';
import type { ImportResult, ImportSteps } from './types.ts';

/** Scans, hashes, stages and registers the model at a path. */
export async function importModel(context: RegistryContext, path: string, work: ImportWork): Promise<ImportResult> {
  const original = await realOriginal(context, path);
  const additions = await readAdditions(context, work);
  const steps = await context.loadImportSteps();
  // All of it loads while the thread scans.
  const [scanned, completeness, hashCache, inspection] = await Promise.all([
    steps.scanModel(original, scanOptions(work)),
    import('../inspect/find-incomplete.ts'),
    work.ifExists === 'overwrite' ? undefined : context.loadHashCache(),
    import('../inspect/code-files.ts'),
  ]);
  if (work.found !== undefined) {
    const { foundIn, linksWithin } = work.found;
    await requireInside(scanned.files, foundIn, linksWithin);
  }
  const flaws = [...(await completeness.findIncomplete(context.reading, scanned.files, work.signal))];
  const requireWhole = () => {
    if (flaws.length > 0 && work.allowIncomplete !== true) throw completeness.incompleteError(path, flaws);
  };
  requireWhole();
  await refuseTakenAlias(context, work, scanned);
  if (work.convert !== undefined) {
    const { importConverted } = await import('../convert/import-converted.ts');
    const converted = await importConverted(context, { original, scanned, additions, hashCache }, work);
    if (converted !== undefined) return converted;
  }
  // Hashing refuses files that are not as they were scanned, so that what is looked at here is what is registered.
  const codeFiles = await inspection.inspectFiles(context.reading, scanned.files, {
    ...work,
    isUnknown: work.asIs,
  });
  const hashed = await steps.hashFiles(scanned.files, {
    signal: work.signal,
    cache: hashCache,
    onProgress: inPhase(work.onProgress, 'hash'),
  });
  flaws.push(...(await completeness.findDamagedBlobs(scanned.files, hashed.manifest)));
  requireWhole();
  const components = await completeness.findComponents(context.reading, scanned.files, flaws, work.signal);
  const looked = { codeFiles, incomplete: completeness.toIncomplete(flaws), components };
  const placed = await withImportFolder(context.paths.staging, async (staged) => {
    const kept = await stageFiles(context, steps, staged, scanned, hashed, work);
    const hashes = { manifest: hashed.manifest, ...kept };
    return await placeImported(context, staged, scanned.movedTo ?? original, scanned, hashes, {
      ...work,
      additions,
      ...looked,
    });
  });
  const result = await resultOf(context, placed, hashed.manifest, scanned);
  return work.convert === undefined ? result : { ...result, converted: [] };
}

function scanOptions({ modelType, revision, found, ...work }: ImportWork): ScanOptions {
  const where = found === undefined ? {} : { isExact: true, linksWithin: found.linksWithin ?? [found.foundIn] };
  return { ...fileOptions(work), ...where, modelType, revision };
}

/** What decides over a model's files, to look at them in the same way when they are imported again. */
function fileOptions({ withTrainingState, asOne, asIs, include, exclude, followLinks }: FileOptions): FileOptions {
  return { withTrainingState, asOne, asIs, include, exclude, followLinks };
}

export async function realOriginal({ paths }: RegistryContext, path: string): Promise<string> {
  const original = await realPlace(resolve(path)).catch((thrown: unknown) => {
    throw cannotImport(path, thrown);
  });
  const roots = await Promise.all([paths.models, paths.staging].map((root) => realpath(root).catch(() => root)));
  if (!roots.some((root) => isInside(original, root))) return original;
  const sentence = `${path} is in the registry's own folder. Name the model by its id or alias, or import the original.`;
  throw new ModelRtcError('bad_argument', sentence, { details: { path } });
}

/** The files of a snapshot in a hub's cache are links, and only the link has the file's name. */
async function realPlace(path: string): Promise<string> {
  const folder = await realpath(dirname(path)).catch(() => dirname(path));
  const real = await realpath(path);
  return repositoryOf(folder) === undefined ? real : join(folder, basename(path));
}

function cannotImport(path: string, thrown: unknown): ModelRtcError {
  if (!isMissing(thrown)) return storageError(thrown, path, 'read');
  const sentence = `There is nothing at ${path}. Give the path of a model's folder or of its weights file.`;
  return new ModelRtcError('not_found_locally', sentence, { cause: thrown, details: { path } });
}

/** Before hours of hashing: an alias of a model that cannot be this one. It is checked again when the model is placed. */
async function refuseTakenAlias(
  { index }: RegistryContext,
  { alias, aliasConflict, convert }: ImportWork,
  { files }: ScannedModel,
): Promise<void> {
  if (alias === undefined || aliasConflict !== undefined) return;
  const known = await index.read();
  const owner = known.byAlias.get(alias);
  // What the model is converted to is known afterwards alone.
  if (owner === undefined || (convert !== undefined && owner.lineage?.convertedFrom !== undefined)) return;
  const size = files.reduce((sum, file) => sum + file.size, 0);
  if (owner.size !== size || owner.fileCount !== files.length) throw aliasTaken(known, alias, owner);
}

async function stageFiles(
  context: RegistryContext,
  steps: ImportSteps,
  staged: string,
  { files }: ScannedModel,
  hashed: HashedFiles,
  work: ImportWork,
): Promise<StagedFiles> {
  const { copy = false, ifExists, withoutLinks } = work;
  const linked: StagedFiles = { stats: hashed.stats, linked: true };
  const existing = (await context.index.read()).byDigest.get(manifestDigest(hashed.manifest));
  if (existing !== undefined && ifExists !== 'overwrite' && (await isWhole(context, existing))) {
    // Were the model removed before this one is placed, an empty folder would be registered in its place.
    await rm(staged, { recursive: true, force: true });
    return { ...linked, linked: !copy };
  }
  await makeFolders(staged, files);
  if (copy) return await stageCopies(steps, staged, files, hashed, work);
  try {
    await linkFiles(context, staged, files);
    return linked;
  } catch (error) {
    if (withoutLinks === undefined || !lacksLinks(error)) throw error;
  }
  await emptyFolder(staged);
  if (withoutLinks === 'in-place') return { ...linked, filesIn: folderOfOriginals(files) };
  await makeFolders(staged, files);
  return await stageCopies(steps, staged, files, hashed, work);
}

async function stageCopies(
  { hashFiles }: ImportSteps,
  staged: string,
  files: readonly ScannedFile[],
  hashed: HashedFiles,
  { signal, onProgress, makeRoom }: ImportWork,
): Promise<StagedFiles> {
  const coming = { bytes: modelSize(hashed.manifest), digest: manifestDigest(hashed.manifest) };
  await makeRoom?.(coming);
  const copies = await copyFiles(files, staged, { signal, onProgress: inPhase(onProgress, 'copy') });
  const again = await hashFiles(copies, { signal, onProgress: inPhase(onProgress, 'verify') });
  requireSame(hashed.manifest, again.manifest, copies);
  await makeRoom?.(coming);
  return { stats: again.stats, linked: false };
}
