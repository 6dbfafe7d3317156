import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { dataPaths } from '@model-rtc/registry';
import { asObject, fieldOf, readJson } from './lenient-json.ts';

/** A completion, with a description. */
export interface Candidate {
  readonly value: string;
  readonly describe: string;
}

/** Which kinds are versions of the model before them, and which take what a registry listed as well. */
export const RELEASE_KINDS = {
  releases: { isVersion: false, isListed: false },
  'listed-releases': { isVersion: false, isListed: true },
  'release-versions': { isVersion: true, isListed: false },
  'listed-release-versions': { isVersion: true, isListed: true },
} as const;

export type ReleaseKind = keyof typeof RELEASE_KINDS;

interface Release {
  readonly group: string;
  readonly model: string;
  readonly version: string;
  readonly describe: string;
}

/** Names that need no quoting in any shell. Publishers choose them, so everything else is left out. */
const SAFE_PART = /^[A-Za-z0-9][A-Za-z0-9._+-]{0,127}$/;

/**
 * Models and versions of static registries: those that are installed, with the aliases by which they were pulled, and those of lists that
 * were read before. Nothing is asked of a registry.
 * @param model - the word before, for versions
 */
export async function releaseNames(kind: ReleaseKind, home: string, model: string): Promise<Candidate[]> {
  const { isVersion, isListed } = RELEASE_KINDS[kind];
  const releases = [...(await installed(home)), ...(isListed ? await listed(join(home, 'registries')) : [])];
  const names = releases.flatMap((one): Candidate[] => {
    const name = `${one.group}/${one.model}`;
    if (!isVersion) return [{ value: name, describe: one.describe }];
    return name === model ? [{ value: one.version, describe: one.describe }] : [];
  });
  const byName = new Map<string, Candidate>();
  // The first one says more: what is installed comes first.
  for (const name of names) if (!byName.has(name.value)) byName.set(name.value, name);
  return [...byName.values()];
}

/** The installed ones as `GROUP/MODEL@VERSION`, which commands for any model take. @param models - of the index */
export function fullNames(models: readonly unknown[]): Candidate[] {
  return ofModels(models).map(({ group, model, version, describe }) => ({
    value: `${group}/${model}@${version}`,
    describe,
  }));
}

async function installed(home: string): Promise<Release[]> {
  const models = fieldOf(await readJson(dataPaths(home).registryFile), 'models');
  const followed = await readJson(join(home, 'followed-versions.json'));
  const aliases = (Array.isArray(followed) ? followed : []).map((one) => {
    const { group, model, alias, version } = asObject(one);
    return { group, model, version: alias, describe: `installed, ${isSafe(version) ? version : 'alias'}` };
  });
  return [...ofModels(Object.values(models)), ...aliases.filter(isRelease)];
}

function ofModels(models: readonly unknown[]): Release[] {
  const releases = models.flatMap((model) => {
    const found = asObject(model).releases;
    return Array.isArray(found) ? found.map(asObject) : [];
  });
  return releases
    .map(({ group, model, version }) => ({ group, model, version, describe: 'installed' }))
    .filter(isRelease);
}

/** What registries listed when they were last read. */
async function listed(folder: string): Promise<Release[]> {
  const found: Release[] = [];
  for (const file of await readdir(folder).catch(() => [])) {
    if (!file.endsWith('.json')) continue;
    const { text } = asObject(await readJson(join(folder, file)));
    for (const [group, models] of Object.entries(parsed(text))) {
      for (const [model, versions] of Object.entries(asObject(models))) {
        for (const [version, entry] of Object.entries(asObject(versions))) {
          const { alias } = asObject(entry);
          const release = { group, model, version, describe: isSafe(alias) ? `-> ${alias}` : 'in a registry' };
          if (isRelease(release)) found.push(release);
        }
      }
    }
  }
  return found;
}

function parsed(text: unknown): Readonly<Record<string, unknown>> {
  try {
    return typeof text === 'string' ? asObject(JSON.parse(text)) : {};
  } catch {
    return {};
  }
}

function isRelease(one: { [Name in keyof Release]: unknown }): one is Release {
  return isSafe(one.group) && isSafe(one.model) && isSafe(one.version);
}

function isSafe(name: unknown): name is string {
  return typeof name === 'string' && SAFE_PART.test(name);
}
