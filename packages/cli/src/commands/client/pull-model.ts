import type { Invocation } from '../../console/invocation.ts';
import {
  aliasConflictOption,
  type CommandParser,
  IF_EXISTS_CHOICES,
  networkOptions,
  safeOnlyOption,
} from '../common.ts';
import { speedOptions } from '../speed-options.ts';

export function addPullModelCommand(parser: CommandParser, invocation: Invocation): void {
  parser.command(
    'pull-model <ref>',
    'Fetch a model from one or more workers to this machine',
    (command) =>
      safeOnlyOption(
        aliasConflictOption(speedOptions(networkOptions(command))),
        'Refuse a model that runs code when it is loaded',
      )
        .positional('ref', {
          type: 'string',
          demandOption: true,
          describe: 'An id, alias or digest prefix at the worker, else on this machine',
        })
        // No array: that would take REF for one more session.
        .option('worker', {
          type: 'string',
          alias: 'session',
          // A set, since an array is what yargs makes of an option that may be given once.
          coerce: (given: string | string[] | undefined) => new Set([given ?? []].flat()),
          describe:
            'A session: a token, a saved name, or @FILE (else MODEL_RTC_SESSION); once for each worker that the model is taken from',
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
        .option('dry-run', { type: 'boolean', default: false, describe: 'Say how much would move, and move nothing' })
        .example('$0 client pull-model good-mouse-v1 --worker lab', 'from a saved worker')
        .example('$0 client pull-model good-mouse-v1 --worker lab --worker gpu', 'from both at once')
        .example('$0 client pull-model 4f1c22ab --worker @session.txt', 'by id, with a token from a file')
        .example(
          '$0 client pull-model mouse --worker lab --alias-conflict overwrite',
          'the new "mouse" in place of the old',
        ),
    (argv) =>
      invocation.run(argv, async (context) => {
        const { pullModel } = await import('../../actions/transfer-model.ts');
        await pullModel(context, { ...argv, worker: [...(argv.worker ?? [])] });
      }),
  );
}
