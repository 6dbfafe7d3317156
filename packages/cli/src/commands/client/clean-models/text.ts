import type { CleanCandidate, CleanPlan } from '@model-rtc/registry';
import type { StagedTransfer } from '@model-rtc/transfer';
import { formatBytes, formatTime, printable } from '../../../console/format.ts';
import { renderTable } from '../../../console/table.ts';

/** All that would go, and what would stay and why. */
export interface Cleaning extends CleanPlan {
  readonly transfers: readonly StagedTransfer[];
  readonly freesBytes: number;
}

export function countOf({ remove, transfers }: Pick<Cleaning, 'remove' | 'transfers'>): string {
  const parts = [
    ...(remove.length > 0 || transfers.length === 0
      ? [`${remove.length} ${remove.length === 1 ? 'model' : 'models'}`]
      : []),
    ...(transfers.length > 0
      ? [`what ${transfers.length} broken ${transfers.length === 1 ? 'transfer' : 'transfers'} left`]
      : []),
  ];
  return parts.join(' and ');
}

/** @param width - the terminal's columns. */
export function tablesOf({ remove, spared, transfers, kept }: Cleaning, width: number | undefined): string {
  const models = (candidates: readonly CleanCandidate[], size: string) =>
    renderTable(
      candidates,
      [
        { title: 'ID', value: ({ entry }) => entry.id },
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
        { title: 'TRANSFER OF', value: ({ model }) => model.slice(0, 8) },
        { title: 'FREES', value: ({ bytes }) => formatBytes(bytes), align: 'right' },
        { title: 'LAST WRITTEN', value: ({ lastWrittenAt }) => formatTime(lastWrittenAt.toISOString()) },
      ],
      width,
    );
  const sections = [
    ...(remove.length === 0 ? [] : [models(remove, 'FREES')]),
    ...(transfers.length === 0 ? [] : [staged(transfers)]),
    ...(spared.length === 0 ? [] : [`Staying:\n${models(spared, 'SIZE')}`]),
    ...(kept.length === 0
      ? []
      : [
          `Files of deleted models, yours to remove:\n${kept.map(({ path, bytes }) => `  ${formatBytes(bytes)}  ${printable(path)}`).join('\n')}`,
        ]),
  ];
  return sections.map((section) => `${section}\n\n`).join('');
}
