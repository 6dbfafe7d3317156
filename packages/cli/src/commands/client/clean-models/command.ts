import { defineCommand } from '../../../command-line/types.ts';
import { yesOption } from '../../options.ts';

export const cleanModels = defineCommand({
  usage: 'clean-models',
  describe: 'Remove old versions that lost their alias, and what interrupted transfers left',
  options: {
    'dry-run': { type: 'boolean', default: false, describe: 'Only show what would be removed' },
    keep: { type: 'number', default: 0, describe: 'Keep this many old versions of each alias' },
    'older-than': {
      type: 'string',
      describe: 'Only what was given up this long ago, e.g. 30d [versions at once, transfers after 30d]',
    },
    unused: {
      type: 'boolean',
      default: false,
      describe: 'Also remove models that never had an alias, tag or note, and that no other model was made from',
    },
    ...yesOption,
  },
  examples: [
    ['$0 client clean-models --dry-run', 'what could be freed'],
    ['$0 client clean-models --keep 1 --older-than 30d --yes', 'in a script'],
  ],
  async run(context, options) {
    const { runCleanModels } = await import('./run.ts');
    await runCleanModels(context, options);
  },
});
