import type { ModelList, ModelVersion } from '@model-rtc/static-registry';
import type { ManagerContext } from './context.ts';
import { asModelError } from './errors.ts';
import { listInstalled } from './installed.ts';
import type { ModelName } from './reference.ts';
import type { InstalledModel, UpdateCheck } from './types.ts';

/** Compares what is installed from the registry with what it has now: the aliases that were pulled, then the versions. */
export async function checkUpdates(
  context: ManagerContext,
  name: ModelName | undefined,
  signal: AbortSignal | undefined,
): Promise<UpdateCheck[]> {
  const remote = context.remote();
  const list = await remote.list(signal);
  const installed = await listInstalled(context, name);
  const followed = (await context.followed.list()).filter(({ registry }) => registry === remote.url);
  const checks: UpdateCheck[] = [];
  for (const model of installed) {
    // What another registry or a worker brought is not this registry's to update.
    if (model.registry !== undefined && model.registry !== remote.url) continue;
    const aliases = followed.filter(
      (one) => one.group === model.group && one.model === model.model && one.version === model.version,
    );
    for (const { alias } of aliases) checks.push(check(list, model, alias));
    checks.push(check(list, model, model.version));
  }
  return checks;
}

function check(list: ModelList, installed: InstalledModel, version: string): UpdateCheck {
  const { group, model, version: oldVersion, manifest: oldHash } = installed;
  const isAlias = version !== oldVersion;
  const found = findListed(list, { group, model, version });
  const known = { group, model, version, isAlias, oldVersion, oldHash };
  if (found === undefined) return { ...known, state: 'gone' };
  const { version: newVersion, hash: newHash } = found;
  // The same version with other content is an update of the version itself.
  const isSame = isAlias ? newVersion === oldVersion : newHash === oldHash || oldHash === undefined;
  return { ...known, state: isSame ? 'current' : 'update', newVersion, newHash };
}

function findListed(list: ModelList, wanted: ModelVersion) {
  try {
    return list.find(wanted);
  } catch (error) {
    const { kind } = asModelError(error);
    if (kind === 'model_not_found' || kind === 'version_not_found' || kind === 'registry_invalid') return undefined;
    throw error;
  }
}
