import type { Digest, Manifest } from '@model-rtc/protocol';
import { bytesInModel, chunkCount, digestOf, type Layout, planLayout, sizeOf } from '../../core/layout/layout.ts';
import { readJournal } from '../journal/journal.ts';
import { stagedChunks } from './staged-chunks.ts';
import { readStagedLayout } from './staged-layout.ts';
import { stagingPaths } from './staging.ts';

export interface PlanOptions {
  readonly manifest: Manifest;
  readonly digest: Digest;
  /** The registry's staging folder. */
  readonly staging: string;
  /** Which of this machine's models have chunks: a `Registry`. */
  readonly local: {
    locateChunks(digests: Iterable<Digest>): Promise<ReadonlyMap<Digest, { readonly model: Digest }>>;
  };
}

/** What a transfer would move, as far as that is known without reading the bytes that are here. */
export interface TransferPlan {
  readonly totalBytes: number;
  /** Bytes that would be fetched. */
  readonly transferBytes: number;
  /** Bytes that are here in other models or in attempts to fetch them, or that are in this model more than once. */
  readonly reusedBytes: number;
  /** Bytes that an earlier attempt at this model fetched. */
  readonly resumedBytes: number;
  /** The installed models that have bytes of it, the one with the most first. */
  readonly reusedFrom: readonly { readonly model: Digest; readonly bytes: number }[];
}

/**
 * Says what a pull would fetch. Nothing is written, and no model is read.
 * @throws ModelRtcError `invalid_model` when the manifest is not the digest's
 */
export async function planTransfer({ manifest, digest, staging, local }: PlanOptions): Promise<TransferPlan> {
  const layout = planLayout(manifest, digest);
  const resumed = await chunksOfEarlierAttempt(staging, digest);
  const missing = new Set<Digest>();
  for (let id = 0; id < chunkCount(layout); id++) {
    const chunk = digestOf(layout, id);
    if (!resumed.has(chunk)) missing.add(chunk);
  }
  const installed = await local.locateChunks(missing);
  for (const chunk of installed.keys()) missing.delete(chunk);
  const staged = missing.size === 0 ? new Map() : await stagedChunks(staging, digest).locateChunks(missing);
  return sumUp(layout, { resumed, installed, staged });
}

function sumUp(
  layout: Layout,
  here: {
    readonly resumed: ReadonlySet<Digest>;
    readonly installed: ReadonlyMap<Digest, { readonly model: Digest }>;
    readonly staged: ReadonlyMap<Digest, unknown>;
  },
): TransferPlan {
  let [transferBytes, resumedBytes] = [0, 0];
  const byModel = new Map<Digest, number>();
  for (let id = 0; id < chunkCount(layout); id++) {
    const chunk = digestOf(layout, id);
    const bytes = bytesInModel(layout, id);
    const model = here.installed.get(chunk)?.model;
    if (here.resumed.has(chunk)) resumedBytes += bytes;
    else if (model !== undefined) byModel.set(model, (byModel.get(model) ?? 0) + bytes);
    else if (!here.staged.has(chunk)) transferBytes += sizeOf(layout, id);
  }
  const reusedFrom = [...byModel].map(([model, bytes]) => ({ model, bytes })).sort((a, b) => b.bytes - a.bytes);
  const { totalBytes } = layout;
  return {
    totalBytes,
    transferBytes,
    resumedBytes,
    reusedBytes: totalBytes - transferBytes - resumedBytes,
    reusedFrom,
  };
}

/** By the chunk list that the attempt had, which may be cut in another way. */
async function chunksOfEarlierAttempt(staging: string, digest: Digest): Promise<ReadonlySet<Digest>> {
  const paths = stagingPaths(staging, digest);
  const layout = await readStagedLayout(paths.manifest, digest);
  const journalled = layout === undefined ? undefined : readJournal(paths.journal, layout);
  const chunks = new Set<Digest>();
  if (layout === undefined || journalled === undefined) return chunks;
  for (const [id, there] of journalled.entries()) if (there === 1) chunks.add(digestOf(layout, id));
  return chunks;
}
