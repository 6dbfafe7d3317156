import type { Invocation } from '../../console/invocation.ts';
import type { CommandParser } from '../common.ts';

export function addRollbackCommand(parser: CommandParser, invocation: Invocation): void {
  parser.command(
    'rollback <alias>',
    'Give an alias back to the model that had it before',
    (command) =>
      command
        .positional('alias', { type: 'string', demandOption: true, describe: 'The alias' })
        .option('to', { type: 'string', describe: 'Another model that had it once; see: client history ALIAS' })
        .example('$0 client rollback good-mouse', 'to the version before; a second time is forth again')
        .example('$0 client rollback good-mouse --to 4f1c22ab', 'to an earlier one'),
    (argv) =>
      invocation.run(argv, async (context) => {
        const { rollback } = await import('../../actions/alias-history.ts');
        await rollback(context, argv);
      }),
  );
}
