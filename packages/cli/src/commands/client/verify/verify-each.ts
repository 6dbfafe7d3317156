import type { OnModelProgress, SpeedOptions } from '@model-rtc/client';
import { MAX_PAGE, ModelRtcError, unlessFails } from '@model-rtc/protocol';
import type { Registry, RegistryEntry, VerifiedModel } from '@model-rtc/registry';
import type { Context } from '../../../console/context.ts';
import type { NetworkOptions } from '../../options.ts';
import { repairDamaged } from '../repair-model.ts';
import type { VerifiedLine } from './text.ts';

export type VerifyEachOptions = NetworkOptions &
  Pick<SpeedOptions, 'priority'> & { readonly quick: boolean; readonly repair: boolean };

/** The models of this machine, by name. */
export async function allModels(registry: Registry): Promise<RegistryEntry[]> {
  const entries: RegistryEntry[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = await registry.list({ filters: {}, sort: 'name', limit: MAX_PAGE, cursor });
    entries.push(...page.models);
    cursor = page.nextCursor;
    if (cursor === undefined) return entries;
  }
}

/** Verifies models one after the other, and repairs the damaged ones where that is asked for. */
export async function verifyEach(
  context: Context,
  registry: Registry,
  entries: readonly RegistryEntry[],
  options: VerifyEachOptions,
): Promise<VerifiedLine[]> {
  const totalBytes = entries.reduce((sum, { size }) => sum + size, 0);
  const onProgress = await context.output.progress();
  const lines: VerifiedLine[] = [];
  let before = 0;
  for (const { id, size } of entries) {
    const startBytes = before;
    const verifying = registry.verify(id, {
      quick: options.quick,
      signal: context.signal,
      onProgress: ({ doneBytes }) =>
        onProgress({ type: 'local', phase: 'verify', doneBytes: startBytes + doneBytes, totalBytes }),
    });
    // A model may be removed in the meantime.
    const found = await unlessFails(verifying, 'not_found_locally');
    before += size;
    if (found === undefined) continue;
    const isToRepair = options.repair && found.state === 'damaged';
    lines.push(isToRepair ? await repairLine(context, found, options, onProgress) : found);
  }
  return lines;
}

async function repairLine(
  context: Context,
  quick: VerifiedModel,
  options: VerifyEachOptions,
  onProgress: OnModelProgress,
): Promise<VerifiedLine> {
  const registry = await context.registry();
  const { signal } = context;
  // A quick verification does not know which chunks are damaged.
  const found = options.quick ? await registry.verify(quick.entry.id, { signal }) : quick;
  if (found.state !== 'damaged') return found;
  try {
    const done = await repairDamaged(context, options, found, { onProgress, priority: options.priority });
    const { outcome, from, transferredBytes, reusedBytes, entry } = done;
    return { ...found, entry, state: 'sound', repair: { outcome, from, transferredBytes, reusedBytes } };
  } catch (error) {
    if (signal.aborted) throw error;
    // The other models are still verified.
    return { ...found, repair: { outcome: 'failed', reason: ModelRtcError.from(error).message } };
  }
}
