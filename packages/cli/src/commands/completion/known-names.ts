import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { dataPaths } from '@model-rtc/registry';
import type { Completes } from '../../command-line/types.ts';
import { asObject, fieldOf, readJson } from './lenient-json.ts';
import { type Candidate, fullNames, RELEASE_KINDS, type ReleaseKind, releaseNames } from './release-names.ts';

/** Names that need no quoting in any shell. Other machines choose some of them, so everything else is left out. */
const SAFE_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

/**
 * The names that this machine knows, read without the registry: no lock, no repair, and nothing of a file that is damaged
 * or absent. A shell waits for it at each press of Tab.
 *
 * @param home - the data folder.
 * @param given - the positional arguments before the word.
 */
export async function knownNames(kind: Completes, home: string, given: readonly string[] = []): Promise<Candidate[]> {
  const { registryFile, catalogFile, configFile, workers, transfers } = dataPaths(home);
  if (kind in RELEASE_KINDS) return await releaseNames(kind as ReleaseKind, home, given.at(-1) ?? '');
  if (kind === 'transfers') return await transferIds(transfers);
  if (kind === 'workers') {
    const saved = fieldOf(await readJson(configFile), 'workers');
    return Object.keys(saved)
      .filter(isSafe)
      .map((value) => ({ value, describe: 'saved worker' }));
  }
  if (kind === 'meshes' || kind === 'mesh-nodes') return await namesOfMeshes(join(home, 'mesh'), kind);
  if (kind === 'prefetch-rules') return await ruleIds(join(home, 'mesh'));
  const models = Object.values(fieldOf(await readJson(registryFile), 'models'));
  const local = modelNames(models);
  if (kind === 'aliases') return local.filter(({ isAlias }) => isAlias);
  if (kind === 'catalog-ids') return [...plannedNames(await readJson(catalogFile)), ...local];
  const releases = fullNames(models);
  if (kind !== 'remote-models') return [...local, ...releases];
  return unique([...(await namesAtWorkers(workers)), ...local, ...releases]);
}

/** Those that have not ended come first, since they can be cancelled. */
async function transferIds(folder: string): Promise<Candidate[]> {
  const ids: (Candidate & { readonly isOver: boolean })[] = [];
  for (const file of await readdir(folder).catch(() => [])) {
    if (!/^[0-9a-f]{10}\.json$/.test(file)) continue;
    const { kind, name, endedAt } = asObject(await readJson(join(folder, file)));
    const about = [kind, name].filter(isSafe).join(' ');
    ids.push({ value: file.slice(0, 10), describe: about, isOver: typeof endedAt === 'string' });
  }
  return ids.sort((a, b) => Number(a.isOver) - Number(b.isOver)).map(({ value, describe }) => ({ value, describe }));
}

/** An id of the catalog that needs no quoting: names with `/` between them. */
const SAFE_ID = /^[A-Za-z0-9_][A-Za-z0-9_.+-]*(?:\/[A-Za-z0-9_.+-]+)*$/;

function plannedNames(file: unknown): ModelName[] {
  const { planned } = asObject(file);
  return (Array.isArray(planned) ? planned : []).flatMap((plan): ModelName[] => {
    const { id } = asObject(plan);
    const isPlain = typeof id === 'string' && id.length <= 256 && SAFE_ID.test(id);
    return isPlain ? [{ value: id, describe: 'registered', isAlias: false }] : [];
  });
}

/** The meshes that this machine joined, or the nodes of all of them, as they were last known. */
async function namesOfMeshes(folder: string, kind: 'meshes' | 'mesh-nodes'): Promise<Candidate[]> {
  const found: Candidate[] = [];
  for (const name of await readdir(folder).catch(() => [])) {
    const { name: mesh } = asObject(await readJson(join(folder, name, 'mesh.json')));
    if (!isSafeInMesh(mesh)) continue;
    if (kind === 'meshes') found.push({ value: mesh, describe: 'mesh' });
    const { members } = asObject(kind === 'meshes' ? undefined : await readJson(join(folder, name, 'members.json')));
    const names = (Array.isArray(members) ? members : []).map((member) => asObject(member).name);
    found.push(...names.filter(isSafeInMesh).map((value) => ({ value, describe: `in ${mesh}` })));
  }
  return unique(found);
}

/** The prefetch rules of all meshes. */
async function ruleIds(folder: string): Promise<Candidate[]> {
  const found: Candidate[] = [];
  for (const name of await readdir(folder).catch(() => [])) {
    const { rules } = asObject(await readJson(join(folder, name, 'prefetch.json')));
    for (const rule of Array.isArray(rules) ? rules : []) {
      const { id, type, tag, name: pattern } = asObject(rule);
      const which = [type, tag, pattern].filter(isSafe).join(' ');
      if (isSafe(id)) found.push({ value: id, describe: which === '' ? 'prefetch rule' : `prefetch rule: ${which}` });
    }
  }
  return unique(found);
}

/** The models that this machine's workers had when they were last asked. */
async function namesAtWorkers(folder: string): Promise<ModelName[]> {
  const names: ModelName[] = [];
  for (const file of await readdir(folder).catch(() => [])) {
    if (!file.endsWith('.json')) continue;
    const models = Object.values(fieldOf(await readJson(join(folder, file)), 'models'));
    names.push(...modelNames(models.map((model) => fieldOf(model, 'entry'))));
  }
  return names;
}

interface ModelName extends Candidate {
  readonly isAlias: boolean;
}

/** The aliases of models first, since people type those; then their ids. */
function modelNames(entries: readonly unknown[]): ModelName[] {
  const names = entries.flatMap((entry): ModelName[] => {
    const { id, alias, modelType } = asObject(entry);
    const type = typeof modelType === 'string' && SAFE_NAME.test(modelType) ? modelType : 'model';
    return [
      ...(isSafe(alias) ? [{ value: alias, describe: type, isAlias: true }] : []),
      ...(isSafe(id) ? [{ value: id, describe: isSafe(alias) ? `${type}, ${alias}` : type, isAlias: false }] : []),
    ];
  });
  return [...names.filter(({ isAlias }) => isAlias), ...names.filter(({ isAlias }) => !isAlias)];
}

function unique(names: readonly Candidate[]): Candidate[] {
  return [...new Map(names.map((name) => [name.value, name])).values()];
}

/** Meshes and nodes may have dots in their names, as machines have. */
function isSafeInMesh(name: unknown): name is string {
  return typeof name === 'string' && /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name);
}

function isSafe(name: unknown): name is string {
  return typeof name === 'string' && SAFE_NAME.test(name);
}
