import { realpath } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Alias, ModelRtcError } from '@model-rtc/protocol';
import { closeAliases } from './aliases.ts';
import type { RegistryIndex, Resolved, ResolveOptions, StoredEntry } from './types.ts';

const SHORTEST_PREFIX = 6;
/** Candidates that an error names; a prefix of 6 characters seldom has even two. */
const LISTED_CANDIDATES = 10;

/**
 * The model that a reference names. What is exact comes first: an id, then an alias, then the start of a digest, then the
 * path of a model's folder or of what it was imported from.
 * @param models the folder that holds the models' folders
 * @throws ModelRtcError `ambiguous`, `not_found_locally`
 */
export async function resolveRef(
  index: RegistryIndex,
  ref: string,
  models: string,
  { paths = true }: ResolveOptions = {},
): Promise<Resolved> {
  const byId = index.byId.get(ref) ?? index.byId.get(ref.toLowerCase());
  if (byId !== undefined) return { stored: byId, resolvedBy: 'id' };
  const byAlias = index.byAlias.get(ref as Alias);
  if (byAlias !== undefined) return { stored: byAlias, resolvedBy: 'alias' };
  const byDigest = onlyOne(ref, withPrefix(index, ref));
  if (byDigest !== undefined) return { stored: byDigest, resolvedBy: 'digest' };
  const byPath = paths ? onlyOne(ref, await atPath(index, ref, models)) : undefined;
  if (byPath !== undefined) return { stored: byPath, resolvedBy: 'path' };
  throw notFoundLocally(index, ref);
}

function withPrefix(index: RegistryIndex, ref: string): StoredEntry[] {
  const prefix = ref.toLowerCase();
  if (prefix.length < SHORTEST_PREFIX || !/^[0-9a-f]{1,64}$/.test(prefix)) return [];
  return [...index.byDigest].filter(([digest]) => digest.startsWith(prefix)).map(([, stored]) => stored);
}

async function atPath(index: RegistryIndex, ref: string, models: string): Promise<StoredEntry[]> {
  if (ref.includes('\0')) return [];
  const given = resolve(ref);
  const real = await realpath(given).catch(() => given);
  const realModels = await realpath(models).catch(() => models);
  const named = (path: string): boolean => path === given || path === real;
  return [...index.byId.values()].filter(
    ({ folder, originalPath }) =>
      named(join(models, folder)) ||
      named(join(realModels, folder)) ||
      (originalPath !== undefined && named(originalPath)),
  );
}

function onlyOne(ref: string, found: readonly StoredEntry[]): StoredEntry | undefined {
  if (found.length < 2) return found[0];
  const listed = found.slice(0, LISTED_CANDIDATES).map(({ id, alias, digest }) => ({ id, alias, digest }));
  const names = listed.map(({ id, alias }) => (alias === undefined ? id : `${id} (${alias})`)).join(', ');
  const more = found.length > listed.length ? ` and ${found.length - listed.length} more` : '';
  throw new ModelRtcError('ambiguous', `"${ref}" names ${found.length} models: ${names}${more}. Name one by its id.`, {
    details: { ref, candidates: listed },
  });
}

/** That no model here has the name, with the names that may have been meant. */
export function notFoundLocally(index: RegistryIndex, ref: string): ModelRtcError {
  const suggestions = closeAliases(index, ref);
  const advice =
    suggestions.length > 0
      ? `Did you mean ${suggestions.map((alias) => `"${alias}"`).join(', ')}?`
      : 'List the models that are here to see their names.';
  return new ModelRtcError('not_found_locally', `No model on this machine is named "${ref}". ${advice}`, {
    details: { ref, suggestions },
  });
}
