import { join, relative, sep } from 'node:path';
import {
  type FolderExtras,
  type ModelFolder,
  noModelAt,
  recogniseFolder,
  severalModelsError,
  toFolder,
  trainingStateReason,
} from '@model-rtc/formats/layouts';
import { inflate } from '../inspect/inflate.ts';
import { createFileChoice, type FileChoice, rebased } from './file-choice.ts';
import { isHubRepositoryAt } from './hub-cache.ts';
import { leaveOutPrograms } from './leave-out-programs.ts';
import { withoutLogs } from './left-out-logs.ts';
import { namingLeftOut } from './left-out-weights.ts';
import { linkRulesFor } from './link-rules.ts';
import { toModelFile } from './model-files-on-disk.ts';
import { modelsOfStore, ollamaModelAt, ollamaStoreAt } from './ollama-store.ts';
import { filesAround, runAround } from './run-around.ts';
import { scanOllamaModel } from './scan-ollama.ts';
import type { ModelInFolder, Scanned, ScannedFile, ScanOptions, SkippedPath } from './scanned-model.ts';
import { chooseSnapshot, listModels, requireNoRevision } from './several.ts';
import { type FoundFiles, walkFolder } from './walk-folder.ts';

/** Finds the one model of a folder. @throws ModelRtcError as `scanModel` */
export async function scanFolder(root: string, options: ScanOptions): Promise<Scanned> {
  return await scanAround(root, options, createFileChoice(options.include, options.exclude));
}

/** The files under a folder that may belong to models. @throws ModelRtcError as `walkFolder` */
export async function walkChosen(root: string, options: ScanOptions, choice: FileChoice): Promise<FoundFiles> {
  const { followLinks = false, linksWithin } = options;
  return await walkFolder(root, {
    choice,
    links: await linkRulesFor(root, { follow: followLinks, within: linksWithin }),
  });
}

/** The model of a folder: its own, that of the run that it is a part of, or the only run in it. */
async function scanAround(named: string, options: ScanOptions, choice: FileChoice): Promise<Scanned> {
  if (await isHubRepositoryAt(named)) return await scanSnapshot(await chooseSnapshot(named, options), options, choice);
  requireNoRevision(named, options);
  const store = await ollamaStoreAt(named);
  if (store !== undefined) return await scanStore(named, store, options);
  const { asOne = false, isExact = asOne } = options;
  const root = isExact ? named : await runAround(named);
  const found = await walkChosen(root, options, choice);
  const models = await listModels(root, found);
  requireOne(root, models, found, asOne);
  const [only] = models;
  if (only?.kind === 'snapshot') return await scanSnapshot(join(root, only.path), options, choice);
  if (found.problem !== undefined) throw found.problem.error;
  const paths = found.files.map(({ path }) => path);
  const below = only !== undefined && !isExact && standsFor(only, paths) ? only : undefined;
  if (below === undefined) return moved(named, root, await scanFound(root, found, options, choice));
  const place = join(root, below.path);
  const inside = rebased(choice, below.path);
  const scanned = await scanFound(place, await walkWhole(place, options, inside), options, inside);
  const around = below.kind === 'model' ? namedFrom(place, root, found.skipped) : [];
  return moved(named, place, { ...scanned, skipped: [...scanned.skipped, ...around] });
}

function requireOne(
  root: string,
  models: readonly ModelInFolder[],
  { repositories }: FoundFiles,
  asOne: boolean,
): void {
  if (models.length < 2 && !asOne) return;
  if (!asOne) throw severalModelsError(root, models);
  if (repositories.length === 0) return;
  throw severalModelsError(root, models, "The models of a hub's cache cannot be taken as one: import each with --all.");
}

async function walkWhole(root: string, options: ScanOptions, choice: FileChoice): Promise<FoundFiles> {
  const found = await walkChosen(root, options, choice);
  if (found.problem !== undefined) throw found.problem.error;
  return found;
}

function moved(named: string, place: string, scanned: Scanned): Scanned {
  return place === named ? scanned : { ...scanned, movedTo: place };
}

/** What was left out around a model, by its path from there. */
function namedFrom(place: string, root: string, skipped: readonly SkippedPath[]): SkippedPath[] {
  const named = skipped.map((one) => ({ ...one, path: relative(place, join(root, one.path)).split(sep).join('/') }));
  return named.filter(({ path }) => path.startsWith('../'));
}

/** Whether a folder above means the model: what else is there does not belong to it. */
function standsFor({ path, kind }: ModelInFolder, paths: readonly string[]): boolean {
  if (path === '') return false;
  return kind === 'run' || (kind === 'model' && paths.every((other) => other.startsWith(`${path}/`)));
}

/** The only model of ollama's store. @throws ModelRtcError `bad_argument` when it has several, or none */
async function scanStore(named: string, store: string, options: ScanOptions): Promise<Scanned> {
  const models = await modelsOfStore(named, store);
  if (models.length > 1) throw severalModelsError(named, models, 'Import one of them, or each of them with --all.');
  const [only] = models;
  const model = only === undefined ? undefined : await ollamaModelAt(join(named, only.path));
  if (model === undefined) throw noModelAt(named);
  return { movedTo: model.path, ...(await scanOllamaModel(model, options)) };
}

/** A repository of a hub's cache stands for the version of it that is there. */
async function scanSnapshot(path: string, options: ScanOptions, choice: FileChoice): Promise<Scanned> {
  return { movedTo: path, ...(await scanAround(path, { ...options, revision: undefined }, choice)) };
}

async function scanFound(
  root: string,
  everything: FoundFiles,
  { modelType, withTrainingState = false }: ScanOptions,
  choice: FileChoice,
): Promise<Scanned> {
  const found = withoutLogs(everything, choice);
  const skipped: SkippedPath[] = [...found.skipped];
  const keep = (files: readonly ScannedFile[], reasonOf: ((path: string) => string | undefined) | undefined) =>
    files.filter(({ path, size }) => {
      const reason = choice.includes(path) ? undefined : reasonOf?.(path);
      if (reason !== undefined) skipped.push({ path, reason, bytes: size });
      return reason === undefined;
    });
  const { files: withoutPrograms, programs } = await leaveOutPrograms(found.files, choice);
  skipped.push(...programs);
  const files = withTrainingState ? withoutPrograms : keep(withoutPrograms, trainingStateReason);
  const kept = new Set(files);
  const aside = found.files.filter((file) => !kept.has(file)).map(toModelFile);
  const folder = folderOnDisk(root, files, { aside, around: async (path) => await filesAround(root, path) });
  const { facts, leaveOut } = await recogniseFolder(folder, { typeIsKnown: modelType !== undefined }).catch(
    async (thrown: unknown) => await namingLeftOut(thrown, root, skipped),
  );
  return { files: keep(files, leaveOut), facts, skipped, followed: found.followed };
}

/** The files of a folder as the layouts look at them. */
export function folderOnDisk(root: string, files: readonly ScannedFile[], extras?: FolderExtras): ModelFolder {
  return toFolder(root, files.map(toModelFile), { inflate }, extras);
}
