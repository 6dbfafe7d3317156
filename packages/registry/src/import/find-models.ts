import { join, resolve } from 'node:path';
import { createFileChoice } from './file-choice.ts';
import { isHubRepositoryAt } from './hub-cache.ts';
import { modelsOfStore, ollamaStoreAt } from './ollama-store.ts';
import { statRoot } from './scan-files.ts';
import { walkChosen } from './scan-folder.ts';
import type { ModelInFolder, ScanOptions } from './scanned-model.ts';
import { listModels, listRepository } from './several.ts';

/**
 * The models at a path that holds several, with what an import of each is given. Empty where one import is enough, or fails.
 * @throws ModelRtcError as `scanModel`
 */
export async function findModels(path: string, options: ScanOptions = {}): Promise<ModelInFolder[]> {
  const root = resolve(path);
  const found = (await statRoot(root)).isDirectory() ? await modelsOfFolder(root, options) : [];
  const all: ModelInFolder[] = [];
  for (const model of found) {
    all.push(...(model.kind === 'snapshot' ? await modelsOfSnapshot(root, model, options) : [model]));
  }
  return all.length > 1 ? all : [];
}

async function modelsOfFolder(root: string, options: ScanOptions): Promise<ModelInFolder[]> {
  if (await isHubRepositoryAt(root)) return await listRepository(root, options);
  const store = await ollamaStoreAt(root);
  if (store !== undefined) return await modelsOfStore(root, store);
  const choice = createFileChoice(options.include, options.exclude);
  return await listModels(root, await walkChosen(root, options, choice));
}

/** A repository can hold a model in several quantisations. */
async function modelsOfSnapshot(root: string, snapshot: ModelInFolder, options: ScanOptions): Promise<ModelInFolder[]> {
  const below = await modelsOfFolder(join(root, snapshot.path), { ...options, revision: undefined });
  if (below.length < 2) return [snapshot];
  return below.map(({ kind, path, name }) => ({ kind, name, path: `${snapshot.path}/${path}` }));
}
