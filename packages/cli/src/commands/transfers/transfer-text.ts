import { formatBytes } from '@model-rtc/protocol';
import { isOver, type TransferRecord } from '@model-rtc/transfer';
import type { ArgumentSpecs } from '../../command-line/types.ts';
import { formatDuration, formatPercent, formatRate, printable } from '../../console/format.ts';

export const transferId = {
  transfer: {
    type: 'string',
    demandOption: true,
    describe: 'Its id, or the start of it',
    completes: 'transfers',
  },
} as const satisfies ArgumentSpecs;

/** `data push of clip.mp4`. */
export function transferName({ kind, name }: TransferRecord): string {
  return `${kindText(kind)} of ${printable(name)}`;
}

export function kindText(kind: TransferRecord['kind']): string {
  return kind.replace('_', ' ');
}

export function stateText({ state, reason }: TransferRecord): string {
  return reason === undefined ? state : `${state} (${printable(reason)})`;
}

export function doneText({ doneBytes, totalBytes }: TransferRecord): string {
  if (totalBytes === 0) return '';
  return `${formatPercent(doneBytes, totalBytes)} of ${formatBytes(totalBytes)}`;
}

export function rateText({ bytesPerSecond }: TransferRecord): string {
  return bytesPerSecond === 0 ? '' : formatRate(bytesPerSecond);
}

/** How long it took, or has run until now. */
export function durationText(transfer: TransferRecord, nowMs: number): string {
  const { startedAt, endedAt, updatedAt } = transfer;
  const untilMs = endedAt !== undefined ? Date.parse(endedAt) : isOver(transfer) ? Date.parse(updatedAt) : nowMs;
  return formatDuration(Math.max(0, untilMs - Date.parse(startedAt)));
}

export function peersText({ peers }: Pick<TransferRecord, 'peers'>, way: 'in' | 'out'): string {
  const names = peers.map(printable).join(', ');
  if (names === '') return '';
  return `${way === 'out' ? 'to' : 'from'} ${names}`;
}
