import { dataPaths } from '@model-rtc/registry';
import { defineCommand } from '../../command-line/types.ts';
import { formatTime, printable } from '../../console/format.ts';
import { doneText, durationText, kindText, peersText, rateText, stateText, transferId } from './transfer-text.ts';

export const showTransfer = defineCommand({
  usage: 'show <transfer>',
  describe: 'Show how far a transfer is, or how it ended',
  positionals: transferId,
  examples: [['$0 transfers show 3fa9 --json', 'for a script']],
  async run({ home, output }, { transfer: id }) {
    const { findTransfer, wayOf } = await import('@model-rtc/transfer');
    const transfer = await findTransfer(dataPaths(home).transfers, id);
    const { kind, name, digest, message, pid, host, startedAt, endedAt } = transfer;
    const rows: readonly (readonly [string, string | undefined])[] = [
      ['Transfer', transfer.id],
      ['Name', `${printable(name)}${digest === undefined ? '' : ` (${digest.slice(0, 12)})`}`],
      ['Kind', `${kindText(kind)} ${peersText(transfer, wayOf(kind))}`.trim()],
      ['State', stateText(transfer)],
      ['Priority', transfer.priority],
      ['Message', message && printable(message)],
      ['Done', doneText(transfer)],
      ['Rate', rateText(transfer)],
      ['Process', `${pid} on ${printable(host)}`],
      ['Started', formatTime(startedAt)],
      ['Ended', formatTime(endedAt)],
      ['Took', durationText(transfer, Date.now())],
    ];
    const lines = rows.flatMap(([title, value]) => (value ? [`${title.padEnd(10)}${value}`] : []));
    output.result({ transfer }, lines.join('\n'));
  },
});
