import { type Alias, aliasProblem, ModelRtcError, modelEntrySchema } from '@model-rtc/protocol';
import { numbered } from './aliases.ts';
import type { RegistryIndex, StoredEntry } from './types.ts';

/** @throws ModelRtcError `bad_argument` for what cannot be the full name of a model */
export function requireName(name: string | undefined): void {
  if (name === undefined) return;
  const isName = modelEntrySchema.shape.name.safeParse(name).success && !/\p{Cc}/u.test(name) && name.trim() === name;
  if (isName) return;
  const sentence =
    'The name of a model has 1 to 256 characters, none of them a control character, and no space at its ends. Choose another --name, or leave it out.';
  throw new ModelRtcError('bad_argument', sentence);
}

/** A full name, and the alias that goes with it. */
export interface NamePair {
  readonly name: string;
  readonly alias: Alias;
}

/** The models that commands would take a name or its alias for. */
export function ownersOf(index: RegistryIndex, { name, alias }: NamePair): StoredEntry[] {
  return [...index.byId.values()].filter(
    (stored) => stored.name === name || stored.alias === alias || stored.alias === name || stored.id === name,
  );
}

/** The first name made from another one that no model has, with an alias that none has either: `name-2`, `name-3`, ... */
export function freePair(index: RegistryIndex, { name, alias }: NamePair): NamePair {
  for (let number = 2; ; number++) {
    const pair = { name: `${name}-${number}`, alias: numbered(alias, number) };
    if (aliasProblem(pair.alias) === undefined && ownersOf(index, pair).length === 0) return pair;
  }
}

/** Other models with the same full name. */
export function othersNamed(index: RegistryIndex, { id, name }: StoredEntry): StoredEntry[] {
  return [...index.byId.values()].filter((other) => name !== undefined && other.name === name && other.id !== id);
}
