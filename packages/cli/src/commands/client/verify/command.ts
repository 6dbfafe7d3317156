import { defineCommand } from '../../../command-line/types.ts';
import { networkOptions } from '../../connect.ts';

export const verify = defineCommand({
  usage: 'verify [refs..]',
  describe: 'Check that models are whole, byte by byte; exits 6 when one is damaged',
  positionals: {
    refs: {
      type: 'string',
      array: true,
      default: [],
      describe: 'Ids, aliases, digest prefixes or paths [all models, and files that belong to none]',
      completes: 'models',
    },
  },
  options: {
    ...networkOptions,
    quick: { type: 'boolean', default: false, describe: 'Only look at sizes and times; read no files' },
    repair: {
      type: 'boolean',
      default: false,
      describe: 'Repair damaged models from other models and from saved workers that have them',
    },
  },
  examples: [
    ['$0 client verify', 'all models, and orphans in the data folder'],
    ['$0 client verify good-mouse-v1 --repair', 'one, and make it whole'],
  ],
  async run(context, options) {
    const { runVerify } = await import('./run.ts');
    await runVerify(context, options);
  },
});
