import type { Invocation } from '../../console/invocation.ts';
import { type CommandParser, listOptions } from '../common.ts';

export function addListModelsCommand(parser: CommandParser, invocation: Invocation): void {
  parser.command(
    'list-models',
    'List the models on this machine',
    (command) =>
      listOptions(command)
        .example('$0 client list-models --sort-by size', 'the largest first')
        .example("$0 client list-models --alias 'mouse-*' --json", 'for a script'),
    (argv) =>
      invocation.run(argv, async (context) => {
        const { listLocalModels } = await import('../../actions/list-models.ts');
        await listLocalModels(context, argv);
      }),
  );
}
