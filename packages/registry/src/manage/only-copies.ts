import type { Digest } from '@model-rtc/protocol';
import { indexMissing } from '../chunks/located-chunks.ts';
import { modelHolders } from '../chunks/model-holders.ts';
import type { RegistryContext } from '../context.ts';
import type { RegistryIndex, StoredEntry } from '../entry/types.ts';
import { isWhole } from '../files/registered-model.ts';
import type { NeededChunks } from './types.ts';

/** An unfinished transfer that would lose chunks. */
export interface OnlyCopies {
  readonly transferOf: Digest;
  readonly chunks: number;
}

/**
 * Counts the chunks that unfinished transfers need and that only this model has whole.
 * @param leaving models to count as removed
 */
export async function findOnlyCopies(
  context: RegistryContext,
  index: RegistryIndex,
  model: StoredEntry,
  needed: readonly NeededChunks[],
  leaving: ReadonlySet<Digest> = new Set(),
): Promise<OnlyCopies[]> {
  const { digest } = model;
  const transfers = needed.filter((transfer) => transfer.model !== digest);
  if (digest === undefined || transfers.length === 0) return [];
  await indexMissing(modelHolders(context), index.byDigest);
  const found: OnlyCopies[] = [];
  for (const transfer of transfers) {
    const here = await context.chunks.locate(transfer.digests, (other) => other === digest);
    const elsewhere = await countInWholeModels(context, index, here.keys(), new Set([...leaving, digest]));
    if (elsewhere < here.size) found.push({ transferOf: transfer.model, chunks: here.size - elsewhere });
  }
  return found;
}

/** How many of the chunks lie in models that are registered, not left out, and whole. */
async function countInWholeModels(
  context: RegistryContext,
  index: RegistryIndex,
  chunks: Iterable<Digest>,
  leftOut: Set<Digest>,
): Promise<number> {
  const wanted = [...chunks];
  if (wanted.length === 0) return 0;
  const whole = new Set<Digest>();
  for (;;) {
    const located = await context.chunks.locate(wanted, (model) => index.byDigest.has(model) && !leftOut.has(model));
    const unseen = new Set([...located.values()].map(({ model }) => model).filter((model) => !whole.has(model)));
    const damaged: Digest[] = [];
    for (const model of unseen) {
      if (await isWhole(context, index.byDigest.get(model) as StoredEntry)) whole.add(model);
      else damaged.push(model);
    }
    for (const model of damaged) leftOut.add(model);
    if (damaged.length === 0) return located.size;
  }
}
