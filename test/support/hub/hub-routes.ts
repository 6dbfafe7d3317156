import type { IncomingMessage, ServerResponse } from 'node:http';
import { sendError, sendFile, sendJson } from './answers.ts';
import type { StoredFile } from './contents.ts';
import type { LocalHub } from './hub-server.ts';
import type { Repository } from './repository.ts';
import { signedAddress } from './storage-routes.ts';

const NAME = '((?:[\\w.-]+/)?[\\w.-]+)';
const INFO = new RegExp(`^/api/models/${NAME}(?:/revision/([^/]+))?$`);
const TREE = new RegExp(`^/api/models/${NAME}/tree/([^/]+)$`);
const RESOLVE = new RegExp(`^/${NAME}/resolve/([^/]+)/(.+)$`);

interface Asked {
  readonly hub: LocalHub;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
}

/** The hub itself: information, lists, and files. */
export async function answerHub(hub: LocalHub, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '', hub.url);
  const asked = { hub, request, response, url };
  const [, treeRepo, treeRevision] = TREE.exec(url.pathname) ?? [];
  if (treeRepo !== undefined) return withRevision(asked, treeRepo, treeRevision, sendTree);
  const [, fileRepo, fileRevision, path] = RESOLVE.exec(url.pathname) ?? [];
  if (fileRepo !== undefined) {
    return await withRevision(asked, fileRepo, fileRevision, async (scene, repository, commit) => {
      if (mayReadFiles(scene, repository))
        await sendRepositoryFile(scene, repository, commit, decodeURIComponent(path ?? ''));
    });
  }
  const [, repo, revision] = INFO.exec(url.pathname) ?? [];
  if (repo !== undefined) return withRevision(asked, repo, revision ?? 'main', sendInfo);
  sendError(response, 404, '', "Sorry, we can't find the page you are looking for.");
}

/** Finds the repository and the commit, as far as the asker may know of them. */
function withRevision<T>(
  asked: Asked,
  name: string,
  revision: string | undefined,
  go: (asked: Asked, repository: Repository, commit: string) => T,
): T | undefined {
  const { hub, response } = asked;
  const token = tokenOf(asked);
  if (token !== undefined && !hub.tokens.has(token)) {
    sendError(response, 401, '', 'Invalid credentials in Authorization header');
    return undefined;
  }
  const repository = hub.repositories.get(name);
  const isHidden = repository?.options.isPrivate === true && !(token !== undefined && repository.readers.has(token));
  if (repository === undefined || isHidden) {
    // The public hub answers strangers so, whether there is such a repository or not.
    sendError(
      response,
      token === undefined ? 401 : 404,
      'RepoNotFound',
      token === undefined ? 'Invalid username or password.' : 'Repository not found',
    );
    return undefined;
  }
  const commit = repository.commitOf(decodeURIComponent(revision ?? 'main'));
  if (commit !== undefined) return go(asked, repository, commit);
  sendError(response, 404, 'RevisionNotFound', `Invalid rev id: ${revision}`);
  return undefined;
}

function tokenOf({ request }: Asked): string | undefined {
  return /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
}

function mayReadFiles(asked: Asked, { name, options, readers }: Repository): boolean {
  const token = tokenOf(asked);
  if (options.gated === undefined || (token !== undefined && readers.has(token))) return true;
  const [status, message] =
    token === undefined
      ? [
          401,
          `Access to model ${name} is restricted. You must have access to it and be authenticated to access it. Please log in.`,
        ]
      : [403, `Access to model ${name} is restricted and you are not in the authorized list.`];
  sendError(asked.response, status as number, 'GatedRepo', message as string);
  return false;
}

function sendInfo({ response }: Asked, { name, options }: Repository, commit: string): void {
  const { gated = false, isPrivate = false, card, config, tags = [], libraryName, pipelineTag, parameters } = options;
  sendJson(response, {
    ...{ _id: '65f0000000000000000000aa', id: name, modelId: name, sha: commit, private: isPrivate, gated },
    ...{ lastModified: '2026-01-02T03:04:05.000Z', downloads: 7, likes: 3, tags, disabled: false },
    ...{ library_name: libraryName, pipeline_tag: pipelineTag, cardData: card, config },
    ...(parameters === undefined ? {} : { safetensors: { parameters: { BF16: parameters }, total: parameters } }),
  });
}

function sendTree({ hub, response, url }: Asked, repository: Repository, commit: string): void {
  const files = repository.filesAt(commit);
  const folders = new Set(
    [...files.keys()].flatMap((path) =>
      path
        .split('/')
        .slice(0, -1)
        .map((_, i, parts) => parts.slice(0, i + 1).join('/')),
    ),
  );
  const all = [
    ...[...folders].map((path) => ({ type: 'directory', oid: '0'.repeat(40), size: 0, path })),
    ...[...files].map(([path, file]) => treeEntry(path, file)),
  ];
  const from = Number(url.searchParams.get('cursor') ?? 0);
  const next = from + hub.pageSize;
  const more = new URL(url);
  more.searchParams.set('cursor', String(next));
  sendJson(response, all.slice(from, next), next < all.length ? { link: `<${more.href}>; rel="next"` } : {});
}

function treeEntry(path: string, { size, sha256, isLarge, oid, xetHash }: StoredFile) {
  return {
    ...{ type: 'file', oid, size, path },
    ...(isLarge ? { lfs: { oid: sha256, size, pointerSize: 134 } } : {}),
    ...(xetHash === undefined ? {} : { xetHash }),
  };
}

async function sendRepositoryFile(asked: Asked, repository: Repository, commit: string, path: string): Promise<void> {
  const { hub, request, response } = asked;
  const file = repository.filesAt(commit).get(path);
  if (file === undefined) return sendError(response, 404, 'EntryNotFound', 'Entry not found');
  const headers = { 'x-repo-commit': commit, etag: `"${file.isLarge ? file.sha256 : file.oid}"` };
  if (!file.isLarge)
    return await sendFile(request, response, file, { ...headers, 'content-type': 'text/plain; charset=utf-8' });
  const linked = { 'x-linked-size': String(file.size), 'x-linked-etag': `"${file.sha256}"` };
  const xet = file.xetHash === undefined ? {} : xetHeaders(hub, repository, commit, file.xetHash);
  const location = signedAddress(hub, repository, file.sha256);
  response.writeHead(302, { ...headers, ...linked, ...xet, location, vary: 'Accept', 'content-type': 'text/plain' });
  response.end(`Found. Redirecting to ${location}`);
}

function xetHeaders(hub: LocalHub, { name }: Repository, commit: string, xetHash: string): Record<string, string> {
  const auth = `${hub.url}/api/models/${name}/xet-read-token/${commit}`;
  const info = `${hub.storageUrl}/v2/reconstructions/${xetHash}`;
  return { 'x-xet-hash': xetHash, link: `<${auth}>; rel="xet-auth", <${info}>; rel="xet-reconstruction-info"` };
}
