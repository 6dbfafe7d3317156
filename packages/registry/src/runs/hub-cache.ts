import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FoundPlace } from './types.ts';

/** `models--org--name`; data sets and spaces lie beside them under prefixes of their own. */
const REPOSITORY = /^models--(.+)$/;
const COMMIT = /^[0-9a-f]{40}$/;
/** Longer than any commit's name. */
const MAX_REF_BYTES = 256;
/** Refs are branches and tags, and `pr/1` below `refs/`. */
const MAX_REFS = 256;
const REF_DEPTH = 4;

/**
 * Whether a folder is a model's repository in the cache of a hub.
 * Source: https://huggingface.co/docs/huggingface_hub/guides/manage-cache
 */
export function isHubRepository(
  name: string,
  items: readonly { readonly name: string; readonly isFolder: boolean }[],
): boolean {
  return REPOSITORY.test(name) && items.some((item) => item.isFolder && item.name === 'snapshots');
}

/**
 * The snapshots that a repository's refs name. The cache keeps older ones too, which a person would not get. When no ref
 * names any, as after a download by commit, all snapshots count.
 */
export async function findSnapshots(repository: string): Promise<FoundPlace[]> {
  const present = (await readdir(join(repository, 'snapshots')).catch(() => [])).filter((name) => COMMIT.test(name));
  const refs = await readRefs(join(repository, 'refs'), '', REF_DEPTH);
  const referred = new Map<string, string>();
  for (const { name, commit } of refs) {
    if (present.includes(commit) && (!referred.has(commit) || name === 'main')) referred.set(commit, name);
  }
  const name = nameOf(repository);
  const commits = referred.size > 0 ? [...referred.keys()] : present;
  return commits.sort().map((commit) => ({
    kind: 'snapshot',
    path: join(repository, 'snapshots', commit),
    group: repository,
    name: [undefined, 'main'].includes(referred.get(commit)) ? name : `${name} (${referred.get(commit)})`,
  }));
}

/** `org/name`, as on the hub; an old repository has no `org`. */
function nameOf(repository: string): string {
  const [, name = ''] = REPOSITORY.exec(repository.split(/[/\\]/).at(-1) ?? '') ?? [];
  return name.replace('--', '/');
}

interface Ref {
  readonly name: string;
  readonly commit: string;
}

async function readRefs(folder: string, prefix: string, depth: number): Promise<Ref[]> {
  const names = await readdir(folder).catch(() => []);
  const refs: Ref[] = [];
  for (const name of names.sort().slice(0, MAX_REFS)) {
    const path = join(folder, name);
    const stats = await lstat(path).catch(() => undefined);
    if (stats?.isDirectory() && depth > 1) refs.push(...(await readRefs(path, `${prefix}${name}/`, depth - 1)));
    if (!stats?.isFile() || stats.size > MAX_REF_BYTES) continue;
    const commit = (await readFile(path, 'utf8').catch(() => '')).trim();
    if (COMMIT.test(commit)) refs.push({ name: prefix + name, commit });
  }
  return refs;
}
