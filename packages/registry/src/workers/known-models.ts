import { mapLimit } from '@model-rtc/files';
import type { ListModelsParams, ModelEntry } from '@model-rtc/protocol';
import type { RegistryContext } from '../context.ts';
import { digestPrefix } from '../entry/resolve.ts';
import type { StoredEntry } from '../entry/types.ts';
import { modelMatcher, sortModels } from '../list/list-order.ts';
import type { ModelList } from '../list/types.ts';
import type { Availability, KnownModel, KnownPage, ListKnownParams, SeenModel } from './types.ts';
import { latestFirst, type StoredWorker, seenModels, whoHas } from './worker-file.ts';

/** Files looked at on the disk at once. */
const LOOKS_AT_ONCE = 64;

/** A row of the list before anything is looked up on the disk. */
interface Candidate {
  readonly entry: ModelEntry;
  readonly stored: StoredEntry | undefined;
  /** Looked up only for the models that are shown. */
  readonly availability: () => readonly Availability[];
}

/** One list of this machine's models and of those that workers were seen to have. */
export async function listKnown(
  { index, show }: RegistryContext,
  list: ModelList,
  workers: readonly StoredWorker[],
  params: ListKnownParams,
): Promise<KnownPage> {
  const { filters, sort, location, limit = Number.POSITIVE_INFINITY } = params;
  const here = location === 'worker' ? [] : await localCandidates(list, workers, params);
  const known = await index.read();
  const there = location === 'worker' || location === 'all' ? candidatesAt(workers, filters) : [];
  const withLocal = there.map((row) => ({ ...row, stored: localOf(row.entry, known.byDigest) }));
  const listed = new Set(here.map(({ entry }) => entry.digest));
  const others = withLocal.filter(({ entry }) => entry.digest === undefined || !listed.has(entry.digest));
  const rows = others.length === 0 ? here : inOrder([...here, ...others], sort);
  const models = await mapLimit(rows.slice(0, limit), LOOKS_AT_ONCE, async (row): Promise<KnownModel> => {
    const { stored, entry, availability } = row;
    const here = stored === undefined ? undefined : await show(stored);
    return { entry: here !== undefined && stored === entry ? here : entry, availability: availability(), here };
  });
  return { models, total: rows.length };
}

async function localCandidates(
  list: ModelList,
  workers: readonly StoredWorker[],
  { filters, sort, location, workers: only }: ListKnownParams,
): Promise<Candidate[]> {
  const stored = await list.matching({ filters, sort });
  const rows = stored.map((entry) => ({ entry, stored: entry, availability: () => whoHas(workers, entry.digest) }));
  const isThere = ({ availability }: Candidate): boolean => availability().length > 0;
  return location === 'both' || only !== undefined ? rows.filter(isThere) : rows;
}

/** A model of several workers is one row, described as by the worker seen with it last. */
function candidatesAt(workers: readonly StoredWorker[], filters: ListModelsParams['filters']): Candidate[] {
  const matches = modelMatcher(filters);
  const rows = new Map<string, { newest: SeenModel; availability: Availability[] }>();
  for (const { key, name, models } of workers) {
    for (const model of seenModels(models)) {
      const { entry, seenAt } = model;
      if (!matches(entry)) continue;
      const row = rows.get(entry.digest ?? `${key} ${entry.id}`) ?? { newest: model, availability: [] };
      row.availability.push({ key, name, seenAt, alias: entry.alias });
      if (seenAt > row.newest.seenAt) row.newest = model;
      rows.set(entry.digest ?? `${key} ${entry.id}`, row);
    }
  }
  return [...rows.values()].map(({ newest, availability }) => {
    availability.sort(latestFirst);
    return { entry: newest.entry, stored: undefined, availability: () => availability };
  });
}

function localOf({ digest }: ModelEntry, byDigest: ReadonlyMap<string, StoredEntry>): StoredEntry | undefined {
  return digest === undefined ? undefined : byDigest.get(digest);
}

function inOrder(rows: readonly Candidate[], sort: ListModelsParams['sort']): Candidate[] {
  const byEntry = new Map(rows.map((row) => [row.entry, row]));
  return sortModels(byEntry.keys(), sort).map(({ entry }) => byEntry.get(entry) as Candidate);
}

/** Adds what is known here to models that a worker has just listed. */
export async function alsoKnown(
  { index, show }: RegistryContext,
  workers: readonly StoredWorker[],
  entries: readonly ModelEntry[],
): Promise<KnownModel[]> {
  const { byDigest } = await index.read();
  return await mapLimit(entries, LOOKS_AT_ONCE, async (entry): Promise<KnownModel> => {
    const stored = localOf(entry, byDigest);
    const here = stored === undefined ? undefined : await show(stored);
    return { entry, here, availability: whoHas(workers, entry.digest) };
  });
}

/** The models at workers that a reference names: an id, else an alias, else the start of a digest, else a full name. */
export function findElsewhere(workers: readonly StoredWorker[], ref: string): KnownModel[] {
  const rows = candidatesAt(workers, {});
  const named = (isNamed: (row: Candidate) => boolean): Candidate[] => rows.filter(isNamed);
  const prefix = digestPrefix(ref);
  const ways = [
    ({ entry }: Candidate) => entry.id === ref || entry.id === ref.toLowerCase(),
    ({ availability }: Candidate) => availability().some(({ alias }) => alias === ref),
    ({ entry }: Candidate) => prefix !== undefined && entry.digest?.startsWith(prefix) === true,
    ({ entry }: Candidate) => entry.name === ref,
  ];
  const found = ways.map(named).find((some) => some.length > 0) ?? [];
  return found.map(({ entry, availability }) => ({ entry, availability: availability(), here: undefined }));
}
