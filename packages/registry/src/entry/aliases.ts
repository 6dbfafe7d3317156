import {
  type Alias,
  type AliasConflict,
  aliasProblem,
  type Digest,
  duplicateError,
  ModelRtcError,
} from '@model-rtc/protocol';
import { distance as editDistance } from 'fastest-levenshtein';
import type { ImportIfExists } from '../import/types.ts';
import { MAX_FORMER_ALIASES, type RegistryIndex, type StoredEntry } from './types.ts';

const SUGGESTIONS = 3;
const MAX_ALIAS_LENGTH = 64;

/** @throws ModelRtcError `alias_taken` when a model other than `forDigest` has the alias */
export function requireFreeAlias(index: RegistryIndex, alias: Alias, forDigest: Digest | undefined): void {
  const owner = index.byAlias.get(alias);
  if (owner === undefined || (forDigest !== undefined && owner.digest === forDigest)) return;
  throw aliasTaken(index, alias, owner);
}

export function aliasTaken(index: RegistryIndex, alias: Alias, owner: StoredEntry): ModelRtcError {
  const suggestions = freeAliases(index, alias);
  const sentence = `The alias "${alias}" is taken by model ${owner.id} (${owner.modelType}). Choose another one, such as ${listOf(suggestions)}.`;
  const details = { alias, owner: { id: owner.id, digest: owner.digest, modelType: owner.modelType }, suggestions };
  return new ModelRtcError('alias_taken', sentence, { details });
}

/** Up to three aliases that no model has, made from one that is taken: `name-2`, `name-3`, ... */
export function freeAliases(index: RegistryIndex, alias: Alias): Alias[] {
  const free: Alias[] = [];
  for (let number = 2; free.length < SUGGESTIONS; number++) {
    const candidate = numbered(alias, number);
    if (aliasProblem(candidate) === undefined && !index.byAlias.has(candidate)) free.push(candidate);
  }
  return free;
}

/** The alias with a number after it, cut where it would be too long. */
export function numbered(alias: Alias, number: number): Alias {
  const suffix = `-${number}`;
  return `${alias.slice(0, MAX_ALIAS_LENGTH - suffix.length)}${suffix}` as Alias;
}

/** The alias itself when no model has it, otherwise the first free one made from it. */
export function nearestFreeAlias(index: RegistryIndex, alias: Alias): Alias {
  return index.byAlias.has(alias) ? (freeAliases(index, alias)[0] as Alias) : alias;
}

function listOf(names: readonly string[]): string {
  const quoted = names.map((name) => `"${name}"`);
  return quoted.length < 2 ? quoted.join('') : `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`;
}

const CLOSE_ALIASES = 3;

/** Aliases close to a mistyped reference, nearest first. */
export function closeAliases(index: RegistryIndex, ref: string): Alias[] {
  if (ref.length > MAX_ALIAS_LENGTH * 2) return [];
  const wanted = ref.toLowerCase();
  const farthest = Math.max(2, Math.floor(wanted.length / 3));
  const scored: { alias: Alias; distance: number }[] = [];
  for (const alias of index.byAlias.keys()) {
    const name = alias.toLowerCase();
    const distance = name.startsWith(wanted) && wanted.length >= 3 ? 1 : editDistance(wanted, name);
    if (distance <= farthest) scored.push({ alias, distance });
  }
  scored.sort((a, b) => a.distance - b.distance || (a.alias < b.alias ? -1 : 1));
  return scored.slice(0, CLOSE_ALIASES).map(({ alias }) => alias);
}

/**
 * A model with another alias, or none, that remembers the one it had. Every change of an alias goes through here, so that
 * `rollback` finds it.
 */
export function renamed(stored: StoredEntry, alias: Alias | undefined, now: Date): StoredEntry {
  const { alias: before, aliasSince, formerAliases } = stored;
  if (before === alias) return stored;
  const until = now.toISOString();
  const former = before === undefined ? formerAliases : [...formerAliases, { alias: before, since: aliasSince, until }];
  return {
    ...stored,
    alias,
    aliasSince: alias === undefined ? undefined : until,
    formerAliases: former.slice(-MAX_FORMER_ALIASES),
  };
}

/** A model's alias from now on, and the model that loses it. */
export interface DecidedAlias {
  readonly alias: Alias | undefined;
  readonly formerOwner?: StoredEntry | undefined;
}

/**
 * Decides the alias of one model; changes nothing.
 * @param wanted undefined to leave the model its own
 * @param own the model's alias now
 * @param conflict what to do when another model has the wanted alias
 * @throws ModelRtcError `alias_taken` when another model has it and there is no `conflict`
 */
export function decideAlias(
  index: RegistryIndex,
  wanted: Alias | undefined,
  own: Alias | undefined,
  conflict: AliasConflict | undefined,
): DecidedAlias {
  if (wanted === undefined || wanted === own) return { alias: own };
  const owner = index.byAlias.get(wanted);
  if (owner === undefined) return { alias: wanted };
  switch (conflict) {
    case undefined:
      throw aliasTaken(index, wanted, owner);
    case 'keep':
      return { alias: own };
    case 'rename':
      // The same command run again must not count up.
      return { alias: own !== undefined && isNumbered(own, wanted) ? own : freeAliases(index, wanted)[0] };
    case 'overwrite':
      return { alias: wanted, formerOwner: owner };
  }
}

/** Whether an alias is the other one with a number after it, as `freeAliases` makes them. */
function isNumbered(alias: Alias, base: Alias): boolean {
  const number = /-(\d{1,9})$/.exec(alias)?.[1];
  return number !== undefined && numbered(base, Number(number)) === alias;
}

/**
 * The alias that someone wants for a whole model that is here already, by importing it once more.
 * @param alias what a person asked for
 * @param offered the alias the model gets when nobody asks for one
 * @throws ModelRtcError `refused` when the model has another alias and there is no `ifExists`
 */
export function wantedForExisting(
  existing: StoredEntry,
  alias: Alias | undefined,
  offered: Alias | undefined,
  ifExists: ImportIfExists | undefined,
): Alias | undefined {
  if (ifExists === 'skip') return undefined;
  if (ifExists === 'rename') return alias ?? offered;
  if (alias === undefined || existing.alias === undefined || existing.alias === alias) return alias;
  const sentence = `This model is here already as "${existing.alias}" (${existing.id}). To rename it, run: model-rtc client tag-model ${existing.id} ${alias}`;
  const { id, digest } = existing;
  throw duplicateError(sentence, { id, digest, alias: existing.alias, wanted: alias });
}
