import type { Invocation } from '../../console/invocation.ts';
import type { CommandParser } from '../common.ts';

export function addExportModelCommand(parser: CommandParser, invocation: Invocation): void {
  parser.command(
    'export-model <ref>',
    'Write a model into one tar file, for a machine that no network reaches',
    (command) =>
      command
        .positional('ref', { type: 'string', demandOption: true, describe: 'An id, alias, digest prefix or path' })
        .option('to', {
          type: 'string',
          demandOption: true,
          describe: 'The file to write, such as /media/usb/mouse.tar',
        })
        .option('force', { type: 'boolean', default: false, describe: 'Replace a file that is there, without asking' })
        .example('$0 client export-model good-mouse-v1 --to /media/usb/mouse.tar', 'write it to a USB stick')
        .example('$0 client import-model /media/usb/mouse.tar', 'and take it in on the other machine'),
    (argv) =>
      invocation.run(argv, async (context) => {
        const { exportModel } = await import('../../actions/export-model.ts');
        await exportModel(context, argv);
      }),
  );
}
