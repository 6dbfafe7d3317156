import type { Invocation } from '../../console/invocation.ts';
import type { CommandParser } from '../common.ts';
import { refPositional } from '../model-ref.ts';

export function addLineageCommand(parser: CommandParser, invocation: Invocation): void {
  parser.command(
    'lineage <ref>',
    'Show what a model was made from, and what was made from it',
    (command) =>
      refPositional(command).example('$0 client lineage good-mouse-v2', 'parents, the chain of fine-tunings, children'),
    (argv) =>
      invocation.run(argv, async (context) => {
        const { showLineage } = await import('../../actions/lineage.ts');
        await showLineage(context, argv.ref);
      }),
  );
}
