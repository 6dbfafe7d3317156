import type { Invocation } from '../../console/invocation.ts';
import type { CommandParser } from '../common.ts';

export function addImportModelCommand(parser: CommandParser, invocation: Invocation): void {
  parser.command(
    'import-model <path>',
    'Register a model that is on this disk',
    (command) =>
      command
        .positional('path', {
          type: 'string',
          demandOption: true,
          describe: "The model's folder, its weights file, or an archive that export-model wrote",
        })
        .option('alias', { type: 'string', describe: "Its alias; without it, the folder's name is offered" })
        .option('model-type', { type: 'string', describe: 'Its type, instead of the one found in its files' })
        .option('copy', { type: 'boolean', default: false, describe: 'Copy the files instead of linking to them' })
        .option('yes', { type: 'boolean', default: false, alias: 'y', describe: 'Ask nothing: take what is offered' })
        .example('$0 client import-model ./runs/mouse --alias good-mouse-v1', 'link a sleap-nn run into the registry')
        .example('$0 client import-model weights.safetensors --copy', 'copy a single file')
        .example('$0 client import-model /media/usb/mouse.tar', 'take in what export-model wrote'),
    (argv) =>
      invocation.run(argv, async (context) => {
        const { importModel } = await import('../../actions/import-model.ts');
        await importModel(context, argv);
      }),
  );
}
