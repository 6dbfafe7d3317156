import { formatBytes, ModelRtcError } from '@model-rtc/protocol';
import type { CleanCandidate, CleanPlan, Registry, UnknownFolder } from '@model-rtc/registry';
import type { StagedTransfer } from '@model-rtc/transfer';
import { defineCommand, flagOption, textOption } from '../../command-line/types.ts';
import { confirm } from '../../console/ask.ts';
import type { Context } from '../../console/context.ts';
import { formatCount, formatTime, printable } from '../../console/format.ts';
import { parseDuration } from '../../console/quantities.ts';
import { renderTable } from '../../console/table.ts';
import { yesOption } from '../options.ts';

/** A transfer counts as abandoned when it was not resumed for this long. */
const ABANDONED_AFTER_MS = 30 * 24 * 3600 * 1000;

export const cleanModels = defineCommand({
  usage: 'clean-models',
  describe: 'Remove old versions that lost their alias, and what interrupted transfers left',
  options: {
    'dry-run': flagOption('Only show what would be removed'),
    keep: { type: 'number', default: 0, describe: 'Keep this many old versions of each alias' },
    'older-than': textOption('Only what was given up this long ago, e.g. 30d [versions at once, transfers after 30d]'),
    unused: flagOption(
      'Also remove models that never had an alias, tag or note, and that no other model was made from',
    ),
    ...yesOption,
  },
  examples: [
    ['$0 client clean-models --dry-run', 'what could be freed'],
    ['$0 client clean-models --keep 1 --older-than 30d --yes', 'in a script'],
  ],
  async run(context, { dryRun, keep, olderThan, unused, yes }) {
    if (!Number.isInteger(keep) || keep < 0)
      throw new ModelRtcError('bad_argument', '--keep takes a whole number of at least 0.');
    const olderThanMs = olderThan === undefined ? undefined : parseDuration(olderThan, '--older-than', { zero: true });
    const registry = await context.registry();
    const plan = (): Promise<Cleaning> => planCleaning(registry, { keep, unused, olderThanMs });
    const planned = await plan();
    const { output } = context;
    const tables = tablesOf(planned, output.columns);
    const freed = `${countOf(planned)} and free ${formatBytes(planned.freesBytes)}`;
    const isEmpty = countOf(planned) === 'nothing';
    if (isEmpty || dryRun) {
      const text = isEmpty ? 'Nothing to clean.' : `Would remove ${freed}.`;
      return output.result({ ...planned, freedBytes: 0, dryRun }, `${tables}${text}`);
    }
    if (!output.json) output.note(tables.trimEnd());
    if (!yes && !(await confirm(context, { text: `Remove ${freed}?`, flag: '--yes' })))
      throw new ModelRtcError('cancelled', 'Cancelled; nothing was removed.');
    // Skips models that got an alias, and transfers that were resumed, before the question was answered.
    const removed = await carryOut(context, registry, planned, yes ? planned : await plan());
    const text = cleanedText(removed, registry.paths.kept);
    output.result({ ...planned, ...removed, dryRun: false }, text);
  },
});

/** What would be removed and what would stay, with the reasons. */
export interface Cleaning extends CleanPlan {
  readonly transfers: readonly StagedTransfer[];
  /** Folders in `models/` that hold no readable model; their files move to `kept/`. */
  readonly unknown: readonly UnknownFolder[];
  readonly freesBytes: number;
}

interface PlanOptions {
  readonly keep: number;
  readonly unused: boolean;
  readonly olderThanMs: number | undefined;
}

async function planCleaning(registry: Registry, { keep, unused, olderThanMs }: PlanOptions): Promise<Cleaning> {
  const { stagedNeeds, stagedTransfers } = await import('@model-rtc/transfer');
  const { staging } = registry.paths;
  const since = Date.now() - (olderThanMs ?? ABANDONED_AFTER_MS);
  const transfers = (await stagedTransfers(staging)).filter(
    ({ isRunning, lastWrittenAt }) => !isRunning && lastWrittenAt.getTime() <= since,
  );
  const given = new Set(transfers.map(({ model }) => model));
  const needed = (await stagedNeeds(staging)).filter(({ model }) => !given.has(model));
  const plan = await registry.planCleaning({ keep, unused, olderThanMs, needed });
  const freesBytes = sum(plan.remove.map(({ freesBytes }) => freesBytes)) + sum(transfers.map(({ bytes }) => bytes));
  return { ...plan, transfers, unknown: await registry.unknownFolders(), freesBytes };
}

interface Removed {
  readonly remove: readonly CleanCandidate[];
  readonly transfers: readonly StagedTransfer[];
  readonly unknown: readonly UnknownFolder[];
  readonly freedBytes: number;
}

/** Removes transfers first, since a transfer may need one of the models. */
async function carryOut(context: Context, registry: Registry, shown: Cleaning, now: Cleaning): Promise<Removed> {
  const { discardStaging, stagedNeeds } = await import('@model-rtc/transfer');
  const { staging } = registry.paths;
  const transfers = await doEach(context, shown.transfers, async ({ model, bytes }) => {
    if (!now.transfers.some((transfer) => transfer.model === model)) return undefined;
    await discardStaging({ staging, key: model, waitMs: 0, signal: context.signal });
    return bytes;
  });
  const needed = await stagedNeeds(staging);
  const models = await doEach(context, shown.remove, async ({ entry }) => {
    if (!now.remove.some((candidate) => candidate.entry.id === entry.id)) return undefined;
    return (await registry.remove(entry.digest ?? entry.id, { needed })).freedBytes;
  });
  const unknown = await doEach(context, shown.unknown, async ({ folder }) =>
    (await registry.keepUnknownFolder(folder)) === undefined ? undefined : 0,
  );
  const freedBytes = models.freedBytes + transfers.freedBytes;
  return { remove: models.done, transfers: transfers.done, unknown: unknown.done, freedBytes };
}

/** Keeps an item that is in use or needed by now, and still removes the others. */
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

function cleanedText({ unknown, ...removed }: Removed, keptFolder: string): string {
  const isRemoved = removed.remove.length > 0 || removed.transfers.length > 0 || unknown.length === 0;
  const parts = [
    ...(isRemoved ? [`Removed ${countOf({ ...removed, unknown: [] })}: ${formatBytes(removed.freedBytes)} freed`] : []),
    ...(unknown.length > 0
      ? [`Moved ${formatCount(unknown.length, 'unknown folder')} to ${printable(keptFolder)}`]
      : []),
  ];
  return parts.join('\n');
}

/** What goes: `2 models and 1 interrupted transfer`, or `nothing`. */
export function countOf({ remove, transfers, unknown }: Pick<Cleaning, 'remove' | 'transfers' | 'unknown'>): string {
  const parts = [
    ...(remove.length > 0 ? [formatCount(remove.length, 'model')] : []),
    ...(transfers.length > 0 ? [formatCount(transfers.length, 'interrupted transfer')] : []),
    ...(unknown.length > 0 ? [formatCount(unknown.length, 'unknown folder')] : []),
  ];
  return parts.length === 0 ? 'nothing' : parts.join(' and ');
}

/** @param width - the terminal's columns. */
export function tablesOf({ remove, spared, transfers, unknown, kept }: Cleaning, width: number | undefined): string {
  const models = (candidates: readonly CleanCandidate[], size: string) =>
    renderTable(
      candidates,
      [
        { title: 'ID', value: ({ entry }) => entry.id, isWhole: true },
        { title: 'TYPE', value: ({ entry }) => entry.modelType, optional: 1 },
        { title: size, value: ({ freesBytes }) => formatBytes(freesBytes), align: 'right' },
        { title: 'WHY', value: ({ reason }) => reason },
      ],
      width,
    );
  const staged = (all: readonly StagedTransfer[]) =>
    renderTable(
      all,
      [
        { title: 'TRANSFER OF', value: ({ model }) => model.slice(0, 8), isWhole: true },
        { title: 'FREES', value: ({ bytes }) => formatBytes(bytes), align: 'right' },
        { title: 'LAST WRITTEN', value: ({ lastWrittenAt }) => formatTime(lastWrittenAt.toISOString()) },
      ],
      width,
    );
  const sections = [
    ...(remove.length === 0 ? [] : [models(remove, 'FREES')]),
    ...(transfers.length === 0 ? [] : [staged(transfers)]),
    ...(unknown.length === 0
      ? []
      : [
          `Folders in models/ that hold no readable model; they move to kept/:\n${unknown.map(({ path, bytes }) => `  ${formatBytes(bytes)}  ${printable(path)}`).join('\n')}`,
        ]),
    ...(spared.length === 0 ? [] : [`Staying:\n${models(spared, 'SIZE')}`]),
    ...(kept.length === 0
      ? []
      : [
          `Files kept from deleted models; remove them yourself:\n${kept.map(({ path, bytes }) => `  ${formatBytes(bytes)}  ${printable(path)}`).join('\n')}`,
        ]),
  ];
  return sections.map((section) => `${section}\n\n`).join('');
}
