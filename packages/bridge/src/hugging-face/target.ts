/** What a path below `/hf` asks for. */
export type HubTarget =
  | { readonly kind: 'list' }
  | { readonly kind: 'info'; readonly repo: string; readonly revision: string | undefined }
  | { readonly kind: 'refs'; readonly repo: string }
  | { readonly kind: 'tree' | 'paths-info'; readonly repo: string; readonly revision: string; readonly path: string }
  | { readonly kind: 'file'; readonly repo: string; readonly revision: string; readonly path: string };

const API_WORDS = new Set(['revision', 'tree', 'paths-info', 'refs']);
const FILE_WORDS = new Set(['resolve', 'raw']);

/**
 * Reads the part of a path behind `/hf`. A repository's name has one or two parts; a slash in a revision is encoded.
 * @returns undefined for what no hub has there
 */
export function parseHubPath(parts: readonly string[]): HubTarget | undefined {
  const [first, second, ...rest] = parts;
  if (first !== 'api') return fileTarget(parts);
  if (second !== 'models') return undefined;
  if (rest.length === 0 || (rest.length === 1 && rest[0] === '')) return { kind: 'list' };
  return apiTarget(rest);
}

function apiTarget(parts: readonly string[]): HubTarget | undefined {
  const at = wordAt(parts, API_WORDS);
  const repo = parts.slice(0, at ?? 2).join('/');
  if (at === undefined) return parts.length <= 2 ? { kind: 'info', repo, revision: undefined } : undefined;
  const [word, revision, ...path] = parts.slice(at);
  if (word === 'refs') return revision === undefined ? { kind: 'refs', repo } : undefined;
  if (revision === undefined || revision === '') return undefined;
  if (word === 'revision') return path.length === 0 ? { kind: 'info', repo, revision } : undefined;
  return { kind: word === 'tree' ? 'tree' : 'paths-info', repo, revision, path: path.join('/').replace(/\/$/, '') };
}

function fileTarget(parts: readonly string[]): HubTarget | undefined {
  const at = wordAt(parts, FILE_WORDS);
  if (at === undefined) return undefined;
  const [, revision, ...path] = parts.slice(at);
  if (revision === undefined || path.length === 0) return undefined;
  return { kind: 'file', repo: parts.slice(0, at).join('/'), revision, path: path.join('/') };
}

/** Where the word behind the repository's name is: after two parts, else after one. */
function wordAt(parts: readonly string[], words: ReadonlySet<string>): number | undefined {
  return [2, 1].find((at) => words.has(parts[at] ?? ''));
}
