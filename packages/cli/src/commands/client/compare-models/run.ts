import { type Digest, ModelRtcError } from '@model-rtc/protocol';
import type { Registry, RegistryEntry } from '@model-rtc/registry';
import type { Context } from '../../../console/context.ts';
import { compareScalars } from './scalars.ts';
import { renderComparison } from './text.ts';
import type { ComparedModel, ComparedTensors, Comparison } from './types.ts';

export interface CompareOptions {
  readonly refs: readonly string[];
  readonly tensors: boolean;
}

export async function runCompareModels(context: Context, { refs, tensors }: CompareOptions): Promise<void> {
  if (refs.length < 2) {
    throw new ModelRtcError('bad_argument', 'Pass two or more models: model-rtc client compare-models REF REF.');
  }
  const registry = await context.registry();
  const entries: RegistryEntry[] = [];
  for (const ref of refs) entries.push((await registry.resolve(ref)).entry);
  const models = await Promise.all(entries.map((entry) => lookInto(registry, entry)));
  const comparison: Comparison = {
    models,
    metrics: compareScalars(entries.map(({ metrics }) => metrics)),
    hyperparameters: compareScalars(entries.map(({ hyperparameters }) => hyperparameters)),
    tensors: tensors ? await compareWithFirst(context, registry, entries) : [],
  };
  const text = context.output.json ? '' : await renderComparison(comparison, context.output.columns);
  context.output.result(comparison, text);
}

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
