import {
  formatBytes,
  type ListModelsParams,
  MAX_PAGE,
  type ModelEntry,
  ModelRtcError,
  type ParamsInput,
  roughSize,
} from '@model-rtc/protocol';
import type { KnownWorker, WorkerChanges } from '@model-rtc/registry';
import { type RemoteWorker, remembered } from './remote-worker.ts';

export interface ListOptions {
  readonly filters?: ParamsInput<'list_models'>['filters'];
  readonly sort?: ListModelsParams['sort'] | undefined;
  /** At most this many; all of them when left out. */
  readonly limit?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface ListedModels {
  readonly models: ModelEntry[];
  /** How many match, including those beyond the limit. */
  readonly total: number;
}

/** An endless list must not fill this machine's memory. No worker has this many models. */
const MAX_LISTED = 100_000;
/** As many models as that have some 700 bytes each; 10,000 may have ten times as much. */
const MAX_LISTED_BYTES = 64 * 1024 * 1024;

/** All pages of the worker's list, up to the limit. */
export async function listModels({ link }: RemoteWorker, options: ListOptions): Promise<ListedModels> {
  const { filters, sort, signal } = options;
  const limit = Math.min(options.limit ?? MAX_LISTED, MAX_LISTED);
  const peer = await link.reach(signal);
  const models: ModelEntry[] = [];
  let bytes = 0;
  for (let cursor: string | undefined; ; ) {
    const pageLimit = Math.min(MAX_PAGE, limit - models.length);
    const page = await peer.request('list_models', { filters, sort, cursor, limit: pageLimit }, { signal });
    models.push(...page.models.slice(0, pageLimit));
    bytes += roughSize(page.models);
    if (bytes > MAX_LISTED_BYTES) throw tooLongList();
    cursor = page.nextCursor;
    if (cursor === undefined || models.length >= limit) return { models, total: page.total };
    if (page.models.length === 0) throw endlessList();
  }
}

/** Lists models and remembers them. A complete list also shows which models the worker no longer has. */
export async function listAndRemember(services: RemoteWorker, options: ListOptions): Promise<ListedModels> {
  const { registry, known } = services;
  const listed = await listModels(services, options);
  const isFiltered = Object.values(options.filters ?? {}).some((value) => value !== undefined);
  const isWhole = !isFiltered && listed.models.length >= listed.total;
  await remembered(services, async () => {
    const models = wholeModels(listed.models);
    if (isWhole) await registry.recordWorker(known, models);
    else if (models.length > 0) await registry.recordSeen(known, models);
  });
  return listed;
}

/** The changes that a sync found, and the total. */
export interface SyncResult extends WorkerChanges {
  readonly worker: KnownWorker;
  /** The models that the worker has now. */
  readonly total: number;
}

/** A model that is registered there while the pages come may be on none of them. */
const SYNC_ATTEMPTS = 3;

/**
 * Updates what this machine knows about the worker.
 * @throws ModelRtcError as a request does; `storage` when it cannot be kept; `malformed_message` when the worker sent fewer
 *   models than it says that it has, since then it is unknown which are gone
 */
export async function syncWorker(services: RemoteWorker, signal: AbortSignal | undefined): Promise<SyncResult> {
  const { registry, known } = services;
  for (let attempt = 1; ; attempt++) {
    const { models, total } = await listModels(services, { sort: 'name', signal });
    if (models.length >= total) {
      const whole = wholeModels(models);
      return { worker: known, total: whole.length, ...(await registry.recordWorker(known, whole)) };
    }
    if (attempt === SYNC_ATTEMPTS) throw incomplete(models.length, total);
  }
}

/** Leaves out models that the worker is still fetching. */
export function wholeModels(models: readonly ModelEntry[]): ModelEntry[] {
  return models.filter(({ partialBytes }) => partialBytes === undefined);
}

function tooLongList(): ModelRtcError {
  return new ModelRtcError(
    'refused',
    `The worker's list takes more than ${formatBytes(MAX_LISTED_BYTES)}, which this machine does not take. List fewer models with --limit, --type or --tag.`,
  );
}

function endlessList(): ModelRtcError {
  return new ModelRtcError(
    'malformed_message',
    'The worker says that its list goes on, but sends no more of it. Run the same version of model-rtc on both sides.',
  );
}

function incomplete(count: number, total: number): ModelRtcError {
  return new ModelRtcError(
    'malformed_message',
    `The worker says that it has ${total} models and sent ${count}; nothing was changed. Try again in a moment, and run the same version of model-rtc on both sides.`,
    { details: { count, total } },
  );
}
