import { join, relative, sep } from 'node:path';
import { modelRoots, nameInFolder, severalModelsError } from '@model-rtc/formats/layouts';
import { ModelRtcError } from '@model-rtc/protocol';
import { type HubSnapshot, listSnapshots, snapshotName } from './hub-cache.ts';
import type { ModelInFolder, ScanOptions } from './scanned-model.ts';
import type { FoundFiles } from './walk-folder.ts';

/** Fewer characters of a commit can be those of another one. */
const MIN_COMMIT_CHARS = 7;

/** The models that a folder holds; none when it holds no weights. */
export async function listModels(
  root: string,
  { files, repositories, problem }: Pick<FoundFiles, 'files' | 'repositories' | 'problem'>,
): Promise<ModelInFolder[]> {
  const snapshots = await Promise.all(repositories.map((path) => snapshotsIn(root, join(root, path))));
  const roots = modelRoots([...files.map(({ path }) => path), ...(problem?.paths ?? [])]);
  const models = roots.map(({ path, kind }) => ({ kind, path, name: nameInFolder(root, path) }));
  return [...models, ...snapshots.flat()];
}

/**
 * The models of a repository, of a snapshot each.
 * @throws ModelRtcError `bad_argument` when it has no such revision
 */
export async function listRepository(repository: string, options: ScanOptions): Promise<ModelInFolder[]> {
  const chosen = await snapshotsOf(repository, options);
  return chosen.map((snapshot) => toModel(repository, repository, snapshot));
}

async function snapshotsIn(root: string, repository: string): Promise<ModelInFolder[]> {
  return (await listSnapshots(repository)).map((snapshot) => toModel(root, repository, snapshot));
}

function toModel(root: string, repository: string, snapshot: HubSnapshot): ModelInFolder {
  const path = relative(root, snapshot.path).split(sep).join('/');
  return { kind: 'snapshot', path, name: snapshotName(repository, snapshot) };
}

/**
 * The snapshot that a repository of a hub's cache stands for: the only one that is there, or the one that is asked for.
 * @throws ModelRtcError `bad_argument` when it has several, or none
 */
export async function chooseSnapshot(repository: string, options: ScanOptions): Promise<string> {
  const chosen = await snapshotsOf(repository, options);
  if (chosen.length === 1) return (chosen[0] as HubSnapshot).path;
  const models = chosen.map((snapshot) => toModel(repository, repository, snapshot));
  throw severalModelsError(repository, models, 'Name one with --revision, or import each of them with --all.');
}

async function snapshotsOf(repository: string, { revision }: ScanOptions): Promise<HubSnapshot[]> {
  const all = await listSnapshots(repository);
  const chosen = revision === undefined ? all : all.filter((snapshot) => isRevision(snapshot, revision));
  if (chosen.length > 0) return chosen;
  throw noSuchRevision(repository, all, revision);
}

function isRevision({ refs, commit }: HubSnapshot, revision: string): boolean {
  return refs.includes(revision) || (revision.length >= MIN_COMMIT_CHARS && commit.startsWith(revision));
}

function noSuchRevision(repository: string, all: readonly HubSnapshot[], revision: string | undefined): ModelRtcError {
  const known = all.map(({ refs, commit }) => refs[0] ?? commit);
  const advice =
    known.length === 0 ? 'Download the model again.' : `Pass --revision with one that is there: ${known.join(', ')}.`;
  const sentence =
    revision === undefined
      ? `${repository} has no snapshot: nothing was downloaded to its end. ${advice}`
      : `${repository} has no revision ${JSON.stringify(revision)}. ${advice}`;
  return new ModelRtcError('bad_argument', sentence, { details: { path: repository, revisions: known } });
}

/** @throws ModelRtcError `bad_argument` when a revision is asked of anything but a repository of a hub's cache */
export function requireNoRevision(root: string, { revision }: ScanOptions): void {
  if (revision === undefined) return;
  const sentence = `--revision names a version of a repository in the cache of a hub (a folder models--ORG--NAME), and ${root} is none. Leave it out.`;
  throw new ModelRtcError('bad_argument', sentence, { details: { path: root } });
}
