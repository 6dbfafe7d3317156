import type { Invocation } from '../../console/invocation.ts';
import { type CommandParser, networkOptions } from '../common.ts';

export function addRepairModelCommand(parser: CommandParser, invocation: Invocation): void {
  parser.command(
    'repair-model <ref>',
    'Make a damaged model whole, or point it to where its files are now',
    (command) =>
      networkOptions(command)
        .positional('ref', { type: 'string', demandOption: true, describe: 'An id, alias, digest prefix or path' })
        .option('path', { type: 'string', describe: 'The folder or file where the same files are now' })
        .option('from', {
          type: 'string',
          describe: 'Fetch the damaged chunks from this worker: a session token, a saved name, or @FILE',
        })
        .conflicts('path', 'from')
        .epilogue('With neither, other models on this machine and kept workers that have it are tried.')
        .example('$0 client repair-model good-mouse-v1 --path /mnt/new/run', 'its files were moved')
        .example('$0 client repair-model good-mouse-v1 --from lab', 'fetch what is damaged'),
    (argv) =>
      invocation.run(argv, async (context) => {
        const { repairModel } = await import('../../actions/repair-model.ts');
        await repairModel(context, argv);
      }),
  );
}
