import type { Invocation } from '../../console/invocation.ts';
import { type CommandParser, listOptions, networkOptions } from '../common.ts';

export function addListModelsCommand(parser: CommandParser, invocation: Invocation): void {
  parser.command(
    'list-models',
    'List the models on this machine, or those that workers were last seen to have',
    (command) =>
      networkOptions(listOptions(command))
        .option('worker', {
          type: 'string',
          array: true,
          default: [] as string[],
          alias: 'session',
          describe: 'Only models of this worker, as it was last seen: a token, a saved name, or @FILE',
        })
        .example('$0 client list-models --sort-by size', 'the largest first')
        .example('$0 client list-models --worker lab --location both', 'what is both here and at a saved worker')
        .example("$0 client list-models --alias 'mouse-*' --json", 'for a script'),
    (argv) =>
      invocation.run(argv, async (context) => {
        const { listClientModels } = await import('../../actions/list-models.ts');
        await listClientModels(context, argv);
      }),
  );
}
