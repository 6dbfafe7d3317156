import type { Invocation } from '../../console/invocation.ts';
import type { CommandParser } from '../common.ts';

export function addUntagModelCommand(parser: CommandParser, invocation: Invocation): void {
  parser.command(
    'untag-model <alias>',
    'Take an alias away; the model stays',
    (command) =>
      command
        .positional('alias', { type: 'string', demandOption: true, describe: 'The alias, exactly' })
        .example('$0 client untag-model good-mouse-v1', 'its model keeps its id'),
    (argv) =>
      invocation.run(argv, async (context) => {
        const { untagModel } = await import('../../actions/tag-model.ts');
        await untagModel(context, argv.alias);
      }),
  );
}
