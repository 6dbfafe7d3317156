import type { Invocation } from '../../console/invocation.ts';
import { type CommandParser, workerOptions } from '../common.ts';

export function addModelInfoCommand(parser: CommandParser, invocation: Invocation): void {
  parser.command(
    'model-info <ref>',
    'Show everything known of a model, on this machine or at a worker',
    (command) =>
      workerOptions(command)
        .positional('ref', { type: 'string', demandOption: true, describe: 'An id, alias, digest prefix or path' })
        .example('$0 client model-info good-mouse-v1', 'by its alias')
        .example('$0 client model-info good-mouse-v1 --worker lab', 'as a saved worker has it now'),
    (argv) =>
      invocation.run(argv, async (context) => {
        const { modelInfo } = await import('../../actions/model-info.ts');
        await modelInfo(context, { ...argv, session: argv.worker });
      }),
  );
}
