import type { OnModelProgress } from '@model-rtc/client';
import { MAX_PAGE, ModelRtcError } from '@model-rtc/protocol';
import type { Orphan, Registry, RegistryEntry, VerifiedModel } from '@model-rtc/registry';
import { defineCommand } from '../../../command-line/types.ts';
import type { Context } from '../../../console/context.ts';
import { formatCount } from '../../../console/format.ts';
import { type NetworkOptions, networkOptions } from '../../options.ts';
import { repairDamaged } from '../repair-model.ts';
import { renderVerified, type VerifiedLine, type VerifyTotals } from './text.ts';

export const verify = defineCommand({
  usage: 'verify [refs..]',
  describe: 'Check that models are whole, byte by byte; exits 6 if one is not',
  positionals: {
    refs: {
      type: 'string',
      array: true,
      default: [],
      describe: 'Ids, aliases, digest prefixes or paths [all models, and files that belong to none]',
      completes: 'models',
    },
  },
  options: {
    ...networkOptions,
    quick: { type: 'boolean', default: false, describe: 'Only look at sizes and times; read no files' },
    repair: {
      type: 'boolean',
      default: false,
      describe: 'Repair damaged models from other models and from saved workers that have them',
    },
  },
  examples: [
    ['$0 client verify', 'all models, and orphans in the data folder'],
    ['$0 client verify good-mouse-v1 --repair', 'one, and make it whole'],
  ],
  async run(context, options) {
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
    const unknown = models.filter(({ state, entry }) => state === 'incomplete' && entry.incomplete === undefined);
    if (unknown.length > 0) throw notWhole(unknown);
  },
});

type VerifyOptions = NetworkOptions & { readonly quick: boolean; readonly repair: boolean };

async function allModels(registry: Registry): Promise<RegistryEntry[]> {
  const entries: RegistryEntry[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = await registry.list({ filters: {}, sort: 'name', limit: MAX_PAGE, cursor });
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
  options: VerifyOptions,
): Promise<VerifiedLine[]> {
  const totalBytes = entries.reduce((sum, { size }) => sum + size, 0);
  const onProgress = await context.output.progress();
  const lines: VerifiedLine[] = [];
  let before = 0;
  for (const { id, size } of entries) {
    const startBytes = before;
    const found = await verifyOne(registry, id, {
      quick: options.quick,
      signal: context.signal,
      onProgress: ({ doneBytes }) =>
        onProgress({ type: 'local', phase: 'verify', doneBytes: startBytes + doneBytes, totalBytes }),
    });
    before += size;
    if (found === undefined) continue;
    const isToRepair = options.repair && found.state === 'damaged';
    lines.push(isToRepair ? await repairLine(context, found, options, onProgress) : found);
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
  options: VerifyOptions,
  onProgress: OnModelProgress,
): Promise<VerifiedLine> {
  const registry = await context.registry();
  const { signal } = context;
  // A quick verification does not know which chunks are damaged.
  const found = options.quick ? await registry.verify(quick.entry.id, { signal }) : quick;
  if (found.state !== 'damaged') return found;
  try {
    const done = await repairDamaged(context, options, found, onProgress);
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
    incomplete: models.filter(({ state }) => state === 'incomplete').length,
    repaired: models.filter(({ repair }) => repair?.outcome === 'repaired').length,
    orphans: orphans.length,
    seconds,
  };
}

function stillDamaged(models: readonly VerifiedLine[], { repair }: VerifyOptions): ModelRtcError {
  const damaged = models.filter(({ state }) => state === 'damaged');
  const count = `${damaged.length} of ${formatCount(models.length, 'model')}`;
  const advice = repair
    ? 'Fetch what is missing from a worker that has it: model-rtc client repair-model REF --from SESSION.'
    : 'Try to repair: model-rtc client verify --repair.';
  const sentence = `${count} ${damaged.length === 1 ? 'is' : 'are'} damaged. ${advice}`;
  return new ModelRtcError('verification_failed', sentence, { details: { ids: damaged.map(({ entry }) => entry.id) } });
}

/** Those that were registered with --allow-incomplete are listed, and are no surprise. */
function notWhole(models: readonly VerifiedLine[]): ModelRtcError {
  const was = models.length === 1 ? 'was not whole when it was' : 'were not whole when they were';
  const sentence = `${formatCount(models.length, 'model')} ${was} registered. Copy or download what is missing and import it again, with --allow-incomplete if it has to be as it is.`;
  return new ModelRtcError('verification_failed', sentence, { details: { ids: models.map(({ entry }) => entry.id) } });
}
