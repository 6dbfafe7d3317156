import type { Digest, ModelEntry } from '@model-rtc/protocol';
import type { FoundVersion } from '../format/model-list.ts';
import type { StaticManifest } from '../format/static-manifest.ts';
import { versionText } from '../format/versions.ts';

/** What a registry's list and manifest tell of a model, as other agents tell it. */
export function entryOf(
  registry: string,
  version: FoundVersion,
  manifest: StaticManifest,
  digest: Digest | undefined,
): ModelEntry {
  const { group, model, hash, metadata } = version;
  return {
    id: (digest ?? hash).slice(0, 8),
    ...(digest === undefined ? {} : { digest }),
    modelType: typeOf(metadata, manifest),
    name: versionText(version),
    source: 'static-registry',
    status: 'completed',
    size: manifest.totalBytes,
    fileCount: manifest.contents.files.length,
    metrics: {},
    hyperparameters: {},
    versions: {},
    tags: [],
    ...textOf(metadata, 'license', 4096),
    ...(typeof metadata.description === 'string' ? { notes: metadata.description.slice(0, 65_536) } : {}),
    releases: [{ group, model, version: version.version, manifest: hash, registry }],
  };
}

/** The type that the publisher names, else what the largest file looks like. */
function typeOf(metadata: FoundVersion['metadata'], { contents }: StaticManifest): string {
  const { model_type: named } = metadata;
  if (typeof named === 'string' && /^[a-z0-9][a-z0-9_-]{0,63}$/.test(named)) return named;
  const [largest] = [...contents.files].sort((a, b) => b.size - a.size);
  const [, extension] = /\.([a-z0-9]{1,16})$/i.exec(largest?.path ?? '') ?? [];
  return extension?.toLowerCase() ?? 'model';
}

function textOf(metadata: FoundVersion['metadata'], name: 'license', maxChars: number): Partial<ModelEntry> {
  const value = metadata[name];
  return typeof value === 'string' ? { [name]: value.slice(0, maxChars) } : {};
}
