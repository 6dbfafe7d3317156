import { defineCommand } from '../../command-line/types.ts';

export const untagModel = defineCommand({
  usage: 'untag-model <alias>',
  describe: 'Remove an alias; the model stays',
  positionals: { alias: { type: 'string', demandOption: true, describe: 'The exact alias', completes: 'aliases' } },
  examples: [['$0 client untag-model good-mouse-v1', 'its model keeps its id']],
  async run(context, { alias }) {
    const registry = await context.registry();
    const entry = await registry.untag(alias);
    context.output.result({ entry, alias }, `${entry.id} was ${alias} and has no alias now`);
  },
});
