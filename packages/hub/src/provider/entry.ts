import { type Digest, type ModelContents, type ModelEntry, withoutUndefined } from '@model-rtc/protocol';
import { PUBLIC_ENDPOINT } from '../access/settings.ts';
import { type HubModel, originOf } from '../types.ts';

/** What a hub tells of a model, as agents tell it to each other. */
export function hubEntry(model: HubModel, { files }: ModelContents, digest: Digest | undefined): ModelEntry {
  const { repo, commit, license, architectures, parameters, baseModels } = model;
  const [backbone] = architectures;
  const [parent] = baseModels;
  const licenseText = license?.id === 'other' ? (license.name ?? license.id) : (license?.id ?? license?.name);
  return {
    id: (digest ?? commit).slice(0, 8),
    ...(digest === undefined ? {} : { digest }),
    modelType: typeOf(model),
    framework: 'hub',
    name: repo,
    source: 'hub',
    status: 'completed',
    size: files.reduce((sum, { size }) => sum + size, 0),
    fileCount: files.length,
    ...{ metrics: {}, hyperparameters: {}, versions: {}, tags: [] },
    ...withoutUndefined({ backbone, license: licenseText, parameters }),
    ...(parent === undefined ? {} : { lineage: { fineTunedFrom: parent, parents: baseModels.slice(0, 64) } }),
    hub: originOf(model, PUBLIC_ENDPOINT),
  };
}

/** The type that its configuration names, else its library's. */
function typeOf({ modelType, libraryName }: HubModel): string {
  const named = [modelType, libraryName].map((one) => one?.toLowerCase().replaceAll(/[^a-z0-9_-]+/g, '-'));
  return named.find((one) => one !== undefined && /^[a-z0-9][a-z0-9_-]{0,63}$/.test(one)) ?? 'model';
}
