import type { ModelEntry } from '@model-rtc/protocol';
import type { RegistryContext } from '../context.ts';
import type { ModelList } from '../list/types.ts';
import { catalogChanges } from './catalog-changes.ts';
import { catalogModels, keptEntry, modelKey, type StoredCatalog, whoHas } from './catalog-file.ts';
import { MAX_NAME_CHARS } from './catalog-limits.ts';
import { createCatalogStore } from './catalog-store.ts';
import { alsoKnown, findElsewhere, listKnown } from './known-models.ts';
import type { CatalogChanges, CatalogModel, Catalogs, KnownWorker, WorkerCatalog } from './types.ts';

export function createCatalogs(context: RegistryContext, list: ModelList): Catalogs {
  const { paths, log, now, index } = context;
  const store = createCatalogStore(paths.workers, log);

  async function recordCatalog(worker: KnownWorker, models: readonly ModelEntry[]): Promise<CatalogChanges> {
    const here = await index.read();
    const seenAt = now().toISOString();
    const seen = sightings(models, seenAt);
    const before = await store.change(worker, () => ({ ...known(worker), seenAt, syncedAt: seenAt, models: seen }));
    const entries = [...seen.values()].map(({ entry }) => entry);
    return catalogChanges(before, entries, here);
  }

  async function recordSeen(worker: KnownWorker, models: readonly ModelEntry[]): Promise<void> {
    const seenAt = now().toISOString();
    const seen = sightings(models, seenAt);
    await store.change(worker, (before) => {
      const others = [...(before?.models ?? [])].filter(([key]) => !seen.has(key));
      return { ...known(worker), seenAt, syncedAt: before?.syncedAt, models: new Map([...seen, ...others]) };
    });
  }

  async function catalogsOf(workers: readonly string[] | undefined): Promise<readonly StoredCatalog[]> {
    const all = await store.readAll();
    return workers === undefined ? all : all.filter(({ key }) => workers.includes(key));
  }

  return {
    recordCatalog,
    recordSeen,
    catalogs: async () => (await store.readAll()).map(parsedCatalog),
    async catalog(key) {
      const stored = await store.read(key);
      return stored === undefined ? undefined : parsedCatalog(stored);
    },
    forgetWorker: async (key) => await store.remove({ key, name: key }),
    availability: async (digest) => whoHas(await store.readAll(), digest),
    listKnown: async (params) => await listKnown(context, list, await catalogsOf(params.workers), params),
    alsoKnown: async (entries) => await alsoKnown(context, await store.readAll(), entries),
    findElsewhere: async (ref) => findElsewhere(await store.readAll(), ref),
  };
}

/** A worker may call itself anything, nothing included. */
function known({ key, name }: KnownWorker): KnownWorker {
  return { key, name: name.slice(0, MAX_NAME_CHARS) || key.slice(0, 8) };
}

function sightings(models: readonly ModelEntry[], seenAt: string): Map<string, CatalogModel> {
  return new Map(models.map((entry) => [modelKey(entry), { seenAt, entry: keptEntry(entry) }]));
}

function parsedCatalog({ models, ...rest }: StoredCatalog): WorkerCatalog {
  return { ...rest, models: [...catalogModels(models)] };
}
