import { type Alias, type AliasConflict, duplicateError } from '@model-rtc/protocol';
import type { ImportIfExists } from '../import/types.ts';
import { aliasTaken, freeAliases, numbered } from './aliases.ts';
import type { RegistryIndex, StoredEntry } from './types.ts';

/** What a model is called from now on, and which one is not called so any more. */
export interface SettledAlias {
  readonly alias: Alias | undefined;
  readonly loser?: StoredEntry | undefined;
}

export interface AliasWish {
  /** Undefined when the model is to be called as it is. */
  readonly wanted: Alias | undefined;
  /** What the model is called as long as nobody wants anything. */
  readonly own: Alias | undefined;
  /** What becomes of a wanted alias that another model has; it is refused when undefined. */
  readonly conflict: AliasConflict | undefined;
}

/**
 * Decides the alias of one model; nothing is changed.
 * @throws ModelRtcError `alias_taken` when another model has it and nobody said what becomes of it
 */
export function settleAlias(index: RegistryIndex, { wanted, own, conflict }: AliasWish): SettledAlias {
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
      return { alias: wanted, loser: owner };
  }
}

/** Whether an alias is another one with a number after it, as `freeAliases` makes them. */
function isNumbered(alias: Alias, base: Alias): boolean {
  const number = /-(\d{1,9})$/.exec(alias)?.[1];
  return number !== undefined && numbered(base, Number(number)) === alias;
}

export interface HereAlready {
  readonly existing: StoredEntry;
  /** The alias that a person asked for. */
  readonly alias: Alias | undefined;
  /** What the model would be called if nobody asked for anything. */
  readonly offered: Alias | undefined;
  readonly ifExists: ImportIfExists | undefined;
}

/**
 * The alias that a whole model that is here already is to get by being brought once more.
 * @throws ModelRtcError `refused` when it is here under another one and nobody said what to do about it
 */
export function aliasOfExisting({ existing, alias, offered, ifExists }: HereAlready): Alias | undefined {
  if (ifExists === 'skip') return undefined;
  if (ifExists === 'rename') return alias ?? offered;
  if (alias === undefined || existing.alias === undefined || existing.alias === alias) return alias;
  const sentence = `This model is here already as "${existing.alias}" (${existing.id}). To rename it, run: model-rtc client tag-model ${existing.id} ${alias}`;
  const { id, digest } = existing;
  throw duplicateError(sentence, { id, digest, alias: existing.alias, wanted: alias });
}
