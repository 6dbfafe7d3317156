import { ModelRtcError } from '@model-rtc/protocol';
import type { Orphan, Registry, RegistryEntry } from '@model-rtc/registry';
import { defineCommand, flagOption, textsOption } from '../../../command-line/types.ts';
import { formatCount } from '../../../console/format.ts';
import { laneOptions, priorityWith } from '../../options.ts';
import { renderVerified, type VerifiedLine, type VerifyTotals } from './text.ts';
import { allModels, type VerifyEachOptions, verifyEach } from './verify-each.ts';

export const verify = defineCommand({
  usage: 'verify [refs..]',
  describe: 'Check that models are whole, byte by byte; exits 6 if one is not',
  positionals: {
    refs: textsOption('Ids, aliases, digest prefixes or paths [all models, and files that belong to none]', {
      completes: 'models',
    }),
  },
  options: {
    ...laneOptions,
    quick: flagOption('Only look at sizes and times; read no files'),
    repair: flagOption('Repair damaged models from other models and from saved workers that have them'),
    ...priorityWith('With --repair'),
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

/** Resolves all of them before the first is verified, so that a mistyped one fails at once. */
async function named(registry: Registry, refs: readonly string[]): Promise<RegistryEntry[]> {
  const byId = new Map<string, RegistryEntry>();
  for (const ref of refs) {
    const { entry } = await registry.resolve(ref);
    byId.set(entry.id, entry);
  }
  return [...byId.values()];
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

function stillDamaged(models: readonly VerifiedLine[], { repair }: VerifyEachOptions): ModelRtcError {
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
