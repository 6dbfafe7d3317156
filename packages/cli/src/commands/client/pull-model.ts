import type { Invocation } from '../../console/invocation.ts';
import { type CommandParser, IF_EXISTS_CHOICES, workerOptions } from '../common.ts';

export function addPullModelCommand(parser: CommandParser, invocation: Invocation): void {
  parser.command(
    'pull-model <ref>',
    'Fetch a model from a worker to this machine',
    (command) =>
      workerOptions(command)
        .positional('ref', {
          type: 'string',
          demandOption: true,
          describe: 'An id, alias or digest prefix at the worker',
        })
        .option('alias', {
          type: 'string',
          describe: 'Its alias here; without it, the one it has here, else the one it has at the worker',
        })
        .option('if-exists', {
          choices: IF_EXISTS_CHOICES,
          default: 'skip' as const,
          describe: 'When it is there, or its alias is taken: leave it, or repair it and take the alias over',
        })
        .example('$0 client pull-model good-mouse-v1 --worker lab', 'from a saved worker')
        .example('$0 client pull-model 4f1c22ab --worker @session.txt', 'by id, with a token from a file'),
    (argv) =>
      invocation.run(argv, async (context) => {
        const { pullModel } = await import('../../actions/transfer-model.ts');
        await pullModel(context, { ...argv, session: argv.worker });
      }),
  );
}
