import { join } from 'node:path';
import { type Alias, type AliasConflict, ModelRtcError, parseAlias } from '@model-rtc/protocol';
import type { RegistryContext } from '../context.ts';
import { decideAlias, renamed } from '../entry/aliases.ts';
import { notFoundLocally, resolveRef } from '../entry/resolve.ts';
import type { RegistryIndex, StoredEntry } from '../entry/types.ts';
import { updateEntryNote } from '../store/model-notes.ts';

/** Gives a model an alias in place of its own. When another model has that alias, `conflict` decides. */
export async function tagModel(
  context: RegistryContext,
  ref: string,
  alias: Alias,
  conflict: AliasConflict | undefined,
): Promise<StoredEntry> {
  const { index, paths } = context;
  const wanted = parseAlias(alias);
  return await index.update(async (known) => {
    const { stored } = await resolveRef(known, ref, paths.models);
    const decided = decideAlias(known, wanted, stored.alias, conflict);
    if (decided.alias === undefined || decided.alias === stored.alias) return { result: stored };
    const { named, put } = await giveAlias(context, known, stored, decided.alias);
    return { result: named, put };
  });
}

/** Gives an alias to a model, takes it from the one that has it, and writes both to their notes. */
async function giveAlias(
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

/** Takes an alias from the model that has it. */
export async function untagModel({ index, paths, now }: RegistryContext, alias: string): Promise<StoredEntry> {
  return await index.update(async (known) => {
    const owner = known.byAlias.get(alias as Alias);
    if (owner === undefined) throw notFoundLocally(known, alias);
    const nameless = renamed(owner, undefined, now());
    await updateEntryNote(join(paths.models, nameless.folder), nameless);
    return { result: nameless, put: [nameless] };
  });
}

/** A time during which a model had an alias. */
export interface StoredAliasRecord {
  readonly stored: StoredEntry;
  readonly since: string | undefined;
  readonly until: string | undefined;
}

/** What an alias pointed to, newest first. */
export async function aliasHistory(
  { index, paths }: RegistryContext,
  ref: string,
): Promise<{ alias: Alias; records: StoredAliasRecord[] }> {
  const known = await index.read();
  const alias = await aliasOf(known, ref, paths.models);
  return { alias, records: recordsOf(known, alias) };
}

/** A former alias will do: people ask for its history when no model has it any more. */
async function aliasOf(known: RegistryIndex, ref: string, models: string): Promise<Alias> {
  if (!known.byId.has(ref) && recordsOf(known, ref as Alias).length > 0) return ref as Alias;
  const { stored } = await resolveRef(known, ref, models);
  const alias = stored.alias ?? stored.formerAliases.at(-1)?.alias;
  if (alias !== undefined) return alias;
  const sentence = `Model ${stored.id} has never had an alias, so there is no history. Name it: model-rtc client tag-model ${stored.id} ALIAS`;
  throw new ModelRtcError('not_found_locally', sentence, { details: { id: stored.id } });
}

function recordsOf(known: RegistryIndex, alias: Alias): StoredAliasRecord[] {
  const owner = known.byAlias.get(alias);
  const former = [...known.byId.values()].flatMap((stored) =>
    stored.formerAliases
      .filter((record) => record.alias === alias)
      .map(({ since, until }) => ({ stored, since, until })),
  );
  // A later record of the same millisecond comes first.
  former.reverse().sort((a, b) => (a.until === b.until ? 0 : a.until < b.until ? 1 : -1));
  return owner === undefined ? former : [{ stored: owner, since: owner.aliasSince, until: undefined }, ...former];
}

/** Gives an alias back to a model that had it. */
export async function rollbackAlias(
  context: RegistryContext,
  text: string,
  to: string | undefined,
): Promise<{ stored: StoredEntry; from: StoredEntry | undefined }> {
  const alias = parseAlias(text);
  return await context.index.update(async (known) => {
    const records = recordsOf(known, alias);
    if (records.length === 0) throw notFoundLocally(known, alias);
    const owner = known.byAlias.get(alias);
    const target =
      to === undefined
        ? previousOwner(alias, records, owner)
        : formerOwner(alias, records, (await resolveRef(known, to, context.paths.models)).stored);
    if (target === owner) return { result: { stored: target, from: undefined } };
    const { named, put } = await giveAlias(context, known, target, alias);
    return { result: { stored: named, from: put.find(({ id }) => id !== named.id) }, put };
  });
}

function previousOwner(
  alias: Alias,
  records: readonly StoredAliasRecord[],
  owner: StoredEntry | undefined,
): StoredEntry {
  const previous = records.find(({ stored }) => stored !== owner)?.stored;
  if (previous === undefined) {
    const sentence = `No other model on this machine was "${alias}" before, so there is nothing to go back to. See: model-rtc client history ${alias}`;
    throw new ModelRtcError('not_found_locally', sentence, { details: { alias } });
  }
  if (previous.alias === undefined) return previous;
  const sentence = `The model that was "${alias}" before (${previous.id}) is "${previous.alias}" now, and would lose that name. To take it anyway, run: model-rtc client rollback ${alias} --to ${previous.id}`;
  throw new ModelRtcError('refused', sentence, { details: { alias, id: previous.id, alsoNamed: previous.alias } });
}

function formerOwner(alias: Alias, records: readonly StoredAliasRecord[], named: StoredEntry): StoredEntry {
  if (records.some(({ stored }) => stored.id === named.id)) return named;
  const sentence = `Model ${named.id} was never "${alias}". To give it this alias anyway, run: model-rtc client tag-model ${named.id} ${alias} --force`;
  throw new ModelRtcError('refused', sentence, { details: { alias, id: named.id } });
}
