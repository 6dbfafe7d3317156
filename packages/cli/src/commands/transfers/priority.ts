import { dataPaths } from '@model-rtc/registry';
import { defineCommand } from '../../command-line/types.ts';
import { PRIORITY_CHOICES } from '../options.ts';
import { stateText, transferId, transferName } from './transfer-text.ts';

export const transferPriority = defineCommand({
  usage: 'priority <transfer> <priority>',
  describe: 'Let a running transfer go before others of this machine, or after them',
  positionals: {
    ...transferId,
    priority: {
      type: 'string',
      demandOption: true,
      choices: PRIORITY_CHOICES,
      describe: 'critical also ignores limit.by-size; low gives way to all other traffic',
    },
  },
  examples: [['$0 transfers priority 3fa9 critical', 'others leave it most of the network']],
  async run({ home, output, signal, log }, { transfer: id, priority }) {
    const { prioritizeTransfer } = await import('@model-rtc/transfer');
    const { transfer, before, outcome } = await prioritizeTransfer(dataPaths(home).transfers, id, priority, { signal });
    const name = transferName(transfer);
    if (outcome === 'changed') {
      const { noteDecisions } = await import('@model-rtc/mesh');
      const what = `changed the priority of the ${name} from ${before} to ${priority}`;
      await noteDecisions(
        home,
        [{ event: 'priority', what, about: transfer.digest ?? transfer.name, by: 'a person' }],
        log,
      );
    }
    const texts = {
      changed: `The ${name} is ${priority} now; it was ${before}.`,
      unchanged: `The ${name} is ${priority} already.`,
      over_already: `The ${name} has ended already: ${stateText(transfer)}.`,
      asked: `The ${name} was told, and has not taken notice yet. See it: model-rtc transfers show ${transfer.id}`,
    };
    output.result({ outcome, before, priority, transfer }, texts[outcome]);
  },
});
