import type { BigIntStats } from 'node:fs';
import { basename, dirname, extname, relative, resolve, sep } from 'node:path';
import { nameByPath, toModelType } from '@model-rtc/formats/layouts';
import { ModelRtcError, suggestAlias } from '@model-rtc/protocol';
import { listSnapshots, repositoryOf, snapshotName } from './hub-cache.ts';
import { ollamaModelAt } from './ollama-store.ts';
import { scanAsIs } from './scan-as-is.ts';
import { scanFile, statRoot } from './scan-files.ts';
import { scanFolder } from './scan-folder.ts';
import { scanOllamaModel } from './scan-ollama.ts';
import type { Scanned, ScannedModel, ScanOptions } from './scanned-model.ts';

/** Blobs of a store: a title in the file says more. */
const DIGEST_NAME = /^sha256-[0-9a-f]{64}$/;

/**
 * Finds the model at a path: a training run of sleap-nn or SLEAP, a hub's repository, a folder of weights or a single
 * weights file. Reads what its configuration tells; hashes nothing.
 * @throws ModelRtcError `not_found_locally` when nothing is there; `bad_argument` when it holds no model, or several;
 * `refused` when links lead out of its folder; `invalid_model` for files that cannot be part of one; `storage` when something
 * cannot be read.
 */
export async function scanModel(path: string, options: ScanOptions = {}): Promise<ScannedModel> {
  const modelType = checkType(options.modelType);
  const root = resolve(path);
  const stats = await statRoot(root);
  const scanned = await scanAt(root, stats, options);
  const facts = modelType === undefined ? scanned.facts : { ...scanned.facts, modelType };
  const byTitle = DIGEST_NAME.test(basename(root)) ? facts.title : undefined;
  const name = facts.runName ?? byTitle ?? (await nameOf(root, stats, scanned)) ?? facts.title;
  const { title: _, ...kept } = facts;
  const { files, skipped, followed, movedTo } = scanned;
  return { files, skipped, followed, facts: kept, suggestedAlias: aliasOf(name), movedTo };
}

async function scanAt(root: string, stats: BigIntStats, options: ScanOptions): Promise<Scanned> {
  if (options.asIs === true) return await scanAsIs(root, stats, options);
  if (stats.isDirectory()) return await scanFolder(root, options);
  const model = await ollamaModelAt(root);
  return model === undefined ? await scanFile(root, stats, options) : await scanOllamaModel(model, options);
}

/** Undefined where nothing of the name can be kept: a type and an id say more than `model`. */
function aliasOf(name: string | undefined): string | undefined {
  const alias = name === undefined ? undefined : suggestAlias(name);
  return alias === 'model' && name !== 'model' ? undefined : alias;
}

function checkType(modelType: string | undefined): string | undefined {
  if (modelType === undefined || toModelType(modelType) === modelType) return modelType;
  const hint = toModelType(modelType) ?? 'my_type';
  throw new ModelRtcError(
    'bad_argument',
    `${JSON.stringify(modelType)} cannot be a model type: it is made of a-z, 0-9, "_" and "-". Try "${hint}".`,
  );
}

/** A snapshot in a hub's cache goes by its repository. */
async function nameOf(root: string, stats: BigIntStats, { setName, movedTo }: Scanned): Promise<string | undefined> {
  const folder = movedTo ?? (stats.isDirectory() ? root : dirname(root));
  const name = movedTo === undefined && !stats.isDirectory() ? [setName ?? basename(root, extname(root))] : [];
  const repository = repositoryOf(folder);
  if (repository === undefined) return nameByPath([...partsOf(folder), ...name]);
  const [, commit = '', ...inside] = partsOf(relative(repository, folder));
  const snapshots = await listSnapshots(repository);
  const snapshot = snapshots.find((one) => one.commit === commit);
  const isOnly = snapshot === undefined || snapshots.length === 1;
  const repositoryName = snapshotName(repository, isOnly ? { refs: ['main'], commit } : snapshot);
  return nameByPath([repositoryName, ...inside, ...name]) ?? repositoryName;
}

function partsOf(path: string): string[] {
  return path.split(sep).filter((part) => part !== '');
}
