import type { Invocation } from '../../console/invocation.ts';
import type { CommandParser } from '../common.ts';
import { refPositional } from '../model-ref.ts';

export function addTagModelCommand(parser: CommandParser, invocation: Invocation): void {
  parser.command(
    'tag-model <ref> <alias>',
    'Give a model on this machine an alias',
    (command) =>
      refPositional(command)
        .positional('alias', { type: 'string', demandOption: true, describe: 'Its alias from now on' })
        .option('force', {
          type: 'boolean',
          default: false,
          describe: 'Take the alias from the model that has it; the history remembers',
        })
        .example('$0 client tag-model 4f1c22ab good-mouse-v2', 'name a model by its id')
        .example('$0 client tag-model 4f1c22ab good-mouse --force', 'move an alias to a newer model'),
    (argv) =>
      invocation.run(argv, async (context) => {
        const { tagModel } = await import('../../actions/tag-model.ts');
        await tagModel(context, argv);
      }),
  );
}
