import { basename } from 'node:path';
import type { Backend, CatalogModel } from '@model-rtc/protocol';
import type { RegistryEntry } from '../entry/types.ts';
import { backendsOf, modelFormat } from './backends.ts';
import type { CatalogItem, StoredPlan } from './types.ts';

const GIGABYTE = 1e9;
const MAX_NAME_CHARS = 256;
const MAX_ARCHITECTURE_CHARS = 64;

/** A model as the catalog shows it, the same to its owner and to the holders of sessions. */
export function toCatalogModel({ id, plan, entry }: CatalogItem, hardware: ReadonlySet<Backend>): CatalogModel {
  const format = entry === undefined ? undefined : modelFormat(entry);
  return {
    id,
    name: nameOf(id, plan, entry),
    path: entry === undefined ? null : folderOf(entry),
    format: format ?? null,
    size_gb: entry === undefined ? null : entry.size / GIGABYTE,
    architecture: (entry?.modelType ?? plan?.architecture)?.slice(0, MAX_ARCHITECTURE_CHARS) ?? null,
    downloaded: entry !== undefined,
    backends: backendsOf(format, hardware),
    metadata: metadataOf(plan, entry),
  };
}

/** Relative to the data folder: where that is on its machine, clients are not told. */
function folderOf({ digest, filesIn, localPath }: RegistryEntry): string | null {
  // A training's files, and those that are read in place, lie elsewhere.
  return digest === undefined || filesIn !== undefined ? null : `models/${basename(localPath)}`;
}

function nameOf(id: string, plan: StoredPlan | undefined, entry: RegistryEntry | undefined): string {
  const [release] = entry?.releases ?? [];
  const released = release === undefined ? undefined : `${release.group}/${release.model}@${release.version}`;
  return (plan?.name ?? entry?.name ?? entry?.alias ?? released ?? id).slice(0, MAX_NAME_CHARS);
}

/** In the order of the schema, so that an answer over the wire has the same bytes. */
function metadataOf(plan: StoredPlan | undefined, entry: RegistryEntry | undefined): CatalogModel['metadata'] {
  const facts = {
    registry_id: entry?.id,
    digest: entry?.digest ?? plan?.digest,
    alias: entry?.alias,
    status: entry?.displayStatus,
    source: entry?.source,
    repo: entry?.hub?.repo ?? plan?.repo,
    revision: entry?.hub === undefined ? plan?.revision : entry.hub.revision,
    commit: entry?.hub?.commit,
    parameters: entry?.parameters,
    license: entry?.license,
    files: entry?.fileCount,
    tags: entry === undefined || entry.tags.length === 0 ? undefined : [...entry.tags],
    added_at: entry?.downloadedAt ?? entry?.importedAt ?? entry?.createdAt ?? plan?.registeredAt,
  };
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined));
}
