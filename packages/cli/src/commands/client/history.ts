import type { Invocation } from '../../console/invocation.ts';
import type { CommandParser } from '../common.ts';

export function addHistoryCommand(parser: CommandParser, invocation: Invocation): void {
  parser.command(
    'history <ref>',
    'Show which models an alias named, and when',
    (command) =>
      command
        .positional('ref', { type: 'string', demandOption: true, describe: 'An alias, or a model that has or had one' })
        .example('$0 client history good-mouse', 'newest first'),
    (argv) =>
      invocation.run(argv, async (context) => {
        const { showHistory } = await import('../../actions/alias-history.ts');
        await showHistory(context, argv.ref);
      }),
  );
}
