import type { CommandGroup } from '../../command-line/types.ts';
import { cancelTransfer } from './cancel.ts';
import { listTransfers } from './list.ts';
import { transferPriority } from './priority.ts';
import { showTransfer } from './show.ts';

/** The transfers of all processes of this machine. */
export const transfers: CommandGroup = {
  name: 'transfers',
  describe: 'See, cancel and reorder the transfers of this machine, whichever process runs them',
  commands: [listTransfers, showTransfer, cancelTransfer, transferPriority],
  examples: [['$0 transfers list', 'what is moving now']],
};
