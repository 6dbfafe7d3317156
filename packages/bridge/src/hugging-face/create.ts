import type { Files } from '../files.ts';
import { readJsonBody, sendJson } from '../http/json.ts';
import { HttpError, requireMethod } from '../http/problems.ts';
import { numberParameter } from '../http/target.ts';
import type { Api, Asked } from '../http/types.ts';
import { TREE_PAGE } from '../limits.ts';
import type { Catalog } from '../models/catalog.ts';
import { modelInfoJson, pathEntry, summaryJson, treeEntries, withCommit } from './repo-json.ts';
import { createRepos, MAIN, type Repos } from './repos.ts';
import { type HubTarget, parseHubPath } from './target.ts';

const METHODS = ['GET', 'HEAD'];

/**
 * What the official clients of the Hugging Face hub ask for, at `HF_ENDPOINT=http://localhost:PORT/hf`.
 * Source: https://huggingface.co/docs/hub/api, https://github.com/huggingface/huggingface_hub (file_download.py, hf_api.py)
 */
export function createHubApi(catalog: Catalog, files: Files): Api {
  const repos = createRepos(catalog, files);
  return {
    name: 'hf',
    async answer(asked) {
      const target = parseHubPath(asked.path.slice(1));
      if (target === undefined) throw new HttpError(404, 'not_found', ONLY_MODELS);
      requireMethod(asked.method, target.kind === 'paths-info' ? ['POST'] : METHODS);
      await ANSWERS[target.kind](asked, target as never, { repos, files });
    },
    describe: ({ code, message }) => ({ headers: errorHeaders(code, message), body: { error: message } }),
  };
}

/** Headers by which the clients tell what is missing. */
function errorHeaders(code: string, message: string): Record<string, string> {
  const text = message.replace(/[^\x20-\x7e]/g, '?');
  return /^[A-Z]/.test(code) ? { 'x-error-code': code, 'x-error-message': text } : { 'x-error-message': text };
}

interface Parts {
  readonly repos: Repos;
  readonly files: Files;
}

type Of<K extends HubTarget['kind']> = Extract<HubTarget, { kind: K }>;

const ANSWERS: { readonly [K in HubTarget['kind']]: (asked: Asked, target: Of<K>, parts: Parts) => Promise<void> } = {
  list: answerList,
  info: answerInfo,
  refs: answerRefs,
  tree: answerTree,
  'paths-info': answerPaths,
  file: answerFile,
};

async function answerList(asked: Asked, _target: Of<'list'>, { repos }: Parts): Promise<void> {
  const { query } = asked;
  const [search, author] = [query.get('search')?.toLowerCase(), query.get('author')];
  const found = (await repos.list()).filter(
    ({ repo }) =>
      (search === undefined || repo.toLowerCase().includes(search)) &&
      (author === null || repo.startsWith(`${author}/`)),
  );
  sendPage(asked, found.map(summaryJson));
}

async function answerInfo(asked: Asked, { repo, revision = MAIN }: Of<'info'>, { repos }: Parts): Promise<void> {
  const version = await repos.find(repo, revision);
  const withSizes = isSet(asked.query.get('blobs'));
  sendJson(asked, 200, modelInfoJson(version, await repos.files(version, asked.signal), withSizes));
}

async function answerRefs(asked: Asked, { repo }: Of<'refs'>, { repos }: Parts): Promise<void> {
  const branches = (await repos.versions(repo)).flatMap(({ commit, revisions }) =>
    revisions.map((name) => ({ name, ref: `refs/heads/${name}`, targetCommit: commit })),
  );
  sendJson(asked, 200, { branches, tags: [], converts: [] });
}

async function answerTree(asked: Asked, { repo, revision, path }: Of<'tree'>, { repos }: Parts): Promise<void> {
  const version = await repos.find(repo, revision);
  const [isRecursive, isExpanded] = ['recursive', 'expand'].map((name) => isSet(asked.query.get(name)));
  const entries = treeEntries(await repos.files(version, asked.signal), path, isRecursive === true);
  if (entries === undefined) throw entryNotFound(path, repo);
  sendPage(asked, isExpanded ? withCommit(version, entries) : entries, { 'x-repo-commit': version.commit });
}

async function answerPaths(asked: Asked, { repo, revision }: Of<'paths-info'>, { repos }: Parts): Promise<void> {
  const { paths, expand } = ((await readJsonBody(asked)) ?? {}) as {
    readonly paths?: unknown;
    readonly expand?: unknown;
  };
  const wanted = typeof paths === 'string' ? [paths] : paths;
  if (!Array.isArray(wanted) || wanted.length > TREE_PAGE || !wanted.every((path) => typeof path === 'string')) {
    throw new HttpError(400, 'bad_argument', `"paths" takes a list of up to ${TREE_PAGE} paths.`);
  }
  const version = await repos.find(repo, revision);
  const files = await repos.files(version, asked.signal);
  const found = wanted.map((path: string) => pathEntry(files, path)).filter((entry) => entry !== undefined);
  sendJson(asked, 200, isSet(String(expand)) ? withCommit(version, found) : found, { 'x-repo-commit': version.commit });
}

async function answerFile(asked: Asked, { repo, revision, path }: Of<'file'>, { repos, files }: Parts): Promise<void> {
  const version = await repos.find(repo, revision);
  const found = (await repos.files(version, asked.signal)).get(path);
  if (found === undefined) throw entryNotFound(path, repo, version.commit);
  await files.send(asked, found.model, found.file, {
    'x-repo-commit': version.commit,
    // Its own hash: the clients name the file in their cache by it.
    'x-linked-etag': `"${found.file.sha256}"`,
    'x-linked-size': String(found.file.size),
  });
}

const ONLY_MODELS = 'The bridge knows models and their files here: no data sets, spaces, commits or uploads.';

/** Python's client writes `True`. */
function isSet(text: string | null): boolean {
  return /^(?:1|true)$/i.test(text ?? '');
}

/** With the commit, the clients remember that this version lacks the file. */
function entryNotFound(path: string, repo: string, commit?: string): HttpError {
  const headers = commit === undefined ? {} : { 'x-repo-commit': commit };
  return new HttpError(404, 'EntryNotFound', `${repo} has no ${JSON.stringify(path)} here.`, { headers });
}

/** Answers with one page, and the address of the next in `Link`, as hubs do. */
function sendPage(asked: Asked, entries: readonly unknown[], headers: Readonly<Record<string, string>> = {}): void {
  const { query, origin, request } = asked;
  const limit = numberParameter(query, 'limit', TREE_PAGE);
  const cursor = query.get('cursor') ?? '0';
  if (!/^\d{1,9}$/.test(cursor)) throw new HttpError(400, 'bad_argument', 'This list did not give the cursor.');
  const end = Number(cursor) + limit;
  const next = new URL(request.url ?? '/', origin);
  next.searchParams.set('cursor', String(end));
  const link = end < entries.length ? { link: `<${next.href}>; rel="next"` } : {};
  sendJson(asked, 200, entries.slice(Number(cursor), end), { ...headers, ...link });
}
