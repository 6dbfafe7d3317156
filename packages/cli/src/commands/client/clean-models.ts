import type { Invocation } from '../../console/invocation.ts';
import type { CommandParser } from '../common.ts';

export function addCleanModelsCommand(parser: CommandParser, invocation: Invocation): void {
  parser.command(
    'clean-models',
    'Remove versions that an alias left behind, and what broken transfers left',
    (command) =>
      command
        .option('dry-run', { type: 'boolean', default: false, describe: 'Only show what it would free' })
        .option('keep', { type: 'number', default: 0, describe: 'Keep this many former versions of each alias' })
        .option('older-than', {
          type: 'string',
          describe: 'Only what lost its alias this long ago, e.g. 30d; for broken transfers 30d unless given',
        })
        .option('unused', {
          type: 'boolean',
          default: false,
          describe: 'Also models that never had an alias, tag or note, and that none was made from',
        })
        .option('yes', { type: 'boolean', default: false, alias: 'y', describe: 'Remove without a question' })
        .example('$0 client clean-models --dry-run', 'what there is to free')
        .example('$0 client clean-models --keep 1 --older-than 30d --yes', 'in a script'),
    (argv) =>
      invocation.run(argv, async (context) => {
        const { cleanModels } = await import('../../actions/clean-models.ts');
        await cleanModels(context, argv);
      }),
  );
}
