import { formatBytes } from '@model-rtc/protocol';
import { count } from './text.ts';
import { defineModelsCommand } from './types.ts';

export const prune = defineModelsCommand({
  usage: 'prune',
  describe: 'Remove what interrupted pulls left; no installed model goes',
  positionals: {},
  options: {},
  examples: [['$0 prune', 'free the space']],
  async run(context) {
    const manager = await context.manager(undefined);
    const pruned = await manager.prune({ signal: context.signal });
    const { transfers, lists, freedBytes } = pruned;
    const text =
      transfers + lists === 0
        ? 'Nothing to prune.'
        : `Removed ${count(transfers, 'interrupted pull')} and ${count(lists, 'copied list')}: ${formatBytes(freedBytes)} freed.`;
    context.result(pruned, text);
  },
});
