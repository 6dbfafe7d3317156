import type { Invocation } from '../../console/invocation.ts';
import { aliasConflictOption, type CommandParser, safeOnlyOption } from '../common.ts';

export function addImportModelCommand(parser: CommandParser, invocation: Invocation): void {
  parser.command(
    'import-model <path>',
    'Register a model that is on this disk',
    (command) =>
      safeOnlyOption(aliasConflictOption(command), 'Refuse a model that runs code when it is loaded')
        .positional('path', {
          type: 'string',
          demandOption: true,
          describe: "The model's folder, its weights file, or an archive that export-model wrote",
        })
        .option('alias', { type: 'string', describe: "Its alias; without it, the folder's name is offered" })
        .option('model-type', { type: 'string', describe: 'Its type, instead of the one found in its files' })
        .option('if-exists', {
          choices: ['skip', 'overwrite', 'rename'] as const,
          describe: 'When it is here under another alias: leave it, import it anew, or call it as asked [asked]',
        })
        .option('name', { type: 'string', nargs: 1, describe: 'Its name in full, for people' })
        .option('tag', { type: 'string', array: true, nargs: 1, describe: 'A tag; may be given again' })
        .option('notes', { type: 'string', nargs: 1, describe: 'What there is to say of it' })
        .option('parent', { type: 'string', nargs: 1, describe: 'The model here that it was fine-tuned from' })
        .option('copy', { type: 'boolean', default: false, describe: 'Copy the files instead of linking to them' })
        .option('yes', { type: 'boolean', default: false, alias: 'y', describe: 'Ask nothing: take what is offered' })
        .example('$0 client import-model ./runs/mouse --alias good-mouse-v1', 'link a sleap-nn run into the registry')
        .example('$0 client import-model weights.safetensors --copy', 'copy a single file')
        .example('$0 client import-model ./runs/tuned --parent good-mouse-v1 --tag lab --tag mouse', 'with its lineage')
        .example('$0 client import-model /media/usb/mouse.tar', 'take in what export-model wrote'),
    (argv) =>
      invocation.run(argv, async (context) => {
        const { importModel } = await import('../../actions/import-model.ts');
        await importModel(context, argv);
      }),
  );
}
