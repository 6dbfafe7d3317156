import { acquireLock } from '@model-rtc/files';
import { formatBytes, ModelRtcError } from '@model-rtc/protocol';
import type { CleanCandidate, Registry } from '@model-rtc/registry';
import {
  type AcquireLock,
  discardStaging,
  type StagedTransfer,
  stagedNeeds,
  stagedTransfers,
} from '@model-rtc/transfer';
import ms from 'ms';
import { confirm } from '../../../console/ask.ts';
import type { Context } from '../../../console/context.ts';
import { parseDuration } from '../../../console/quantities.ts';
import { type Cleaning, countOf, tablesOf } from './text.ts';

export interface CleanModelsOptions {
  readonly dryRun: boolean;
  readonly keep: number;
  readonly olderThan?: string | undefined;
  readonly unused: boolean;
  readonly yes: boolean;
}

/** A transfer that nobody resumed for this long counts as abandoned. */
const ABANDONED_AFTER_MS = ms('30d');

export async function runCleanModels(context: Context, options: CleanModelsOptions): Promise<void> {
  checkKeep(options.keep);
  const olderThanMs =
    options.olderThan === undefined ? undefined : parseDuration(options.olderThan, '--older-than', { zero: true });
  const registry = await context.registry();
  const plan = (): Promise<Cleaning> => planCleaning(registry, options, olderThanMs);
  const planned = await plan();
  const isEmpty = planned.remove.length === 0 && planned.transfers.length === 0;
  if (isEmpty || options.dryRun) {
    const said = isEmpty
      ? 'Nothing to clean.'
      : `Would remove ${countOf(planned)} and free ${formatBytes(planned.freesBytes)}.`;
    context.output.result(
      { ...planned, freedBytes: 0, dryRun: options.dryRun },
      `${tablesOf(planned, context.output.columns)}${said}`,
    );
    return;
  }
  if (!context.output.json) context.output.note(tablesOf(planned, context.output.columns).trimEnd());
  if (!options.yes) await requireConsent(context, planned);
  // Skips models that got an alias, and transfers that were resumed, before the question was answered.
  const removed = await carryOut(context, registry, planned, options.yes ? planned : await plan());
  context.output.result(
    { ...planned, ...removed, dryRun: false },
    `Removed ${countOf(removed)}: ${formatBytes(removed.freedBytes)} freed`,
  );
}

function checkKeep(keep: number): void {
  if (Number.isInteger(keep) && keep >= 0) return;
  throw new ModelRtcError('bad_argument', '--keep takes a whole number of at least 0.');
}

async function planCleaning(
  registry: Registry,
  { keep, unused }: CleanModelsOptions,
  olderThanMs: number | undefined,
): Promise<Cleaning> {
  const { staging } = registry.paths;
  const since = Date.now() - (olderThanMs ?? ABANDONED_AFTER_MS);
  const transfers = (await stagedTransfers(staging, withoutWaiting)).filter(
    ({ isRunning, lastWrittenAt }) => !isRunning && lastWrittenAt.getTime() <= since,
  );
  const given = new Set(transfers.map(({ model }) => model));
  const needed = (await stagedNeeds(staging)).filter(({ model }) => !given.has(model));
  const plan = await registry.planCleaning({ keep, unused, olderThanMs, needed });
  const freesBytes = sum(plan.remove.map(({ freesBytes }) => freesBytes)) + sum(transfers.map(({ bytes }) => bytes));
  return { ...plan, transfers, freesBytes };
}

const withoutWaiting: AcquireLock = (path, options) => acquireLock(path, { ...options, waitMs: 0 });

async function requireConsent(context: Context, planned: Cleaning): Promise<void> {
  const text = `Remove ${countOf(planned)} and free ${formatBytes(planned.freesBytes)}?`;
  if (await confirm(context, { text, flag: '--yes' })) return;
  throw new ModelRtcError('cancelled', 'Cancelled; nothing was removed.');
}

interface Removed {
  readonly remove: readonly CleanCandidate[];
  readonly transfers: readonly StagedTransfer[];
  readonly freedBytes: number;
}

/** Transfers go first: afterwards they need no model any more. */
async function carryOut(context: Context, registry: Registry, shown: Cleaning, now: Cleaning): Promise<Removed> {
  const { staging } = registry.paths;
  const transfers = await doEach(context, shown.transfers, async ({ model, bytes }) => {
    if (!now.transfers.some((transfer) => transfer.model === model)) return undefined;
    await discardStaging({ staging, key: model, lock: withoutWaiting, signal: context.signal });
    return bytes;
  });
  const needed = await stagedNeeds(staging);
  const models = await doEach(context, shown.remove, async ({ entry }) => {
    if (!now.remove.some((candidate) => candidate.entry.id === entry.id)) return undefined;
    return (await registry.remove(entry.digest ?? entry.id, { needed })).freedBytes;
  });
  return { remove: models.done, transfers: transfers.done, freedBytes: models.freedBytes + transfers.freedBytes };
}

/** An item that became busy or needed in the meantime stays; the others are still removed. */
async function doEach<T>(
  context: Context,
  items: readonly T[],
  work: (item: T) => Promise<number | undefined>,
): Promise<{ done: T[]; freedBytes: number }> {
  const done: T[] = [];
  let freedBytes = 0;
  for (const item of items) {
    context.signal.throwIfAborted();
    try {
      const freed = await work(item);
      if (freed === undefined) continue;
      done.push(item);
      freedBytes += freed;
    } catch (error) {
      const { code, message } = ModelRtcError.from(error);
      if (code !== 'busy' && code !== 'refused' && code !== 'not_found_locally') throw error;
      context.output.note(message);
    }
  }
  return { done, freedBytes };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
