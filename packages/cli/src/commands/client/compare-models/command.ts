import { defineCommand } from '../../../command-line/types.ts';

export const compareModels = defineCommand({
  usage: 'compare-models <refs..>',
  describe: 'Show models of this machine side by side: metrics, hyperparameters, tensors, loss curves',
  positionals: {
    refs: {
      type: 'string',
      array: true,
      demandOption: true,
      describe: 'Two or more ids, aliases, digest prefixes or paths; the tensors of each are compared with the first',
      completes: 'models',
    },
  },
  options: {
    tensors: {
      type: 'boolean',
      default: true,
      describe: 'Compare the tensors, which may read whole files; --no-tensors skips that',
    },
  },
  examples: [
    ['$0 client compare-models good-mouse-v1 good-mouse-v2', 'what the fine-tune changed'],
    ['$0 client compare-models run-a run-b run-c --json', 'for a script'],
  ],
  async run(context, options) {
    const { runCompareModels } = await import('./run.ts');
    await runCompareModels(context, options);
  },
});
