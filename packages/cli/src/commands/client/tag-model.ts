import type { Invocation } from '../../console/invocation.ts';
import type { CommandParser } from '../common.ts';

export function addTagModelCommand(parser: CommandParser, invocation: Invocation): void {
  parser.command(
    'tag-model <ref> <alias>',
    'Give a model on this machine an alias',
    (command) =>
      command
        .positional('ref', { type: 'string', demandOption: true, describe: 'An id, alias, digest prefix or path' })
        .positional('alias', { type: 'string', demandOption: true, describe: 'Its alias from now on' })
        .example('$0 client tag-model 4f1c22ab good-mouse-v2', 'name a model by its id'),
    (argv) =>
      invocation.run(argv, async (context) => {
        const { tagModel } = await import('../../actions/tag-model.ts');
        await tagModel(context, argv.ref, argv.alias);
      }),
  );
}
