import type { ModelEntry } from '@model-rtc/protocol';
import { type KnownModel, modelDate, modelLoss } from '@model-rtc/registry';
import { formatBytes, formatPercent, formatScalar, formatTime } from '../console/format.ts';
import type { Column } from '../console/table.ts';
import { codeMark } from './code-files.ts';
import type { WorkerNamer } from './worker-names.ts';

/** The columns of a list of models, the same for this machine and for a worker. */
const ENTRY_COLUMNS: readonly Column<ModelEntry>[] = [
  { title: 'ID', value: (model) => model.id },
  { title: 'ALIAS', value: (model) => model.alias ?? '' },
  { title: 'TYPE', value: (model) => model.modelType },
  { title: 'SIZE', value: (model) => formatBytes(model.size), align: 'right' },
  { title: 'FILES', value: (model) => String(model.fileCount), align: 'right', optional: 6 },
  { title: 'STATUS', value: statusText, optional: 2 },
  { title: 'LOSS', value: loss, align: 'right', optional: 1 },
  { title: 'CODE', value: codeMark, optional: 4 },
  { title: 'DATE', value: (model) => formatTime(modelDate(model)), optional: 5 },
];

/** Of a model that a worker is still fetching, how much of it is there: `partial 42%`. */
export function statusText({ displayStatus, status, partialBytes, size }: ModelEntry): string {
  return partialBytes === undefined ? (displayStatus ?? status) : `partial ${formatPercent(partialBytes, size)}`;
}

function loss(model: ModelEntry): string {
  const value = modelLoss(model);
  return value === undefined ? '' : formatScalar(value);
}

/** @param nameOf - what workers are called; without it no model is at one, and where they are goes without saying. */
export function modelColumns(nameOf: WorkerNamer | undefined): readonly Column<KnownModel>[] {
  const columns = ENTRY_COLUMNS.map(({ value, ...column }) => ({
    ...column,
    value: ({ entry }: KnownModel) => value(entry),
  }));
  if (nameOf === undefined) return columns;
  return [...columns, { title: 'WHERE', value: (model) => where(model, nameOf), optional: 3 }];
}

function where({ here, availability }: KnownModel, nameOf: WorkerNamer): string {
  return [...(here === undefined ? [] : ['here']), ...availability.map(nameOf)].join(', ');
}
