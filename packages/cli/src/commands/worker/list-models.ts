import type { Invocation } from '../../console/invocation.ts';
import { type CommandParser, listOptions, workerOptions } from '../common.ts';

export function addWorkerListModelsCommand(parser: CommandParser, invocation: Invocation): void {
  parser.command(
    'list-models',
    'List the models that a worker has',
    (command) =>
      listOptions(workerOptions(command, 'session')).example(
        '$0 worker list-models --session lab',
        'of a saved worker',
      ),
    (argv) =>
      invocation.run(argv, async (context) => {
        const { listWorkerModels } = await import('../../actions/list-models.ts');
        await listWorkerModels(context, argv);
      }),
  );
}
