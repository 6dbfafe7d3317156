import type { Invocation } from '../../console/invocation.ts';
import type { CommandParser } from '../common.ts';

/** The sessions that this machine keeps under names of its own. */
export function addWorkersCommands(parser: CommandParser, invocation: Invocation): void {
  parser.command('workers', 'Keep sessions under a name', (workers) => {
    workers.command(
      'add <name> [session]',
      'Keep a session; its name is accepted wherever a session is',
      (command) =>
        command
          .positional('name', { type: 'string', demandOption: true, describe: 'Its name here' })
          .positional('session', { type: 'string', describe: 'A token or @FILE (else MODEL_RTC_SESSION)' })
          .example('$0 client workers add lab @session.txt', 'keep a session as "lab"'),
      (argv) =>
        invocation.run(argv, async (context) => {
          const { addWorker } = await import('../../actions/saved-workers.ts');
          await addWorker(context, argv.name, argv.session);
        }),
    );
    workers.command(
      'list',
      'List the kept sessions; their secrets are not shown',
      (command) => command.example('$0 client workers list', 'name, addresses, scopes and expiry'),
      (argv) =>
        invocation.run(argv, async (context) => {
          const { listWorkers } = await import('../../actions/saved-workers.ts');
          await listWorkers(context);
        }),
    );
    workers.command(
      'remove <name>',
      'Forget a kept session',
      (command) =>
        command
          .positional('name', { type: 'string', demandOption: true, describe: 'Its name here' })
          .example('$0 client workers remove lab', 'forget "lab"; the session itself stays valid'),
      (argv) =>
        invocation.run(argv, async (context) => {
          const { removeWorker } = await import('../../actions/saved-workers.ts');
          await removeWorker(context, argv.name);
        }),
    );
    return workers
      .demandCommand(1, 'Say what to do, for example: model-rtc client workers list.')
      .example('$0 client workers add lab @session.txt', 'keep a session as "lab"')
      .strictCommands()
      .strict()
      .recommendCommands();
  });
}
