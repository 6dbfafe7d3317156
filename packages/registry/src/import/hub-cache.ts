import { lstat, readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

/** `models--org--name`; data sets and spaces lie beside them under prefixes of their own. */
const REPOSITORY = /^models--(.+)$/;
const OTHER_REPOSITORY = /^(datasets|spaces)--/;
/** A path in a snapshot of a repository; what a snapshot links to lies in the repository's `blobs`. */
const IN_SNAPSHOT = /^(.*[/\\]models--[^/\\]+)[/\\]snapshots[/\\][0-9a-f]{40}(?:[/\\]|$)/;
const COMMIT = /^[0-9a-f]{40}$/;
/** Longer than any commit's name. */
const MAX_REF_BYTES = 256;
/** Refs are branches and tags, and `pr/1` below `refs/`. */
const MAX_REFS = 256;
const REF_DEPTH = 4;
const COMMIT_SHOWN_CHARS = 8;

/** A version of a repository that is in the cache. */
export interface HubSnapshot {
  readonly path: string;
  readonly commit: string;
  /** The branches and tags that name it, `main` first. */
  readonly refs: readonly string[];
}

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

/** The same for a folder that nobody has read yet. */
export async function isHubRepositoryAt(path: string): Promise<boolean> {
  if (!REPOSITORY.test(basename(path))) return false;
  const stats = await lstat(join(path, 'snapshots')).catch(() => undefined);
  return stats?.isDirectory() === true;
}

/** Whether a folder of a hub's cache holds a data set or a space. */
export function isOtherRepository(name: string): boolean {
  return OTHER_REPOSITORY.test(name);
}

/** The repository whose snapshot a path is or lies in; undefined for any other path. */
export function repositoryOf(path: string): string | undefined {
  return IN_SNAPSHOT.exec(path)?.[1];
}

/** The snapshots that are there, those of `main` first. The cache also keeps older ones that no ref names any more. */
export async function listSnapshots(repository: string): Promise<HubSnapshot[]> {
  const present = (await readdir(join(repository, 'snapshots')).catch(() => [])).filter((name) => COMMIT.test(name));
  const refs = await readRefs(join(repository, 'refs'), '', REF_DEPTH);
  const mainFirst = (a: string, b: string) => Number(b === 'main') - Number(a === 'main');
  const snapshots = present.sort().map((commit) => ({
    path: join(repository, 'snapshots', commit),
    commit,
    refs: refs
      .filter((ref) => ref.commit === commit)
      .map(({ name }) => name)
      .sort(mainFirst),
  }));
  return snapshots.sort((a, b) => mainFirst(a.refs[0] ?? '', b.refs[0] ?? ''));
}

/**
 * The snapshots that a repository's refs name. The cache keeps older ones too, which a person would not get. When no ref
 * names any, as after a download by commit, all snapshots count.
 */
export async function findSnapshots(
  repository: string,
): Promise<{ kind: 'snapshot'; path: string; group: string; name: string }[]> {
  const all = await listSnapshots(repository);
  const referred = all.filter(({ refs }) => refs.length > 0);
  const name = nameOf(repository);
  const found = (referred.length > 0 ? referred : all).map(({ path, refs: [ref = 'main'] }) => ({
    kind: 'snapshot' as const,
    path,
    group: repository,
    name: ref === 'main' ? name : `${name} (${ref})`,
  }));
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** What a snapshot among others of its repository is called: `name` for `main`, `name-v2` for the tag `v2`. */
export function snapshotName(repository: string, { refs, commit }: Pick<HubSnapshot, 'refs' | 'commit'>): string {
  const name = nameOf(repository).split('/').at(-1) ?? '';
  const [ref = commit.slice(0, COMMIT_SHOWN_CHARS)] = refs;
  return ref === 'main' ? name : `${name}-${ref}`;
}

/** `org/name`, as on the hub; an old repository has no `org`. */
function nameOf(repository: string): string {
  const [, name = ''] = REPOSITORY.exec(basename(repository)) ?? [];
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
