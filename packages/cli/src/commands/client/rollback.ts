import { defineCommand, requiredText, textOption } from '../../command-line/types.ts';

export const rollback = defineCommand({
  usage: 'rollback <alias>',
  describe: 'Give an alias back to the model that had it before',
  positionals: { alias: requiredText('The alias', { completes: 'aliases' }) },
  options: {
    to: textOption('An earlier model that had it; model-rtc client history ALIAS lists them', { completes: 'models' }),
  },
  examples: [
    ['$0 client rollback good-mouse', 'to the previous version; run it again to undo that'],
    ['$0 client rollback good-mouse --to 4f1c22ab', 'to an earlier version'],
  ],
  async run(context, { alias, to }) {
    const registry = await context.registry();
    const { entry, from } = await registry.rollback(alias, to);
    if (entry.displayStatus !== 'completed')
      context.output.note(
        `${entry.id} is not whole (${entry.displayStatus}). See: model-rtc client model-info ${alias}`,
      );
    const before = from === undefined ? '' : `; it was ${from.id}, which now has no alias`;
    context.output.result({ entry, from }, `${alias} is ${entry.id} again${before}`);
  },
});
