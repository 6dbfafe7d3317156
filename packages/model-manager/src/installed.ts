import type { Release } from '@model-rtc/protocol';
import type { Registry, RegistryEntry } from '@model-rtc/registry';
import { type ModelVersion, versionText } from '@model-rtc/static-registry';
import type { ManagerContext } from './context.ts';
import { notInstalled } from './errors.ts';
import type { FollowedVersion } from './followed-versions.ts';
import { isSameVersion, type ModelName, nameText } from './reference.ts';
import type { InstalledModel } from './types.ts';

const PAGE = 500;

/** All versions on this machine, sorted by their names. */
export async function listInstalled(context: ManagerContext, name?: ModelName): Promise<InstalledModel[]> {
  const followed = await context.followed.list();
  return await context.withRegistry(async (registry) => {
    const found: InstalledModel[] = [];
    for await (const entry of entries(registry)) {
      for (const release of entry.releases ?? []) {
        if (name !== undefined && (release.group !== name.group || release.model !== name.model)) continue;
        const owner = await registry.findRelease(release);
        if (owner?.digest === entry.digest) found.push(...(await describe(registry, entry, release, followed)));
      }
    }
    return found.sort(
      (a, b) => compare(a.group, b.group) || compare(a.model, b.model) || compare(a.version, b.version),
    );
  });
}

/** A version on this machine; an alias that was pulled counts as what it led to. */
export async function findInstalled(
  context: ManagerContext,
  wanted: ModelVersion,
): Promise<InstalledModel | undefined> {
  const followed = await context.followed.list();
  return await context.withRegistry(async (registry) => {
    const direct = await installedAs(registry, wanted, followed);
    if (direct !== undefined) return direct;
    const { group, model, version } = wanted;
    const known = followed.findLast((one) => one.group === group && one.model === model && one.alias === version);
    return known === undefined
      ? undefined
      : await installedAs(registry, { group, model, version: known.version }, followed);
  });
}

/** @throws ModelManagerError `not_installed`, with what is installed of the model */
export async function requireInstalled(context: ManagerContext, wanted: ModelVersion): Promise<InstalledModel> {
  return (await findInstalled(context, wanted)) ?? (await missing(context, wanted));
}

async function missing(context: ManagerContext, wanted: ModelVersion): Promise<never> {
  const versions = (await listInstalled(context, wanted)).map(({ version }) => version);
  const hint =
    versions.length === 0
      ? `Install it: models pull ${nameText(wanted)} ${wanted.version}.`
      : `Installed are: ${versions.join(', ')}.`;
  throw notInstalled(versionText(wanted), hint);
}

export async function installedAs(
  registry: Registry,
  { group, model, version }: ModelVersion,
  followed: readonly FollowedVersion[],
): Promise<InstalledModel | undefined> {
  const release = { group, model, version };
  const entry = await registry.findRelease(release);
  const own = entry?.releases?.find((one) => isSameVersion(one, release));
  return entry === undefined || own === undefined ? undefined : (await describe(registry, entry, own, followed))[0];
}

async function describe(
  registry: Registry,
  entry: RegistryEntry,
  { group, model, version, manifest, registry: url }: Release,
  followed: readonly FollowedVersion[],
): Promise<InstalledModel[]> {
  const { digest, id, size, fileCount, localPath: path, license, notes: description } = entry;
  // A model in training has no digest, and no release of a registry.
  if (digest === undefined) return [];
  const aliases = followed.filter((one) => isSameVersion(one, { group, model, version })).map(({ alias }) => alias);
  const installedAt = entry.downloadedAt ?? entry.importedAt ?? entry.completedAt;
  const { valid: isWhole } = await registry.check(digest);
  return [
    {
      ...{ group, model, version, aliases: [...new Set(aliases)], id, digest, manifest, registry: url },
      ...{ size, fileCount, path, installedAt, license, description, isWhole },
    },
  ];
}

async function* entries(registry: Registry): AsyncGenerator<RegistryEntry> {
  for (let cursor: string | undefined; ; ) {
    const page = await registry.list({ filters: {}, sort: 'name', limit: PAGE, cursor });
    yield* page.models;
    cursor = page.nextCursor;
    if (cursor === undefined) return;
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
