import { formatBytes } from '@model-rtc/protocol';
import type { CleanCandidate, CleanPlan } from '@model-rtc/registry';
import type { StagedTransfer } from '@model-rtc/transfer';
import { formatCount, formatTime, printable } from '../../../console/format.ts';
import { renderTable } from '../../../console/table.ts';

/** What would be removed, what would stay, and why. */
export interface Cleaning extends CleanPlan {
  readonly transfers: readonly StagedTransfer[];
  readonly freesBytes: number;
}

export function countOf({ remove, transfers }: Pick<Cleaning, 'remove' | 'transfers'>): string {
  const parts = [
    ...(remove.length > 0 || transfers.length === 0 ? [formatCount(remove.length, 'model')] : []),
    ...(transfers.length > 0 ? [formatCount(transfers.length, 'interrupted transfer')] : []),
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
          `Files kept from deleted models; remove them yourself:\n${kept.map(({ path, bytes }) => `  ${formatBytes(bytes)}  ${printable(path)}`).join('\n')}`,
        ]),
  ];
  return sections.map((section) => `${section}\n\n`).join('');
}
