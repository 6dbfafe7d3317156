import { type ListModelsParams, ModelRtcError } from '@model-rtc/protocol';
import type { KnownModel, ModelLocation, Registry } from '@model-rtc/registry';
import type { Context } from '../console/context.ts';
import { renderTable } from '../console/table.ts';
import { type NetworkOptions, sessionToken, withWorker } from '../console/worker-session.ts';
import { modelColumns } from './model-columns.ts';
import { type WorkerNamer, workerNamer } from './worker-names.ts';

interface ListOptions extends NetworkOptions {
  readonly type?: string | undefined;
  readonly tag?: string | undefined;
  readonly alias?: string | undefined;
  readonly status?: ListModelsParams['filters']['status'];
  readonly location?: ModelLocation | undefined;
  readonly sortBy: ListModelsParams['sort'];
  readonly limit?: number | undefined;
}

/** What is listed, and how many match in all. */
interface Listing {
  readonly models: readonly KnownModel[];
  readonly total: number;
}

/** The models of this machine, and those of workers as they were last seen. No worker is asked that was asked before. */
export async function listClientModels(
  context: Context,
  { worker, ...options }: ListOptions & { readonly worker: readonly string[] },
): Promise<void> {
  const limit = checkedLimit(options.limit);
  const registry = await context.registry();
  const workers = worker.length === 0 ? undefined : await knownWorkers(context, registry, worker, options);
  const location = options.location ?? (workers === undefined ? 'local' : 'worker');
  const listing = await registry.listKnown({ ...query(options), location, workers, limit });
  await printModels(context, listing, narrows(options) ? NO_MATCH : await emptyHint(registry, location));
}

/** The keys of workers that a person names. One that was never asked for its models is asked now. */
async function knownWorkers(
  context: Context,
  registry: Registry,
  sessions: readonly string[],
  options: NetworkOptions,
): Promise<string[]> {
  const keys: string[] = [];
  for (const session of sessions) {
    const key = Buffer.from((await sessionToken(context, session)).workerKey).toString('hex');
    keys.push(key);
    if ((await registry.catalog(key))?.syncedAt !== undefined) continue;
    await withWorker(context, { ...options, session }, async (worker) => {
      await worker.sync({ signal: context.signal });
    });
  }
  return keys;
}

async function emptyHint(registry: Registry, location: ModelLocation): Promise<string> {
  if (location === 'local') return 'No models on this machine yet. Add one: model-rtc client import-model PATH';
  const isSynced = (await registry.catalogs()).some(({ syncedAt }) => syncedAt !== undefined);
  return isSynced
    ? 'No model is there.'
    : 'No worker is known yet. Ask one what it has: model-rtc client sync --worker S';
}

/** What a worker has now. */
export async function listWorkerModels(
  context: Context,
  options: ListOptions & { readonly session: string | undefined },
): Promise<void> {
  const limit = checkedLimit(options.limit);
  await withWorker(context, options, async (worker) => {
    const registry = await context.registry();
    const { location = 'worker' } = options;
    const isHere = location === 'local' || location === 'both';
    const found = await worker.listModels({
      ...query(options),
      limit: isHere ? undefined : limit,
      signal: context.signal,
    });
    const rows = await registry.alsoKnown(found.models);
    const shown = isHere ? rows.filter(({ here }) => here !== undefined) : rows;
    await printModels(
      context,
      { models: shown.slice(0, limit), total: isHere ? shown.length : found.total },
      narrows(options) || isHere
        ? NO_MATCH
        : `${worker.workerName} has no models yet. Send it one: model-rtc client push-model REF --worker SESSION`,
    );
  });
}

const NO_MATCH = 'No model matches.';

function narrows({ type, tag, alias, status }: ListOptions): boolean {
  return [type, tag, alias, status].some((filter) => filter !== undefined);
}

function query({ type, tag, alias, status, sortBy }: ListOptions): Pick<ListModelsParams, 'filters' | 'sort'> {
  return { filters: { type, tag, alias, status }, sort: sortBy };
}

function checkedLimit(limit: number | undefined): number | undefined {
  if (limit === undefined || (Number.isInteger(limit) && limit > 0)) return limit;
  throw new ModelRtcError('bad_argument', '--limit is a whole number of at least 1.');
}

async function printModels(context: Context, { models, total }: Listing, whenEmpty: string): Promise<void> {
  const { output } = context;
  if (models.length === 0) output.note(total === 0 ? whenEmpty : NO_MATCH);
  const isElsewhere = models.some(({ availability }) => availability.length > 0);
  const nameOf = isElsewhere ? await workerNamer(context) : undefined;
  if (output.json) output.result({ models: models.map((model) => asJson(model, nameOf)), total }, '');
  else if (models.length > 0) output.result({}, renderTable(models, modelColumns(nameOf), output.columns));
  if (models.length > 0 && models.length < total)
    output.note(`${models.length} of ${total} models; see more with a larger --limit.`);
}

function asJson({ entry, here, availability }: KnownModel, nameOf: WorkerNamer | undefined): object {
  const at = availability.map((worker) => ({ ...worker, name: nameOf?.(worker) ?? worker.name }));
  return { ...entry, here: here !== undefined, availability: at };
}
