import type { CommandGroup } from '../../command-line/types.ts';
import { cancelTransfer } from './cancel.ts';
import { listTransfers } from './list.ts';
import { showTransfer } from './show.ts';

/** The transfers of all processes of this machine. */
export const transfers: CommandGroup = {
  name: 'transfers',
  describe: 'See and cancel the transfers of this machine, whichever process runs them',
  commands: [listTransfers, showTransfer, cancelTransfer],
  examples: [['$0 transfers list', 'what is moving now']],
};
