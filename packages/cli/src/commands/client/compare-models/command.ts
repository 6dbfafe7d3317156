import { type Digest, ModelRtcError } from '@model-rtc/protocol';
import type { Registry, RegistryEntry } from '@model-rtc/registry';
import { defineCommand, textOption } from '../../../command-line/types.ts';
import type { Context } from '../../../console/context.ts';
import { compareScalars } from './scalars.ts';
import { type ComparedModel, type ComparedTensors, renderComparison } from './text.ts';

export const compareModels = defineCommand({
  usage: 'compare-models <refs..>',
  describe: 'Show models of this machine side by side: metrics, hyperparameters, tensors, loss curves',
  positionals: {
    refs: textOption(
      'Two or more ids, aliases, digest prefixes or paths; the tensors of each are compared with the first',
      { array: true, demandOption: true, completes: 'models' },
    ),
  },
  options: {
    tensors: {
      type: 'boolean',
      default: true,
      describe: 'Compare the tensors, which may read whole files; --no-tensors skips that',
    },
  },
  examples: [
    ['$0 client compare-models good-mouse-v1 good-mouse-v2', 'what the fine-tune changed'],
    ['$0 client compare-models run-a run-b run-c --json', 'for a script'],
  ],
  async run(context, { refs, tensors }) {
    if (refs.length < 2) {
      throw new ModelRtcError('bad_argument', 'Pass two or more models: model-rtc client compare-models REF REF.');
    }
    const registry = await context.registry();
    const entries: RegistryEntry[] = [];
    for (const ref of refs) entries.push((await registry.resolve(ref)).entry);
    const comparison = {
      models: await Promise.all(entries.map((entry) => lookInto(registry, entry))),
      metrics: compareScalars(entries.map(({ metrics }) => metrics)),
      hyperparameters: compareScalars(entries.map(({ hyperparameters }) => hyperparameters)),
      tensors: tensors ? await compareWithFirst(context, registry, entries) : [],
    };
    const text = context.output.json ? '' : await renderComparison(comparison, context.output.columns);
    context.output.result(comparison, text);
  },
});

async function lookInto(registry: Registry, entry: RegistryEntry): Promise<ComparedModel> {
  const { digest } = entry;
  // A run that is still training has no files of its own here.
  if (digest === undefined) return { entry, availability: [], curves: [] };
  const availability = await registry.availability(digest);
  // A log that cannot be read costs only its curve.
  const curves = await registry.trainingCurves(digest).catch(() => []);
  return { entry, availability, curves };
}

/** One after the other, since each may read whole files. */
async function compareWithFirst(
  context: Context,
  registry: Registry,
  [first, ...others]: readonly RegistryEntry[],
): Promise<ComparedTensors[]> {
  const compared: ComparedTensors[] = [];
  for (const second of others) {
    if (first?.digest === undefined || second.digest === undefined) continue;
    const ids = { first: first.id, second: second.id };
    compared.push({ ...ids, ...(await compareTwo(context, registry, first.digest, second.digest)) });
  }
  return compared;
}

async function compareTwo(
  { signal }: Context,
  registry: Registry,
  first: Digest,
  second: Digest,
): Promise<Pick<ComparedTensors, 'difference' | 'problem'>> {
  try {
    return { difference: (await registry.compareTensors(first, second, signal)) ?? null };
  } catch (error) {
    const known = ModelRtcError.from(error);
    // `verify` is for files that changed or are gone; the rest of the comparison is still useful.
    if (known.code !== 'source_changed' && known.code !== 'storage') throw known;
    return { difference: null, problem: known.message };
  }
}
