import type { Registry } from '@model-rtc/registry';
import type { ModelVersion } from '@model-rtc/static-registry';
import { stagedNeeds } from '@model-rtc/transfer';
import type { ManagerContext } from './context.ts';
import { notInstalled } from './errors.ts';
import { listInstalled, requireInstalled } from './installed.ts';
import { type ModelName, nameText } from './reference.ts';
import type { InstalledModel, RemovedVersions } from './types.ts';

export async function removeVersion(context: ManagerContext, wanted: ModelVersion): Promise<RemovedVersions> {
  return await removeEach(context, [await requireInstalled(context, wanted)]);
}

/** @throws ModelManagerError `not_installed` when there is no version of it */
export async function removeAllVersions(context: ManagerContext, name: ModelName): Promise<RemovedVersions> {
  const installed = await listInstalled(context, name);
  if (installed.length === 0) throw notInstalled(nameText(name), 'See what is: models list.');
  return await removeEach(context, installed);
}

async function removeEach(context: ManagerContext, models: readonly InstalledModel[]): Promise<RemovedVersions> {
  return await context.withRegistry(async (registry) => {
    const needed = await stagedNeeds(registry.paths.staging);
    const named: InstalledModel[] = [];
    let freedBytes = 0;
    for (const model of models) {
      const freed = await removeOne(registry, model, needed);
      if (freed === undefined) named.push(model);
      else freedBytes += freed;
      await context.followed.forget(model, model.version);
    }
    // A name that was removed later may have been the other one.
    const kept: ModelVersion[] = [];
    for (const { digest, group, model, version } of named) {
      if ((await registry.find(digest)) !== undefined) kept.push({ group, model, version });
    }
    return { removed: models, freedBytes, kept };
  });
}

/** Takes the name away, and the files with the last name. Undefined where the files stay. */
async function removeOne(
  registry: Registry,
  { digest, group, model, version }: InstalledModel,
  needed: Awaited<ReturnType<typeof stagedNeeds>>,
): Promise<number | undefined> {
  const release = { group, model, version };
  const entry = await registry.find(digest);
  // A model that came another way is more than an installed version.
  const hasOtherUse = entry?.source !== 'static-registry' || (entry.releases ?? []).length > 1;
  if (!hasOtherUse) return (await registry.remove(digest, { needed })).freedBytes;
  await registry.changeReleases(digest, { remove: [release] });
  return undefined;
}
