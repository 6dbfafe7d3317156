import type { Invocation } from '../../console/invocation.ts';
import type { CommandParser } from '../common.ts';

/** The sessions that this machine's worker gave out. */
export function addSessionsCommands(parser: CommandParser, invocation: Invocation): void {
  parser.command('sessions', "List, create and revoke this machine's sessions", (sessions) => {
    sessions.command(
      'list',
      'List the sessions; their secrets are not shown',
      (command) => command.example('$0 worker sessions list', 'key id, name, scopes, expiry and state'),
      (argv) =>
        invocation.run(argv, async (context) => {
          const { listSessions } = await import('../../actions/sessions.ts');
          await listSessions(context);
        }),
    );
    sessions.command(
      'create',
      'Create a session and print its token',
      (command) =>
        command
          .option('scope', { type: 'string', default: 'read', describe: 'What it allows, of read,write,track' })
          .option('expires', {
            type: 'string',
            default: '30d',
            describe: 'How long it is good for, e.g. 12h, 7d, or never',
          })
          .option('name', { type: 'string', describe: 'A name to revoke it by' })
          .option('signaling', {
            type: 'string',
            array: true,
            default: [] as string[],
            describe: 'Where the worker waits, instead of where it was last',
          })
          .option('token-file', {
            type: 'string',
            describe: 'Write the token to this file, mode 0600, instead of printing it',
          })
          .example('$0 worker sessions create --scope read --expires 7d --name reviewers', 'read only, for a week'),
      (argv) =>
        invocation.run(argv, async (context) => {
          const { createSession } = await import('../../actions/sessions.ts');
          await createSession(context, argv);
        }),
    );
    sessions.command(
      'revoke <session>',
      'End a session for everyone who holds it',
      (command) =>
        command
          .positional('session', { type: 'string', demandOption: true, describe: 'Its key id or name' })
          .example('$0 worker sessions revoke reviewers', 'also closes the connections it opened'),
      (argv) =>
        invocation.run(argv, async (context) => {
          const { revokeSession } = await import('../../actions/sessions.ts');
          await revokeSession(context, argv.session);
        }),
    );
    return sessions
      .demandCommand(1, 'Say what to do, for example: model-rtc worker sessions list.')
      .example('$0 worker sessions create --scope read --expires 7d', 'read only, for a week')
      .strictCommands()
      .strict()
      .recommendCommands();
  });
}
