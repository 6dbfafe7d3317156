import { lstat, realpath } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Alias, type Digest, type Log, ModelRtcError } from '@model-rtc/protocol';
import type { RegistryContext } from '../context.ts';
import { closeAliases } from './aliases.ts';
import { releasedAs } from './releases.ts';
import type { RegistryIndex, Resolved, ResolveOptions, StoredEntry } from './types.ts';

/** Candidates listed in an error; a prefix of 6 characters seldom has even two. */
const LISTED_CANDIDATES = 10;

/**
 * The model that a reference names. Exact names come first: an id, then an alias, then the start of a digest, then a full name
 * (`acme/tiny`), then what a static registry calls it (`acme/tiny@fp16`), then the path of the model's folder or of its original.
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
  const byName = onlyOne(
    ref,
    [...index.byId.values()].filter(({ name }) => name === ref),
  );
  if (byName !== undefined) return { stored: byName, resolvedBy: 'name' };
  const byRelease = onlyOne(ref, releasedAs(index, ref));
  if (byRelease !== undefined) return { stored: byRelease, resolvedBy: 'name' };
  const byPath = paths ? onlyOne(ref, await atPath(index, ref, models)) : undefined;
  if (byPath !== undefined) return { stored: byPath, resolvedBy: 'path' };
  throw notFoundLocally(index, ref);
}

/** A reference that is long enough to be the start of a digest, in lower case; undefined for any other. */
export function digestPrefix(ref: string): string | undefined {
  const prefix = ref.toLowerCase();
  return /^[0-9a-f]{6,64}$/.test(prefix) ? prefix : undefined;
}

function withPrefix(index: RegistryIndex, ref: string): StoredEntry[] {
  const prefix = digestPrefix(ref);
  if (prefix === undefined) return [];
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

/** The error for a name that no model here has, with similar names. */
export function notFoundLocally(index: RegistryIndex, ref: string): ModelRtcError {
  const suggestions = closeAliases(index, ref);
  const advice = adviceFor(ref, suggestions);
  return new ModelRtcError('not_found_locally', `No model on this machine is named "${ref}". ${advice}`, {
    details: { ref, suggestions },
  });
}

function adviceFor(ref: string, suggestions: readonly string[]): string {
  if (/^(?:mesh|hf):./.test(ref))
    return `Fetch it first, then name it as it is called here: model-rtc client pull-model ${ref}.`;
  if (suggestions.length === 0) return 'List the models that are here to see their names.';
  return `Did you mean ${suggestions.map((alias) => `"${alias}"`).join(', ')}?`;
}

/** @throws ModelRtcError `not_found_locally` */
export async function requireModel({ index }: Pick<RegistryContext, 'index'>, digest: Digest): Promise<StoredEntry> {
  const known = await index.read();
  const stored = known.byDigest.get(digest);
  if (stored === undefined) throw notFoundLocally(known, digest);
  return stored;
}

/**
 * The model that a person's reference names. Logs a message when the reference could also mean something else.
 * @throws ModelRtcError what `resolveRef` throws. The message mentions an unregistered file or folder at that path
 */
export async function resolveNamed(
  { paths, log }: RegistryContext,
  index: RegistryIndex,
  ref: string,
  options: ResolveOptions = {},
): Promise<Resolved> {
  const mayBePath = options.paths !== false;
  try {
    const found = await resolveRef(index, ref, paths.models, options);
    if (mayBePath) await mentionShadowed(ref, found, paths.models, log);
    return found;
  } catch (thrown) {
    const known = ModelRtcError.from(thrown);
    throw known.code === 'not_found_locally' && mayBePath ? await namedLikeAPath(ref, known) : known;
  }
}

/**
 * Logs that a reference could also mean a file or folder of the working directory: a person who sees `mouse` in a listing
 * may mean that.
 */
async function mentionShadowed(ref: string, found: Resolved, models: string, log: Log): Promise<void> {
  const { stored, resolvedBy } = found;
  if (resolvedBy === 'path') {
    if (isBareWord(ref)) {
      log.info({ ref, id: stored.id }, `"${ref}" is taken as a path, since no model has this name`);
    }
    return;
  }
  const path = await pathThere(ref);
  if (path === undefined || path === stored.originalPath || path === join(models, stored.folder)) return;
  log.warn(
    { ref, path, id: stored.id },
    `"${ref}" is taken as the ${NOUNS[resolvedBy]} of model ${stored.id}, not as the path ${path}. To mean the path, write ./${ref}`,
  );
}

const NOUNS = { id: 'id', alias: 'alias', digest: 'digest', name: 'name' } as const;

/** The same error, but mentions what lies at the path, which the person may have meant. */
async function namedLikeAPath(ref: string, notFound: ModelRtcError): Promise<ModelRtcError> {
  const path = await pathThere(ref);
  if (path === undefined) return notFound;
  const sentence = `${notFound.message} There is something at ${path}, but it is not registered. To register it, run: model-rtc client import-model ${path}`;
  return new ModelRtcError(notFound.code, sentence, { cause: notFound, details: { ...notFound.details, path } });
}

async function pathThere(ref: string): Promise<string | undefined> {
  if (ref === '' || ref.includes('\0')) return undefined;
  const path = resolve(ref);
  try {
    await lstat(path);
  } catch {
    return undefined;
  }
  return await realpath(path).catch(() => path);
}

function isBareWord(ref: string): boolean {
  return /^[\w-][\w.-]*$/.test(ref);
}
