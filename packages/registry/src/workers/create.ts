import type { ModelEntry } from '@model-rtc/protocol';
import type { RegistryContext } from '../context.ts';
import type { ModelList } from '../list/types.ts';
import { alsoKnown, findElsewhere, listKnown } from './known-models.ts';
import type { KnownWorker, SeenModel, SeenWorker, SeenWorkers, WorkerChanges } from './types.ts';
import { workerChanges } from './worker-changes.ts';
import { keptEntry, modelKey, type StoredWorker, seenModels, whoHas } from './worker-file.ts';
import { MAX_NAME_CHARS } from './worker-limits.ts';
import { createWorkerStore } from './worker-store.ts';

export function createSeenWorkers(context: RegistryContext, list: ModelList): SeenWorkers {
  const { paths, log, now, index } = context;
  const store = createWorkerStore(paths.workers, log);

  async function recordWorker(worker: KnownWorker, models: readonly ModelEntry[]): Promise<WorkerChanges> {
    const here = await index.read();
    const seenAt = now().toISOString();
    const seen = sightings(models, seenAt);
    const before = await store.change(worker, () => ({ ...known(worker), seenAt, syncedAt: seenAt, models: seen }));
    const entries = [...seen.values()].map(({ entry }) => entry);
    return workerChanges(before, entries, here);
  }

  async function recordSeen(worker: KnownWorker, models: readonly ModelEntry[]): Promise<void> {
    const seenAt = now().toISOString();
    const seen = sightings(models, seenAt);
    await store.change(worker, (before) => {
      const others = [...(before?.models ?? [])].filter(([key]) => !seen.has(key));
      return { ...known(worker), seenAt, syncedAt: before?.syncedAt, models: new Map([...seen, ...others]) };
    });
  }

  async function workersOf(workers: readonly string[] | undefined): Promise<readonly StoredWorker[]> {
    const all = await store.readAll();
    return workers === undefined ? all : all.filter(({ key }) => workers.includes(key));
  }

  return {
    recordWorker,
    recordSeen,
    seenWorkers: async () => (await store.readAll()).map(parsedWorker),
    async seenWorker(key) {
      const stored = await store.read(key);
      return stored === undefined ? undefined : parsedWorker(stored);
    },
    forgetWorker: async (key) => await store.remove({ key, name: key }),
    availability: async (digest) => whoHas(await store.readAll(), digest),
    listKnown: async (params) => await listKnown(context, list, await workersOf(params.workers), params),
    alsoKnown: async (entries) => await alsoKnown(context, await store.readAll(), entries),
    findElsewhere: async (ref) => findElsewhere(await store.readAll(), ref),
  };
}

/** A worker may call itself anything, nothing included. */
function known({ key, name }: KnownWorker): KnownWorker {
  return { key, name: name.slice(0, MAX_NAME_CHARS) || key.slice(0, 8) };
}

function sightings(models: readonly ModelEntry[], seenAt: string): Map<string, SeenModel> {
  return new Map(models.map((entry) => [modelKey(entry), { seenAt, entry: keptEntry(entry) }]));
}

function parsedWorker({ models, ...rest }: StoredWorker): SeenWorker {
  return { ...rest, models: [...seenModels(models)] };
}
