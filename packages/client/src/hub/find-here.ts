import type { Registry, RegistryEntry } from '@model-rtc/registry';
import { withAlias } from './model-name.ts';
import type { TakeOptions } from './types.ts';

const COMMIT = /^[0-9a-f]{40}$/;

/**
 * The model that was taken from a commit of the repository with the same choice of files, if it is whole.
 * @param commit - undefined before the hub was asked: then only a reference that names a commit can be found
 */
export async function findHere(
  registry: Registry,
  options: TakeOptions,
  commit: string | undefined,
): Promise<RegistryEntry | undefined> {
  const { reference } = options;
  const wanted = commit ?? (COMMIT.test(reference.revision ?? '') ? reference.revision : undefined);
  if (wanted === undefined) return undefined;
  for (const entry of await registry.fromHub(reference.repo)) {
    const { hub, digest, source } = entry;
    // What another machine says of a model's origin is not known to be true, so that only what this one took itself counts.
    if (hub?.commit !== wanted || source !== 'hub' || !isSameChoice(entry, options) || digest === undefined) continue;
    if ((await registry.check(digest)).valid) return entry;
  }
  return undefined;
}

/** Whether a model was taken with the same files of its repository in mind. */
export function isSameChoice(
  { importedWith }: Pick<RegistryEntry, 'importedWith'>,
  { include = [], exclude = [] }: Pick<TakeOptions, 'include' | 'exclude'>,
): boolean {
  return isSame(importedWith?.include ?? [], include) && isSame(importedWith?.exclude ?? [], exclude);
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i]);
}

/**
 * Gives a model that is here already the names that a person asked for by name.
 * @throws ModelRtcError `alias_taken` when another model has them and no decision lets it lose them
 */
export async function nameAgain(
  registry: Registry,
  entry: RegistryEntry,
  { name, alias, ifTaken }: Pick<TakeOptions, 'name' | 'alias' | 'ifTaken'>,
): Promise<RegistryEntry> {
  const takesName = ifTaken === 'overwrite';
  let named = entry;
  if (name !== undefined && name !== entry.name) named = await registry.update(entry.id, { name, takesName });
  const wanted = alias ?? (name === undefined || name === entry.name ? undefined : withAlias(name).alias);
  if (wanted === undefined || wanted === named.alias) return named;
  const aliasConflict = ifTaken === 'overwrite' || ifTaken === 'rename' ? ifTaken : undefined;
  return await registry.tag(named.id, wanted, { aliasConflict });
}
