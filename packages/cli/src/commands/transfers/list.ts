import { dataPaths } from '@model-rtc/registry';
import { isOver } from '@model-rtc/transfer';
import { defineCommand, flagOption } from '../../command-line/types.ts';
import { formatTime, printable } from '../../console/format.ts';
import { renderTable } from '../../console/table.ts';
import { doneText, durationText, kindText, peersText, rateText, stateText } from './transfer-text.ts';

export const listTransfers = defineCommand({
  usage: 'list',
  isDefault: true,
  describe: 'List the transfers that run now, the newest first',
  options: { all: flagOption('Those that have ended as well: the last 200, for 30 days') },
  examples: [
    ['$0 transfers list', 'models and data of jobs, either way'],
    ['$0 transfers list --all --json', 'for a script'],
  ],
  async run({ home, output }, { all }) {
    const { readTransfers, wayOf } = await import('@model-rtc/transfer');
    const known = await readTransfers(dataPaths(home).transfers);
    const transfers = all ? known : known.filter((transfer) => !isOver(transfer));
    if (transfers.length === 0)
      output.note(
        all ? 'No transfers are known.' : 'Nothing moves now. See what has ended: model-rtc transfers list --all',
      );
    const nowMs = Date.now();
    const text = renderTable(
      transfers,
      [
        { title: 'TRANSFER', value: ({ id }) => id, isWhole: true },
        { title: 'KIND', value: ({ kind }) => kindText(kind) },
        { title: 'NAME', value: ({ name }) => printable(name) },
        { title: 'STATE', value: stateText },
        { title: 'PRIORITY', value: ({ priority }) => priority, optional: 6 },
        { title: 'DONE', value: doneText, optional: 1 },
        { title: 'RATE', value: rateText, optional: 3 },
        { title: 'WITH', value: (transfer) => peersText(transfer, wayOf(transfer.kind)), optional: 4 },
        { title: 'TOOK', value: (transfer) => durationText(transfer, nowMs), optional: 2 },
        { title: 'STARTED', value: ({ startedAt }) => formatTime(startedAt), optional: 5 },
      ],
      output.columns,
    );
    output.result({ transfers }, transfers.length === 0 ? '' : text);
  },
});
