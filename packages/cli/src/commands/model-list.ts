import { formatBytes, givenName, type ListModelsParams, type ModelEntry, ModelRtcError } from '@model-rtc/protocol';
import { type KnownModel, modelDate, modelLoss } from '@model-rtc/registry';
import { type ArgumentSpecs, textOption, type ValuesOf } from '../command-line/types.ts';
import type { Context } from '../console/context.ts';
import { formatPercent, formatScalar, formatTime } from '../console/format.ts';
import { type Column, renderTable } from '../console/table.ts';
import { codeMark } from './code-files.ts';
import { type WorkerNamer, workerNamer } from './connect.ts';

/** The options that filter and sort a list of models, on this machine or at a worker. */
export const listOptions = {
  type: textOption('Only models of this type'),
  tag: textOption('Only models with this tag'),
  alias: textOption("Only models with this alias; '*' matches anything", { completes: 'aliases' }),
  status: {
    choices: ['training', 'completed', 'interrupted', 'failed', 'checkpoint_missing', 'broken_symlink'],
    describe: 'Only models with this status',
  },
  location: {
    choices: ['local', 'worker', 'both', 'all'],
    describe: 'Only models that are here, at a worker when last asked, in both places, or anywhere',
  },
  'sort-by': { choices: ['date', 'name', 'type', 'loss', 'size'], default: 'date', describe: 'The order' },
  limit: { type: 'number', describe: 'At most this many' },
} as const satisfies ArgumentSpecs;

type ListOptions = ValuesOf<typeof listOptions>;

/** The models to print, and how many match in total. */
interface Listing {
  readonly models: readonly KnownModel[];
  readonly total: number;
}

export const NO_MATCH = 'No model matches.';

export function isFiltered({ type, tag, alias, status }: ListOptions): boolean {
  return [type, tag, alias, status].some((filter) => filter !== undefined);
}

export function queryOf({ type, tag, alias, status, sortBy }: ListOptions): Pick<ListModelsParams, 'filters' | 'sort'> {
  return { filters: { type, tag, alias, status }, sort: sortBy };
}

/** @throws ModelRtcError `bad_argument` for a limit that is not a positive whole number. */
export function limitOf({ limit }: ListOptions): number | undefined {
  if (limit === undefined || (Number.isInteger(limit) && limit > 0)) return limit;
  throw new ModelRtcError('bad_argument', '--limit takes a whole number of at least 1.');
}

export async function printModels(context: Context, { models, total }: Listing, whenEmpty: string): Promise<void> {
  const { output } = context;
  if (models.length === 0) output.note(total === 0 ? whenEmpty : NO_MATCH);
  const isElsewhere = models.some(({ availability }) => availability.length > 0);
  const nameOf = isElsewhere ? await workerNamer(context) : undefined;
  if (output.json) output.result({ models: models.map((model) => asJson(model, nameOf)), total }, '');
  else if (models.length > 0) output.result({}, renderTable(models, modelColumns(nameOf), output.columns));
  if (models.length > 0 && models.length < total)
    output.note(`Showing ${models.length} of ${total} models. Pass a larger --limit to see more.`);
}

function asJson({ entry, here, availability }: KnownModel, nameOf: WorkerNamer | undefined): object {
  const at = availability.map((worker) => ({ ...worker, name: nameOf?.(worker) ?? worker.name }));
  return { ...entry, here: here !== undefined, availability: at };
}

const ENTRY_COLUMNS: readonly Column<ModelEntry>[] = [
  { title: 'ID', value: (model) => model.id, isWhole: true },
  { title: 'ALIAS', value: (model) => givenName(model) ?? '' },
  { title: 'TYPE', value: (model) => model.modelType },
  { title: 'SIZE', value: (model) => formatBytes(model.size), align: 'right' },
  { title: 'FILES', value: (model) => String(model.fileCount), align: 'right', optional: 6 },
  { title: 'STATUS', value: statusText, optional: 2 },
  { title: 'LOSS', value: lossText, align: 'right', optional: 1 },
  { title: 'CODE', value: codeMark, optional: 4 },
  { title: 'DATE', value: (model) => formatTime(modelDate(model)), optional: 5 },
];

/** A model's status; `partial 42%` while a worker is still fetching it. */
export function statusText({ displayStatus, status, partialBytes, size, incomplete }: ModelEntry): string {
  if (partialBytes !== undefined) return `partial ${formatPercent(partialBytes, size)}`;
  const shown = displayStatus ?? status;
  return incomplete !== undefined && shown === 'completed' ? 'incomplete' : shown;
}

function lossText(model: ModelEntry): string {
  const value = modelLoss(model);
  return value === undefined ? '' : formatScalar(value);
}

/** @param nameOf - names the workers; undefined when no worker has any of the models, and then there is no column for them. */
function modelColumns(nameOf: WorkerNamer | undefined): readonly Column<KnownModel>[] {
  const columns = ENTRY_COLUMNS.map(({ value, ...column }) => ({
    ...column,
    value: ({ entry }: KnownModel) => value(entry),
  }));
  if (nameOf === undefined) return columns;
  return [...columns, { title: 'WHERE', value: (model) => whereText(model, nameOf), optional: 3 }];
}

function whereText({ here, availability }: KnownModel, nameOf: WorkerNamer): string {
  return [...(here === undefined ? [] : ['here']), ...availability.map(nameOf)].join(', ');
}
