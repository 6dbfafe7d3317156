import type { ModelEntry } from '@model-rtc/protocol';
import { formatBytes, formatScalar, formatTime } from '../console/format.ts';
import type { Column } from '../console/table.ts';

/** The loss that a list shows and sorts by: the best validation loss, else the best training loss. */
function loss({ metrics }: ModelEntry): string {
  const value = metrics.best_val_loss ?? metrics.val_loss ?? metrics.best_train_loss ?? metrics.train_loss;
  return value === undefined || value === null ? '' : formatScalar(value);
}

/** The columns of a list of models, the same for this machine and for a worker. */
export const MODEL_COLUMNS: readonly Column<ModelEntry & { readonly displayStatus?: string | undefined }>[] = [
  { title: 'ID', value: (model) => model.id },
  { title: 'ALIAS', value: (model) => model.alias ?? '' },
  { title: 'TYPE', value: (model) => model.modelType },
  { title: 'SIZE', value: (model) => formatBytes(model.size), align: 'right' },
  { title: 'FILES', value: (model) => String(model.fileCount), align: 'right', optional: 4 },
  { title: 'STATUS', value: (model) => model.displayStatus ?? model.status, optional: 2 },
  { title: 'LOSS', value: loss, align: 'right', optional: 1 },
  { title: 'ADDED', value: (model) => formatTime(addedAt(model)), optional: 3 },
];

function addedAt(model: ModelEntry): string | undefined {
  return model.importedAt ?? model.downloadedAt ?? model.completedAt ?? model.createdAt;
}
