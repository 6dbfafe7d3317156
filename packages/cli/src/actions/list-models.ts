import { type ListModelsParams, listModelsParams, MAX_PAGE, type ModelEntry, ModelRtcError } from '@model-rtc/protocol';
import type { RegistryEntry } from '@model-rtc/registry';
import type { EngineChoice } from '@model-rtc/transport';
import type { Context } from '../console/context.ts';
import { renderTable } from '../console/table.ts';
import { withWorker } from '../console/worker-session.ts';
import { MODEL_COLUMNS } from './model-columns.ts';

interface ListOptions {
  readonly type?: string | undefined;
  readonly tag?: string | undefined;
  readonly alias?: string | undefined;
  readonly status?: ListModelsParams['filters']['status'];
  readonly sortBy: ListModelsParams['sort'];
  readonly limit?: number | undefined;
}

export async function listLocalModels(context: Context, options: ListOptions): Promise<void> {
  const registry = await context.registry();
  const limit = checkedLimit(options.limit);
  const models: RegistryEntry[] = [];
  let total = 0;
  let cursor: string | undefined;
  do {
    const pageLimit = Math.min(MAX_PAGE, limit - models.length);
    const page = await registry.list(listModelsParams.parse({ ...query(options), limit: pageLimit, cursor }));
    models.push(...page.models);
    total = page.total;
    cursor = page.nextCursor;
  } while (cursor !== undefined && models.length < limit);
  printModels(context, { models, total }, 'No models on this machine yet. Add one: model-rtc client import-model PATH');
}

export async function listWorkerModels(
  context: Context,
  options: ListOptions & { session: string | undefined; engine: EngineChoice; iceServer: readonly string[] },
): Promise<void> {
  const limit = checkedLimit(options.limit);
  await withWorker(context, options, async (worker) => {
    const found = await worker.listModels({ ...query(options), limit, signal: context.signal });
    printModels(
      context,
      found,
      `${worker.workerName} has no models yet. Send it one: model-rtc client push-model REF --worker SESSION`,
    );
  });
}

function query({ type, tag, alias, status, sortBy }: ListOptions): Pick<ListModelsParams, 'filters' | 'sort'> {
  return { filters: { type, tag, alias, status }, sort: sortBy };
}

function checkedLimit(limit: number | undefined): number {
  if (limit === undefined) return Number.POSITIVE_INFINITY;
  if (Number.isInteger(limit) && limit > 0) return limit;
  throw new ModelRtcError('bad_argument', '--limit is a whole number of at least 1.');
}

function printModels(
  { output }: Context,
  { models, total }: { models: ModelEntry[]; total: number },
  whenEmpty: string,
): void {
  if (models.length === 0) output.note(total === 0 ? whenEmpty : 'No model matches.');
  output.result({ models, total }, models.length === 0 ? '' : renderTable(models, MODEL_COLUMNS, output.columns));
  if (models.length > 0 && models.length < total)
    output.note(`${models.length} of ${total} models; see more with a larger --limit.`);
}
