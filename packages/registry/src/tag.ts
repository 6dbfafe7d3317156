import { join } from 'node:path';
import { type Alias, parseAlias } from '@model-rtc/protocol';
import { aliasTaken, renamed } from './aliases.ts';
import type { RegistryIndex, StoredEntry } from './index-schema.ts';
import { updateEntryNote } from './model-folder.ts';
import type { RegistryContext } from './registry-context.ts';
import { resolveRef } from './resolve.ts';

/** Gives a model an alias in place of the one that it has. With `overwrite` the alias's owner loses it. */
export async function tagModel(
  context: RegistryContext,
  ref: string,
  alias: Alias,
  overwrite: boolean,
): Promise<StoredEntry> {
  const { index, paths } = context;
  const wanted = parseAlias(alias);
  return await index.update(async (known) => {
    const { stored } = await resolveRef(known, ref, paths.models);
    const owner = known.byAlias.get(wanted);
    if (owner === stored) return { result: stored };
    if (owner !== undefined && !overwrite) throw aliasTaken(known, wanted, owner);
    const { named, put } = await giveAlias(context, known, stored, wanted);
    return { result: named, put };
  });
}

/** Gives an alias to a model, takes it from the one that has it, and notes both in their folders. */
export async function giveAlias(
  { paths, clock }: RegistryContext,
  known: RegistryIndex,
  stored: StoredEntry,
  alias: Alias,
): Promise<{ readonly named: StoredEntry; readonly put: readonly StoredEntry[] }> {
  const owner = known.byAlias.get(alias);
  const named = renamed(stored, alias, clock());
  const put = owner === undefined || owner === stored ? [named] : [renamed(owner, undefined, clock()), named];
  for (const entry of put) await updateEntryNote(join(paths.models, entry.folder), entry);
  return { named, put };
}
