import type { Invocation } from '../../console/invocation.ts';
import type { CommandParser } from '../common.ts';
import { refPositional } from '../model-ref.ts';

export function addDeleteModelCommand(parser: CommandParser, invocation: Invocation): void {
  parser.command(
    'delete-model <ref>',
    'Remove a model from this machine; asks before it deletes files',
    (command) =>
      refPositional(command)
        .option('keep-files', {
          type: 'boolean',
          default: false,
          describe: "Move its files to the data folder's kept/ instead of deleting them",
        })
        .option('yes', { type: 'boolean', default: false, alias: 'y', describe: 'Delete without a question' })
        .example('$0 client delete-model old-mouse', 'shows what goes, and asks')
        .example('$0 client delete-model 4f1c22ab --yes', 'in a script'),
    (argv) =>
      invocation.run(argv, async (context) => {
        const { deleteModel } = await import('../../actions/delete-model.ts');
        await deleteModel(context, argv);
      }),
  );
}
