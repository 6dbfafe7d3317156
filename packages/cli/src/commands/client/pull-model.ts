import type { Invocation } from '../../console/invocation.ts';
import {
  aliasConflictOption,
  type CommandParser,
  IF_EXISTS_CHOICES,
  safeOnlyOption,
  workerOptions,
} from '../common.ts';

export function addPullModelCommand(parser: CommandParser, invocation: Invocation): void {
  parser.command(
    'pull-model <ref>',
    'Fetch a model from a worker to this machine',
    (command) =>
      safeOnlyOption(aliasConflictOption(workerOptions(command)), 'Refuse a model that runs code when it is loaded')
        .positional('ref', {
          type: 'string',
          demandOption: true,
          describe: 'An id, alias or digest prefix at the worker, else on this machine',
        })
        .option('alias', {
          type: 'string',
          describe: 'Its alias here; without it, the one it has here, else the one it has at the worker',
        })
        .option('if-exists', {
          choices: IF_EXISTS_CHOICES,
          default: 'skip' as const,
          describe: 'When it is there: leave it, or verify and repair it (and take over its alias)',
        })
        .example('$0 client pull-model good-mouse-v1 --worker lab', 'from a saved worker')
        .example('$0 client pull-model 4f1c22ab --worker @session.txt', 'by id, with a token from a file')
        .example(
          '$0 client pull-model mouse --worker lab --alias-conflict overwrite',
          'the new "mouse" in place of the old',
        ),
    (argv) =>
      invocation.run(argv, async (context) => {
        const { pullModel } = await import('../../actions/transfer-model.ts');
        await pullModel(context, { ...argv, session: argv.worker });
      }),
  );
}
