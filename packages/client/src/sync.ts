import { type ModelEntry, ModelRtcError } from '@model-rtc/protocol';
import type { CatalogChanges, KnownWorker } from '@model-rtc/registry';
import { listModels, wholeModels } from './list-models.ts';
import type { RemoteWorker } from './remote-worker.ts';

/** What a sync brought, and what it found in all. */
export interface SyncResult extends CatalogChanges {
  readonly worker: KnownWorker;
  /** The models that the worker has now. */
  readonly total: number;
}

/**
 * Brings what is known of the worker up to date.
 * @throws ModelRtcError what asking throws; `storage` when it cannot be kept; `malformed_message` when the worker sent fewer
 *   models than it says that it has, since then nobody knows which are gone
 */
export async function syncWorker(services: RemoteWorker, signal: AbortSignal | undefined): Promise<SyncResult> {
  const { registry, known } = services;
  const models = await wholeList(services, signal);
  return { worker: known, total: models.length, ...(await registry.recordCatalog(known, models)) };
}

/** A model that is registered there while the pages come may be on none of them. */
const ATTEMPTS = 3;

async function wholeList(services: RemoteWorker, signal: AbortSignal | undefined): Promise<ModelEntry[]> {
  for (let attempt = 1; ; attempt++) {
    const { models, total } = await listModels(services, { sort: 'name', signal });
    if (models.length >= total) return wholeModels(models);
    if (attempt === ATTEMPTS) throw incomplete(models.length, total);
  }
}

function incomplete(count: number, total: number): ModelRtcError {
  return new ModelRtcError(
    'malformed_message',
    `The worker says that it has ${total} models and sent ${count}; nothing was changed. Try again in a moment, and run the same version of model-rtc on both sides.`,
    { details: { count, total } },
  );
}
