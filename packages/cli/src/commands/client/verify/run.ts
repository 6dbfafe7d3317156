import { listModelsParams, MAX_PAGE, ModelRtcError } from '@model-rtc/protocol';
import type { Orphan, Registry, RegistryEntry, VerifiedModel } from '@model-rtc/registry';
import type { Context } from '../../../console/context.ts';
import { formatCount } from '../../../console/format.ts';
import type { ProgressView } from '../../../console/progress.ts';
import type { NetworkOptions } from '../../connect.ts';
import { repairDamaged } from '../repair.ts';
import { renderVerified } from './text.ts';
import type { VerifiedLine, VerifyTotals } from './types.ts';

export interface VerifyModelsOptions extends NetworkOptions {
  /** All models when there are none. */
  readonly refs: readonly string[];
  readonly quick: boolean;
  readonly repair: boolean;
}

export async function runVerify(context: Context, options: VerifyModelsOptions): Promise<void> {
  const registry = await context.registry();
  const entries = options.refs.length === 0 ? await allModels(registry) : await named(registry, options.refs);
  if (entries.length === 0) context.output.note('No models on this machine yet.');
  const startedMs = performance.now();
  const models = await verifyEach(context, registry, entries, options);
  const orphans = options.refs.length === 0 ? await registry.findOrphans() : [];
  const totals = totalsOf(models, orphans, (performance.now() - startedMs) / 1000);
  context.output.result(
    { models, orphans, totals },
    renderVerified({ models, orphans, totals }, context.output.columns),
  );
  if (totals.damaged > 0) throw stillDamaged(models, options);
}

async function allModels(registry: Registry): Promise<RegistryEntry[]> {
  const entries: RegistryEntry[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = await registry.list(listModelsParams.parse({ sort: 'name', limit: MAX_PAGE, cursor }));
    entries.push(...page.models);
    cursor = page.nextCursor;
    if (cursor === undefined) return entries;
  }
}

/** Resolves all of them before the first is verified, so that a mistyped one fails at once. */
async function named(registry: Registry, refs: readonly string[]): Promise<RegistryEntry[]> {
  const byId = new Map<string, RegistryEntry>();
  for (const ref of refs) {
    const { entry } = await registry.resolve(ref);
    byId.set(entry.id, entry);
  }
  return [...byId.values()];
}

async function verifyEach(
  context: Context,
  registry: Registry,
  entries: readonly RegistryEntry[],
  options: VerifyModelsOptions,
): Promise<VerifiedLine[]> {
  const totalBytes = entries.reduce((sum, { size }) => sum + size, 0);
  const view = await context.progress();
  const lines: VerifiedLine[] = [];
  let before = 0;
  try {
    for (const { id, size } of entries) {
      const startBytes = before;
      const found = await verifyOne(registry, id, {
        quick: options.quick,
        signal: context.signal,
        onProgress: ({ doneBytes }) =>
          view.show({ type: 'local', phase: 'verify', doneBytes: startBytes + doneBytes, totalBytes }),
      });
      before += size;
      if (found === undefined) continue;
      lines.push(options.repair && found.state === 'damaged' ? await repairLine(context, found, options, view) : found);
    }
  } finally {
    view.end();
  }
  return lines;
}

/** Undefined for a model that was removed in the meantime. */
async function verifyOne(
  registry: Registry,
  id: string,
  options: Parameters<Registry['verify']>[1],
): Promise<VerifiedModel | undefined> {
  try {
    return await registry.verify(id, options);
  } catch (error) {
    const known = ModelRtcError.from(error);
    if (known.code === 'not_found_locally') return undefined;
    throw known;
  }
}

async function repairLine(
  context: Context,
  quick: VerifiedModel,
  options: VerifyModelsOptions,
  view: ProgressView,
): Promise<VerifiedLine> {
  const registry = await context.registry();
  const { signal } = context;
  // A quick verification does not know which chunks are damaged.
  const found = options.quick ? await registry.verify(quick.entry.id, { signal }) : quick;
  if (found.state !== 'damaged') return found;
  try {
    const done = await repairDamaged(context, found, options, (progress) => view.show(progress));
    const { outcome, from, transferredBytes, reusedBytes, entry } = done;
    return { ...found, entry, state: 'sound', repair: { outcome, from, transferredBytes, reusedBytes } };
  } catch (error) {
    if (signal.aborted) throw error;
    // The other models are still verified.
    return { ...found, repair: { outcome: 'failed', reason: ModelRtcError.from(error).message } };
  }
}

function totalsOf(models: readonly VerifiedLine[], orphans: readonly Orphan[], seconds: number): VerifyTotals {
  return {
    models: models.length,
    bytes: models.reduce((sum, { entry }) => sum + entry.size, 0),
    damaged: models.filter(({ state }) => state === 'damaged').length,
    repaired: models.filter(({ repair }) => repair?.outcome === 'repaired').length,
    orphans: orphans.length,
    seconds,
  };
}

function stillDamaged(models: readonly VerifiedLine[], { repair }: VerifyModelsOptions): ModelRtcError {
  const damaged = models.filter(({ state }) => state === 'damaged');
  const count = `${damaged.length} of ${formatCount(models.length, 'model')}`;
  const advice = repair
    ? 'Fetch what is missing from a worker that has it: model-rtc client repair-model REF --from SESSION.'
    : 'Try to repair: model-rtc client verify --repair.';
  const sentence = `${count} ${damaged.length === 1 ? 'is' : 'are'} damaged. ${advice}`;
  return new ModelRtcError('verification_failed', sentence, { details: { ids: damaged.map(({ entry }) => entry.id) } });
}
