import { ModelRtcError } from '@model-rtc/protocol';
import type { Files } from '../files.ts';
import { HttpError } from '../http/problems.ts';
import type { Catalog } from '../models/catalog.ts';
import { commitOf } from '../models/describe.ts';
import type { BridgeModel, ModelFile } from '../types.ts';

/** One version of a repository: the models that were taken from it, or one model under its own name. */
export interface RepoVersion {
  readonly repo: string;
  /** 40 hex characters: the hub's commit, or the start of the model's digest. */
  readonly commit: string;
  /** The newest first. A repository of several GGUF files is here as several models. */
  readonly models: readonly [BridgeModel, ...BridgeModel[]];
  /** The branches and tags that lead to it. */
  readonly revisions: readonly string[];
}

export interface RepoFile {
  readonly model: BridgeModel;
  readonly file: ModelFile;
}

/** Models as repositories: `ORG/NAME` of a hub, `GROUP/MODEL` of a static registry, else an alias, full name or id. */
export interface Repos {
  /** Every repository in its main version. */
  list(): Promise<readonly RepoVersion[]>;
  /** All versions, the main one first. @throws HttpError `RepoNotFound` */
  versions(repo: string): Promise<readonly [RepoVersion, ...RepoVersion[]]>;
  /** @throws HttpError `RepoNotFound`, `RevisionNotFound` */
  find(repo: string, revision: string): Promise<RepoVersion>;
  /** Its files by their paths; where two models have one of a path, the newer model's. */
  files(version: RepoVersion, signal: AbortSignal): Promise<ReadonlyMap<string, RepoFile>>;
}

export const MAIN = 'main';

export function createRepos(catalog: Catalog, files: Files): Repos {
  async function versions(repo: string): Promise<readonly [RepoVersion, ...RepoVersion[]]> {
    const models = await catalog.list();
    const [first, ...rest] = versionsOf(repo, models);
    if (first !== undefined) return [first, ...rest];
    return [single(repo, await findNamed(catalog, repo))];
  }

  async function find(repo: string, revision: string): Promise<RepoVersion> {
    const all = await versions(repo);
    if (revision === 'HEAD') return all[0];
    const found = all.find(
      ({ commit, revisions }) =>
        commit === revision || revisions.includes(revision.replace(/^refs\/(?:heads|tags)\//, '')),
    );
    if (found !== undefined) return found;
    throw new HttpError(404, 'RevisionNotFound', `There is no revision ${JSON.stringify(revision)} of ${repo} here.`);
  }

  return {
    versions,
    find,
    async list() {
      const models = await catalog.list();
      const names = new Set(models.map(repoName));
      return [...names].map((name) => {
        const [main] = versionsOf(name, models);
        return main ?? single(name, models.find((model) => repoName(model) === name) as BridgeModel);
      });
    },
    async files({ models }, signal) {
      const all = new Map<string, RepoFile>();
      for (const model of models) {
        for (const file of await files.list(model, signal)) {
          if (!all.has(file.path)) all.set(file.path, { model, file });
        }
      }
      return all;
    },
  };
}

/** @throws HttpError `RepoNotFound` */
async function findNamed(catalog: Catalog, repo: string): Promise<BridgeModel> {
  try {
    return await catalog.find(repo);
  } catch (error) {
    if (ModelRtcError.from(error).code !== 'not_found') throw error;
    throw HttpError.because(error, 404, 'RepoNotFound', `There is no model ${repo} here.`);
  }
}

function repoName({ hub, releases, alias, id }: BridgeModel): string {
  const [release] = releases;
  return hub?.repo ?? (release === undefined ? (alias ?? id) : `${release.group}/${release.model}`);
}

/** The versions of a repository that models come from, the main one first; empty where none does. */
function versionsOf(repo: string, models: readonly BridgeModel[]): RepoVersion[] {
  const byCommit = new Map<string, { models: BridgeModel[]; revisions: string[] }>();
  for (const model of models) {
    const names = revisionsIn(repo, model);
    if (names === undefined) continue;
    const version = byCommit.get(commitOf(model)) ?? { models: [], revisions: [] };
    version.models.push(model);
    version.revisions.push(...names);
    byCommit.set(commitOf(model), version);
  }
  const found = [...byCommit].map(([commit, version]) => ({
    ...{ repo, commit, models: version.models as [BridgeModel, ...BridgeModel[]] },
    revisions: [...new Set(version.revisions)],
  }));
  // What was taken from the default branch is main; else what came last.
  const main = found.find(({ revisions }) => revisions.includes(MAIN)) ?? found[0];
  if (main === undefined) return [];
  const others = found.filter((version) => version !== main);
  return [
    { ...main, revisions: [...new Set([MAIN, ...main.revisions])] },
    // Taken earlier from the same branch.
    ...others.map((version) => ({
      ...version,
      revisions: version.revisions.filter((name) => !main.revisions.includes(name) && name !== MAIN),
    })),
  ];
}

/** What a model's version in a repository is called; undefined where it does not come from there. */
function revisionsIn(repo: string, { hub, releases }: BridgeModel): string[] | undefined {
  if (hub !== undefined) return hub.repo === repo ? [hub.revision ?? MAIN] : undefined;
  const versions = releases.filter(({ group, model }) => `${group}/${model}` === repo).map(({ version }) => version);
  return versions.length === 0 ? undefined : versions;
}

function single(repo: string, model: BridgeModel): RepoVersion {
  return { repo, commit: commitOf(model), models: [model], revisions: [MAIN] };
}
