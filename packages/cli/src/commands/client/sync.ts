import type { Invocation } from '../../console/invocation.ts';
import { type CommandParser, networkOptions } from '../common.ts';

export function addSyncCommand(parser: CommandParser, invocation: Invocation): void {
  parser.command(
    'sync',
    'Ask workers what they have, and keep it for list-models and model-info',
    (command) =>
      networkOptions(command)
        .option('worker', {
          type: 'string',
          array: true,
          default: [] as string[],
          alias: 'session',
          describe: 'A worker: a token, a saved name, or @FILE (else MODEL_RTC_SESSION); once for each',
        })
        .option('all', { type: 'boolean', default: false, describe: 'All saved workers' })
        .example('$0 client sync --all', 'every saved worker')
        .example('$0 client sync --worker lab --worker @session.txt', 'two of them'),
    (argv) =>
      invocation.run(argv, async (context) => {
        const { syncWorkers } = await import('../../actions/sync-workers.ts');
        await syncWorkers(context, argv);
      }),
  );
}
