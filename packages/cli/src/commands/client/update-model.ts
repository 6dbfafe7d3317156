import type { Invocation } from '../../console/invocation.ts';
import type { CommandParser } from '../common.ts';
import { refPositional } from '../model-ref.ts';

export function addUpdateModelCommand(parser: CommandParser, invocation: Invocation): void {
  parser.command(
    'update-model <ref>',
    'Change the notes and tags of a model on this machine',
    (command) =>
      refPositional(command)
        .option('notes', { type: 'string', nargs: 1, describe: 'Its notes from now on; "" removes them' })
        .option('add-tag', { type: 'string', array: true, nargs: 1, describe: 'A tag to add; may be given again' })
        .option('remove-tag', { type: 'string', array: true, nargs: 1, describe: 'A tag to remove' })
        .option('clear-tags', { type: 'boolean', default: false, describe: 'Remove all tags first' })
        .example('$0 client update-model good-mouse-v1 --notes "cage 4, 30 Hz" --add-tag mouse', 'note and tag')
        .example('$0 client update-model 4f1c22ab --clear-tags --add-tag final', 'replace all tags'),
    (argv) =>
      invocation.run(argv, async (context) => {
        const { updateModel } = await import('../../actions/update-model.ts');
        await updateModel(context, argv);
      }),
  );
}
