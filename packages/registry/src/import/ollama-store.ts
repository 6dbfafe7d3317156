import { lstat, readdir } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import { suggestAlias } from '@model-rtc/protocol';
import type { ModelInFolder } from './scanned-model.ts';

/** `manifests/HOST/NAMESPACE/NAME/TAG` */
const MANIFEST_DEPTH = 4;
/** More than anyone keeps, so that a runaway folder costs bounded time. */
const MAX_MANIFESTS = 10_000;

/** A model in ollama's store: a manifest that names blobs by their SHA-256. */
export interface OllamaModel {
  /** The folder that holds `manifests` and `blobs`. */
  readonly store: string;
  /** Of the manifest. */
  readonly path: string;
  /** As people type it: `llama3.2:1b`; `org/llama3.2:1b` for one that is not from ollama's own library. */
  readonly name: string;
  /** `llama3-2-1b`; the tag `latest` is left out. */
  readonly alias: string;
}

/** Whether a folder is ollama's store. Source: https://github.com/ollama/ollama/blob/main/docs/faq.md */
export function isOllamaStore(items: readonly { readonly name: string; readonly isFolder: boolean }[]): boolean {
  return ['manifests', 'blobs'].every((name) => items.some((item) => item.isFolder && item.name === name));
}

/** The store that a folder is, or that is in it as `models`; undefined for any other folder. */
export async function ollamaStoreAt(folder: string): Promise<string | undefined> {
  for (const path of [folder, join(folder, 'models')]) {
    if ((await isFolder(join(path, 'manifests'))) && (await isFolder(join(path, 'blobs')))) return path;
  }
  return undefined;
}

/** The model whose manifest is at a path; undefined for any other path. */
export async function ollamaModelAt(path: string): Promise<OllamaModel | undefined> {
  let folder = path;
  for (let depth = 0; depth < MANIFEST_DEPTH; depth++) folder = dirname(folder);
  const store = dirname(folder);
  if (basename(folder) !== 'manifests' || !(await isFolder(join(store, 'blobs')))) return undefined;
  return toModel(store, path);
}

/** The models of a store, and the folders of its manifests. */
export async function listOllamaModels(
  store: string,
): Promise<{ readonly models: readonly OllamaModel[]; readonly folders: readonly string[] }> {
  const folders = [join(store, 'manifests')];
  const models: OllamaModel[] = [];
  let level = folders;
  for (let depth = 1; depth <= MANIFEST_DEPTH; depth++) {
    const below: string[] = [];
    for (const folder of level) {
      const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
      for (const entry of entries.filter(({ name }) => !name.startsWith('.'))) {
        const path = join(folder, entry.name);
        if (depth < MANIFEST_DEPTH && entry.isDirectory()) below.push(path);
        if (depth === MANIFEST_DEPTH && entry.isFile()) models.push(toModel(store, path));
      }
      if (models.length + below.length > MAX_MANIFESTS) return { models: models.slice(0, MAX_MANIFESTS), folders };
    }
    folders.push(...below);
    level = below;
  }
  return { models: models.sort((a, b) => (a.path < b.path ? -1 : 1)), folders };
}

/** The models of a store as an import lists them. */
export async function modelsOfStore(root: string, store: string): Promise<ModelInFolder[]> {
  const { models } = await listOllamaModels(store);
  return models.map(({ path, alias }) => ({
    kind: 'manifest',
    path: relative(root, path).split(sep).join('/'),
    name: alias,
  }));
}

function toModel(store: string, path: string): OllamaModel {
  const [tag = '', name = '', namespace = ''] = path.split(sep).reverse();
  const full = namespace === 'library' ? name : `${namespace}/${name}`;
  return {
    store,
    path,
    name: `${full}:${tag}`,
    alias: suggestAlias(tag === 'latest' ? name : `${name}-${tag}`),
  };
}

async function isFolder(path: string): Promise<boolean> {
  const stats = await lstat(path).catch(() => undefined);
  return stats?.isDirectory() === true;
}
