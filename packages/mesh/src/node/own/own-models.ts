import { fileVersion } from '@model-rtc/files';
import type { Digest } from '@model-rtc/protocol';
import type { Registry, RegistryEntry } from '@model-rtc/registry';
import type { MeshModel } from '../../types.ts';

/** Entries that are read at once: the longest page of a list. */
const PAGE = 200;

/** The models of this machine as its catalog announces them. It notices changes by every process of the machine. */
export class OwnModels {
  readonly #registry: Registry;
  /** Hashes of main files, so that manifests are read once. A digest's content never changes. */
  readonly #mainHashes = new Map<Digest, Digest | undefined>();
  #readAt: string | undefined;
  #models: readonly MeshModel[] = [];

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  /** Sorted by digest. The same array as before when nothing changed. @throws ModelRtcError `storage` */
  async current(): Promise<readonly MeshModel[]> {
    const version = (await fileVersion(this.#registry.paths.registryFile)) ?? 'none';
    if (version === this.#readAt) return this.#models;
    const models = await this.#read();
    this.#readAt = version;
    this.#models = models;
    return models;
  }

  async #read(): Promise<MeshModel[]> {
    const byDigest = new Map<Digest, MeshModel>();
    for (let cursor: string | undefined, isFirst = true; isFirst || cursor !== undefined; isFirst = false) {
      const page = await this.#registry.list({ filters: {}, sort: 'date', limit: PAGE, cursor });
      for (const entry of page.models) {
        if (entry.digest === undefined || entry.displayStatus !== 'completed') continue;
        byDigest.set(entry.digest, announced(entry, entry.digest, await this.#mainHash(entry, entry.digest)));
      }
      cursor = page.nextCursor;
    }
    for (const digest of this.#mainHashes.keys()) if (!byDigest.has(digest)) this.#mainHashes.delete(digest);
    return [...byDigest.values()].sort((a, b) => (a.digest < b.digest ? -1 : 1));
  }

  async #mainHash(entry: RegistryEntry, digest: Digest): Promise<Digest | undefined> {
    if (this.#mainHashes.has(digest)) return this.#mainHashes.get(digest);
    // A damaged manifest is for `verify` to tell; the model is announced without this hash.
    const manifest = await this.#registry.manifest(digest).catch(() => undefined);
    const files = manifest?.files ?? [];
    const main = files.find(({ path }) => path === entry.checkpointPath) ?? (files.length === 1 ? files[0] : undefined);
    this.#mainHashes.set(digest, main?.sha256);
    return main?.sha256;
  }
}

function announced(entry: RegistryEntry, digest: Digest, sha256: Digest | undefined): MeshModel {
  const [release] = entry.releases ?? [];
  return {
    digest,
    modelId: entry.id,
    name: entry.name ?? entry.alias ?? `${entry.modelType}_${entry.id}`,
    alias: entry.alias,
    type: entry.modelType,
    format: announcedFormat(entry),
    sizeBytes: entry.size,
    sha256,
    version: release?.version,
    capabilities: [],
    baseModel: entry.lineage?.fineTunedFrom,
    source: entry.source,
    sourceRef: announcedSource(entry),
    tags: entry.tags,
    license: entry.license,
  };
}

/** By the ending of the main file's name, which is what tools go by. */
export function announcedFormat({ checkpointPath, framework }: RegistryEntry): string | undefined {
  const ending = /\.([A-Za-z0-9]{1,16})$/.exec(checkpointPath ?? '')?.[1];
  return ending?.toLowerCase() ?? framework;
}

/** Where a model came from, for people: `hf:ORG/NAME@COMMIT`, or `GROUP/MODEL@VERSION` of a static registry. */
export function announcedSource({ hub, releases }: RegistryEntry): string | undefined {
  if (hub !== undefined) return `hf:${hub.repo}@${hub.commit}`;
  const [release] = releases ?? [];
  return release === undefined ? undefined : `${release.group}/${release.model}@${release.version}`;
}
