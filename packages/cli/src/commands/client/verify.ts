import type { Invocation } from '../../console/invocation.ts';
import { type CommandParser, networkOptions } from '../common.ts';

export function addVerifyCommand(parser: CommandParser, invocation: Invocation): void {
  parser.command(
    'verify [refs..]',
    'Check that models are whole, byte by byte; exits 6 when one is damaged',
    (command) =>
      networkOptions(command)
        .positional('refs', {
          type: 'string',
          array: true,
          default: [] as string[],
          describe: 'Ids, aliases, digest prefixes or paths; all models, and what belongs to none, without',
        })
        .option('quick', { type: 'boolean', default: false, describe: 'Look at sizes and times only; read no bytes' })
        .option('repair', {
          type: 'boolean',
          default: false,
          describe: 'Repair what is damaged, from other models and from kept workers that have it',
        })
        .example('$0 client verify', 'all models, and orphans in the data folder')
        .example('$0 client verify good-mouse-v1 --repair', 'one, and make it whole'),
    (argv) =>
      invocation.run(argv, async (context) => {
        const { verifyModels } = await import('../../actions/verify-models.ts');
        await verifyModels(context, argv);
      }),
  );
}
