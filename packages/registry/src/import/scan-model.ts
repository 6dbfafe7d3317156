import type { BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, extname, resolve } from 'node:path';
import { isMissing, storageError } from '@model-rtc/files';
import { ModelRtcError, suggestAlias } from '@model-rtc/protocol';
import { hubLayout } from './hub-layout.ts';
import type { FolderContents, Layout, LayoutMatch } from './layout.ts';
import { toModelType } from './scalars.ts';
import type { ScannedFile, ScannedModel, SkippedPath } from './scanned-model.ts';
import { sleapLegacyLayout, sleapNnLayout } from './sleap-layouts.ts';
import { toScannedFile, walkFolder } from './walk-folder.ts';
import { isWeightsFile, WEIGHTS_EXTENSIONS } from './weights.ts';
import { holdsTensors } from './weights-facts.ts';
import { weightsFileFacts, weightsLayout } from './weights-layout.ts';

/** The first that fits wins: a hub's `config.json` is less telling than a tool's own configuration. */
const LAYOUTS: readonly Layout[] = [sleapNnLayout, sleapLegacyLayout, hubLayout, weightsLayout];

/** A training run somewhere below the root. */
const NESTED_RUN = /^(.+)\/training_config\.(?:ya?ml|json)$/;
/** How hubs name a downloaded snapshot: by a commit, in a folder with the model's name. */
const HUB_SNAPSHOT = /models--(?:[^/\\]+--)?([^/\\]+)[/\\]snapshots[/\\][0-9a-f]{40}$/;

export interface ScanOptions {
  /** In place of the type that the model's own files tell. */
  readonly modelType?: string | undefined;
}

/**
 * Finds the model at a path: a training run of sleap-nn or SLEAP, a hub's repository, a folder of weights or a single
 * weights file. Reads what its configuration tells; hashes nothing.
 * @throws ModelRtcError `not_found_locally` when nothing is there; `bad_argument` when it holds no model, or several;
 * `invalid_model` for files that cannot be part of one; `storage` when something cannot be read.
 */
export async function scanModel(path: string, options: ScanOptions = {}): Promise<ScannedModel> {
  const modelType = checkType(options.modelType);
  const root = resolve(path);
  const stats = await statRoot(root);
  const scanned = stats.isDirectory() ? await scanFolder(root, modelType) : await scanFile(root, stats);
  const facts = modelType === undefined ? scanned.facts : { ...scanned.facts, modelType };
  return { ...scanned, facts, suggestedAlias: suggestAlias(facts.runName ?? nameOf(root, stats)) };
}

async function scanFolder(root: string, modelType: string | undefined): Promise<ScannedModel> {
  const found = await walkFolder(root);
  const folder = toContents(root, found.files);
  assertOneModel(folder);
  const match = await findLayout(folder, modelType !== undefined);
  const skipped: SkippedPath[] = [...found.skipped];
  const files = folder.files.filter((file) => {
    const reason = match.leaveOut?.(file.path);
    if (reason !== undefined) skipped.push({ path: file.path, reason });
    return reason === undefined;
  });
  if (!files.some((file) => isWeightsFile(file.path))) throw noModel(root);
  return { files, facts: match.facts, skipped };
}

async function scanFile(absolutePath: string, stats: BigIntStats): Promise<ScannedModel> {
  if (!stats.isFile()) throw noModel(absolutePath);
  const file = toScannedFile(basename(absolutePath).normalize('NFC'), absolutePath, stats);
  if (!isWeightsFile(file.path) && !(await holdsTensors(file))) throw noModel(absolutePath);
  return { files: [file], facts: await weightsFileFacts(file), skipped: [] };
}

/** A folder's files as the layouts look at them. */
export function toContents(root: string, files: readonly ScannedFile[]): FolderContents {
  const byPath = new Map<string, ScannedFile>(files.map((file) => [file.path, file]));
  return {
    root,
    files,
    weights: files.filter((file) => isWeightsFile(file.path)),
    file: (path) => byPath.get(path),
  };
}

/** A folder of runs would make one large model that no tool can use. */
function assertOneModel(folder: FolderContents): void {
  if (folder.weights.length === 0) throw noModel(folder.root);
  if (
    folder.files.some(({ path }) => !path.includes('/') && (isWeightsFile(path) || path.startsWith('training_config.')))
  ) {
    return;
  }
  const runs = folder.files.map(({ path }) => NESTED_RUN.exec(path)?.[1]).filter((run) => run !== undefined);
  if (runs.length === 0) return;
  const names = runs.slice(0, 5).map((run) => JSON.stringify(run));
  throw new ModelRtcError(
    'bad_argument',
    `${folder.root} holds training runs in folders of their own (${names.join(', ')}${runs.length > 5 ? ', ...' : ''}); import one of those.`,
    { details: { runs: runs.slice(0, 100) } },
  );
}

/** With a type given by the user a broken configuration is no obstacle: the files are taken as they are. */
async function findLayout(folder: FolderContents, typeIsKnown: boolean): Promise<LayoutMatch> {
  for (const layout of LAYOUTS) {
    try {
      const match = await layout(folder);
      if (match !== undefined) return match;
    } catch (error) {
      if (!typeIsKnown || ModelRtcError.from(error).code !== 'invalid_model') throw error;
    }
  }
  throw noModel(folder.root);
}

async function statRoot(path: string): Promise<BigIntStats> {
  try {
    return await stat(path, { bigint: true });
  } catch (cause) {
    if (!isMissing(cause)) throw storageError(cause, path, 'read');
    throw nothingAt(path, cause);
  }
}

function nothingAt(path: string, cause: unknown): ModelRtcError {
  return new ModelRtcError('not_found_locally', `There is nothing at ${path}; check the path.`, { cause });
}

function checkType(modelType: string | undefined): string | undefined {
  if (modelType === undefined || toModelType(modelType) === modelType) return modelType;
  const hint = toModelType(modelType) ?? 'my_type';
  throw new ModelRtcError(
    'bad_argument',
    `${JSON.stringify(modelType)} cannot be a model type: it is made of a-z, 0-9, "_" and "-". Try "${hint}".`,
  );
}

function noModel(path: string): ModelRtcError {
  return new ModelRtcError(
    'bad_argument',
    `There is no model at ${path}: a model is a weights file (${WEIGHTS_EXTENSIONS.join(' ')}), or a folder with one.`,
    { details: { path, extensions: WEIGHTS_EXTENSIONS } },
  );
}

function nameOf(root: string, stats: BigIntStats): string {
  const name = basename(root);
  return stats.isDirectory() ? (HUB_SNAPSHOT.exec(root)?.[1] ?? name) : basename(name, extname(name));
}
