import { join } from 'node:path';
import { type Alias, parseAlias } from '@model-rtc/protocol';
import { aliasTaken, renamed } from './aliases.ts';
import type { StoredEntry } from './index-schema.ts';
import { updateEntryNote } from './model-folder.ts';
import type { RegistryContext } from './registry-context.ts';
import { resolveRef } from './resolve.ts';

/** Gives a model an alias in place of the one that it has. With `overwrite` the alias's owner loses it. */
export async function tagModel(
  { index, paths, clock }: RegistryContext,
  ref: string,
  alias: Alias,
  overwrite: boolean,
): Promise<StoredEntry> {
  const wanted = parseAlias(alias);
  return await index.update(async (known) => {
    const { stored } = await resolveRef(known, ref, paths.models);
    const owner = known.byAlias.get(wanted);
    if (owner === stored) return { result: stored };
    if (owner !== undefined && !overwrite) throw aliasTaken(known, wanted, owner);
    const named = renamed(stored, wanted, clock());
    const put = owner === undefined ? [named] : [renamed(owner, undefined, clock()), named];
    for (const entry of put) await updateEntryNote(join(paths.models, entry.folder), entry);
    return { result: named, put };
  });
}
