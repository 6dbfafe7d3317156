import { dataPaths } from '@model-rtc/registry';
import { defineCommand } from '../../command-line/types.ts';
import { stateText, transferId, transferName } from './transfer-text.ts';

export const cancelTransfer = defineCommand({
  usage: 'cancel <transfer>',
  describe: 'End a transfer, as Ctrl+C does in its own terminal: what has arrived is kept',
  positionals: transferId,
  examples: [['$0 transfers cancel 3fa9', 'the one whose id begins so']],
  async run({ home, output, signal }, { transfer: id }) {
    const transfers = await import('@model-rtc/transfer');
    const { transfer, outcome } = await transfers.cancelTransfer(dataPaths(home).transfers, id, { signal });
    const name = transferName(transfer);
    const texts = {
      cancelled: `Cancelled the ${name}. What has arrived is kept.`,
      over_already: `The ${name} has ended already: ${stateText(transfer)}.`,
      asked: `The ${name} was told to stop and has not ended yet. See it: model-rtc transfers show ${transfer.id}`,
    };
    output.result({ outcome, transfer }, texts[outcome]);
  },
});
