import { createHash } from 'node:crypto';
import type { RepoFile, RepoVersion } from './repos.ts';

/** What a hub says of a version of a repository. Source: https://huggingface.co/docs/hub/api */
export function modelInfoJson(version: RepoVersion, files: ReadonlyMap<string, RepoFile>, withSizes: boolean) {
  const [newest] = version.models;
  const siblings = [...files.values()].map(({ file }) => ({
    rfilename: file.path,
    ...(withSizes ? { size: file.size, blobId: pointerOf(file).oid, lfs: lfsInfo(file) } : {}),
  }));
  return { ...summaryJson(version), cardData: { license: newest.license }, siblings, usedStorage: sum(version) };
}

/** The same without what takes a look at its files. */
export function summaryJson({ repo, commit, models }: RepoVersion) {
  const [{ tags, license, type, date, digest }] = models;
  const time = date ?? new Date(0).toISOString();
  return {
    _id: digest.slice(0, 24),
    ...{ id: repo, modelId: repo, author: repo.includes('/') ? repo.split('/')[0] : undefined, sha: commit },
    ...{ lastModified: time, createdAt: time, private: false, gated: false, disabled: false, downloads: 0, likes: 0 },
    tags: [...tags, ...(license === undefined ? [] : [`license:${license}`])],
    config: { model_type: type },
  };
}

/** Files and folders of a tree as a hub lists them. */
export type TreeEntry = ReturnType<typeof fileEntry> | ReturnType<typeof folderEntry>;

/**
 * What is in a folder of a version, folders first, by name.
 * @param folder - empty for the top
 * @returns undefined when there is no such folder
 */
export function treeEntries(
  files: ReadonlyMap<string, RepoFile>,
  folder: string,
  isRecursive: boolean,
): TreeEntry[] | undefined {
  const prefix = folder === '' ? '' : `${folder}/`;
  const folders = new Set<string>();
  const found: RepoFile[] = [];
  for (const repoFile of files.values()) {
    const { path } = repoFile.file;
    if (!path.startsWith(prefix)) continue;
    const parts = path.slice(prefix.length).split('/');
    for (let depth = 1; depth < (isRecursive ? parts.length : Math.min(parts.length, 2)); depth++) {
      folders.add(prefix + parts.slice(0, depth).join('/'));
    }
    if (isRecursive || parts.length === 1) found.push(repoFile);
  }
  if (found.length === 0 && folders.size === 0 && folder !== '') return undefined;
  return [...[...folders].sort().map(folderEntry), ...found.map(fileEntry).sort((a, b) => (a.path < b.path ? -1 : 1))];
}

/** Entries with the commit that they are of, which the clients name their caches by when they ask for it. */
export function withCommit({ commit, models: [{ date }] }: RepoVersion, entries: readonly TreeEntry[]) {
  const lastCommit = { id: commit, title: '', date: date ?? new Date(0).toISOString() };
  return entries.map((entry) => ({ ...entry, lastCommit }));
}

/** The facts of a path, a file's or a folder's; undefined for neither. */
export function pathEntry(files: ReadonlyMap<string, RepoFile>, path: string): TreeEntry | undefined {
  const file = files.get(path);
  if (file !== undefined) return fileEntry(file);
  return treeEntries(files, path, false) === undefined || path === '' ? undefined : folderEntry(path);
}

function fileEntry({ file }: RepoFile) {
  const { oid } = pointerOf(file);
  return { type: 'file' as const, oid, size: file.size, path: file.path, lfs: { ...lfsInfo(file), oid: file.sha256 } };
}

/** Its name stands for its content: folders have no hash here. */
function folderEntry(path: string) {
  return { type: 'directory' as const, oid: createHash('sha1').update(path).digest('hex'), size: 0, path };
}

function lfsInfo(file: RepoFile['file']) {
  return { sha256: file.sha256, size: file.size, pointerSize: pointerOf(file).size };
}

/**
 * Every file counts as one that is stored by its SHA-256, the hash that we know: git has a pointer to it.
 * Source: https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
 */
function pointerOf({ sha256, size }: RepoFile['file']): { readonly oid: string; readonly size: number } {
  const text = `version https://git-lfs.github.com/spec/v1\noid sha256:${sha256}\nsize ${size}\n`;
  return { oid: createHash('sha1').update(`blob ${text.length}\0${text}`).digest('hex'), size: text.length };
}

function sum({ models }: RepoVersion): number {
  return models.reduce((bytes, { sizeBytes }) => bytes + sizeBytes, 0);
}
