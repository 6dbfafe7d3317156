import { join } from 'node:path';
import { type Alias, type AliasConflict, parseAlias } from '@model-rtc/protocol';
import type { RegistryContext } from '../context.ts';
import { settleAlias } from '../entry/alias-conflict.ts';
import { renamed } from '../entry/aliases.ts';
import { resolveRef } from '../entry/resolve.ts';
import type { RegistryIndex, StoredEntry } from '../entry/types.ts';
import { updateEntryNote } from '../store/model-notes.ts';

/** Gives a model an alias in place of the one that it has, or another one, as the conflict is to be settled. */
export async function nameModel(
  context: RegistryContext,
  ref: string,
  alias: Alias,
  conflict: AliasConflict | undefined,
): Promise<StoredEntry> {
  const { index, paths } = context;
  const wanted = parseAlias(alias);
  return await index.update(async (known) => {
    const { stored } = await resolveRef(known, ref, paths.models);
    const settled = settleAlias(known, { wanted, own: stored.alias, conflict });
    if (settled.alias === undefined || settled.alias === stored.alias) return { result: stored };
    const { named, put } = await giveAlias(context, known, stored, settled.alias);
    return { result: named, put };
  });
}

/** Gives an alias to a model, takes it from the one that has it, and notes both in their folders. */
export async function giveAlias(
  { paths, now }: RegistryContext,
  known: RegistryIndex,
  stored: StoredEntry,
  alias: Alias,
): Promise<{ readonly named: StoredEntry; readonly put: readonly StoredEntry[] }> {
  const owner = known.byAlias.get(alias);
  const at = now();
  const named = renamed(stored, alias, at);
  const put = owner === undefined || owner === stored ? [named] : [renamed(owner, undefined, at), named];
  for (const entry of put) await updateEntryNote(join(paths.models, entry.folder), entry);
  return { named, put };
}
