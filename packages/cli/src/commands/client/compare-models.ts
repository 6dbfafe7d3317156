import type { Invocation } from '../../console/invocation.ts';
import type { CommandParser } from '../common.ts';

export function addCompareModelsCommand(parser: CommandParser, invocation: Invocation): void {
  parser.command(
    'compare-models <refs..>',
    'Show models of this machine side by side: metrics, hyperparameters, tensors, loss curves',
    (command) =>
      command
        .positional('refs', {
          type: 'string',
          array: true,
          demandOption: true,
          describe:
            'Two or more models: ids, aliases, digest prefixes or paths. The tensors of each are compared with the first',
        })
        .option('tensors', {
          type: 'boolean',
          default: true,
          describe: 'Compare the tensors, which may read files; --no-tensors leaves them out',
        })
        .example('$0 client compare-models good-mouse-v1 good-mouse-v2', 'what the fine-tune changed')
        .example('$0 client compare-models run-a run-b run-c --json', 'for a script'),
    (argv) =>
      invocation.run(argv, async (context) => {
        const { compareModels } = await import('../../actions/compare-models.ts');
        await compareModels(context, argv);
      }),
  );
}
