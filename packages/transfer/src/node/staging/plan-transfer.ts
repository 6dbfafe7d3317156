import type { Digest, ModelContents } from '@model-rtc/protocol';
import { contentsKey } from '../../core/layout/contents-key.ts';
import {
  bytesInModel,
  chunkCount,
  digestOf,
  type Layout,
  planLayoutInSlices,
  sizeOf,
} from '../../core/layout/layout.ts';
import { readJournal } from '../journal/journal.ts';
import { stagedChunks } from './staged-chunks.ts';
import { readStagedLayout } from './staged-layout.ts';
import { stagingPaths } from './staging.ts';

export interface PlanOptions {
  readonly contents: ModelContents;
  /** The registry's staging folder. */
  readonly staging: string;
  /** Which of this machine's models have chunks: a `Registry`. */
  readonly local: {
    locateChunks(digests: Iterable<Digest>): Promise<ReadonlyMap<Digest, { readonly model: Digest }>>;
  };
}

/** What a transfer would move, as far as can be told without reading the bytes that are here. */
export interface TransferPlan {
  readonly totalBytes: number;
  /** Bytes that would be fetched. */
  readonly transferBytes: number;
  /** Bytes that are here, in other models or unfinished transfers, or that this model has more than once. */
  readonly reusedBytes: number;
  /** Bytes that an earlier attempt at this model fetched. */
  readonly resumedBytes: number;
  /** The installed models that have bytes of it, the one with the most first. */
  readonly reusedFrom: readonly { readonly model: Digest; readonly bytes: number }[];
}

/**
 * Says what a pull would fetch. Writes nothing, and reads no model.
 * @throws ModelRtcError `invalid_model` when the contents are not the digest's
 */
export async function planTransfer({ contents, staging, local }: PlanOptions): Promise<TransferPlan> {
  const layout = await planLayoutInSlices(contents);
  const key = contentsKey(contents);
  const resumed = await chunksOfEarlierAttempt(staging, key, layout);
  const missing = new Set<Digest>();
  for (let id = 0; id < chunkCount(layout); id++) {
    const chunk = digestOf(layout, id);
    if (chunk !== undefined && !resumed.chunks.has(chunk)) missing.add(chunk);
  }
  const installed = await local.locateChunks(missing);
  for (const chunk of installed.keys()) missing.delete(chunk);
  const staged = missing.size === 0 ? new Map() : await stagedChunks(staging, key).locateChunks(missing);
  return sumUp(layout, { resumed, installed, staged });
}

function sumUp(
  layout: Layout,
  here: {
    readonly resumed: Resumed;
    readonly installed: ReadonlyMap<Digest, { readonly model: Digest }>;
    readonly staged: ReadonlyMap<Digest, unknown>;
  },
): TransferPlan {
  let [transferBytes, resumedBytes] = [0, 0];
  const byModel = new Map<Digest, number>();
  for (let id = 0; id < chunkCount(layout); id++) {
    const chunk = digestOf(layout, id);
    const bytes = bytesInModel(layout, id);
    const model = chunk === undefined ? undefined : here.installed.get(chunk)?.model;
    if (chunk === undefined ? here.resumed.ranges.has(id) : here.resumed.chunks.has(chunk)) resumedBytes += bytes;
    else if (model !== undefined) byModel.set(model, (byModel.get(model) ?? 0) + bytes);
    else if (chunk === undefined || !here.staged.has(chunk)) transferBytes += sizeOf(layout, id);
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

/** What an earlier attempt brought: chunks by their digests, ranges by their ids. */
interface Resumed {
  readonly chunks: ReadonlySet<Digest>;
  readonly ranges: ReadonlySet<number>;
}

/** Uses the attempt's own chunk list, which may be cut differently; ranges count only if it is the same list. */
async function chunksOfEarlierAttempt(staging: string, key: Digest, wanted: Layout): Promise<Resumed> {
  const paths = stagingPaths(staging, key);
  const chunks = new Set<Digest>();
  const ranges = new Set<number>();
  const layout = await readStagedLayout(paths.manifest, key);
  const journalled = layout === undefined ? undefined : readJournal(paths.journal, layout);
  if (layout === undefined || journalled === undefined) return { chunks, ranges };
  for (const [id, there] of journalled.entries()) {
    if (there !== 1) continue;
    const digest = digestOf(layout, id);
    if (digest !== undefined) chunks.add(digest);
    else if (layout.listHash === wanted.listHash) ranges.add(id);
  }
  return { chunks, ranges };
}
