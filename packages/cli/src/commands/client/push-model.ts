import type { Invocation } from '../../console/invocation.ts';
import { aliasConflictOption, type CommandParser, IF_EXISTS_CHOICES, workerOptions } from '../common.ts';
import { speedOptions } from '../speed-options.ts';

export function addPushModelCommand(parser: CommandParser, invocation: Invocation): void {
  parser.command(
    'push-model <ref>',
    'Send a model of this machine to a worker',
    (command) =>
      aliasConflictOption(speedOptions(workerOptions(command)))
        .positional('ref', { type: 'string', demandOption: true, describe: 'An id, alias, digest prefix or path' })
        .option('alias', {
          type: 'string',
          describe: 'Its alias at the worker; without it, the one it has there, else the one it has here',
        })
        .option('if-exists', {
          choices: IF_EXISTS_CHOICES,
          default: 'skip' as const,
          describe: 'When it is there: leave it, or verify and repair it (and take over its alias)',
        })
        .option('dry-run', { type: 'boolean', default: false, describe: 'Say how much would move, and move nothing' })
        .example('$0 client push-model legacy-rat --worker lab', 'to a saved worker')
        .example(
          '$0 client push-model mouse --worker lab --alias-conflict rename',
          'as "mouse-2" if "mouse" is taken there',
        ),
    (argv) =>
      invocation.run(argv, async (context) => {
        const { pushModel } = await import('../../actions/transfer-model.ts');
        await pushModel(context, { ...argv, session: argv.worker });
      }),
  );
}
