import { lstat, realpath } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Log, ModelRtcError } from '@model-rtc/protocol';
import type { RegistryContext } from '../context.ts';
import { resolveRef } from './resolve.ts';
import type { RegistryIndex, Resolved, ResolveOptions } from './types.ts';

/**
 * The model that a person's reference names, with a word to the log where it could have meant something else.
 * @throws ModelRtcError what `resolveRef` throws; of what lies at such a path and is no model of the registry it tells, too
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
 * Says so where a reference could have meant a file or folder of the working directory as well, since a person who sees
 * `mouse` in a listing may mean that one.
 */
async function mentionShadowed(ref: string, found: Resolved, models: string, log: Log): Promise<void> {
  const { stored, resolvedBy } = found;
  if (resolvedBy === 'path') {
    if (isBareWord(ref)) {
      log.info({ ref, id: stored.id }, `"${ref}" is taken as a path, since no model is named so`);
    }
    return;
  }
  const path = await pathThere(ref);
  if (path === undefined || path === stored.originalPath || path === join(models, stored.folder)) return;
  log.warn(
    { ref, path, id: stored.id },
    `"${ref}" is taken as the ${NOUNS[resolvedBy]} of model ${stored.id}; what lies at ${path} is not meant. To mean that, write ./${ref}`,
  );
}

const NOUNS = { id: 'id', alias: 'alias', digest: 'digest' } as const;

/** That no model is named so, although something lies at the path: then that is what a person may have meant. */
async function namedLikeAPath(ref: string, notFound: ModelRtcError): Promise<ModelRtcError> {
  const path = await pathThere(ref);
  if (path === undefined) return notFound;
  const sentence = `${notFound.message} What lies at ${path} is not registered; to register it, run: model-rtc client import-model ${path}`;
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
