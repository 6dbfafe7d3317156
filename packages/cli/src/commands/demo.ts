import type { Invocation } from '../console/invocation.ts';
import type { CommandParser } from './common.ts';

export function addDemoCommand(parser: CommandParser, invocation: Invocation): void {
  parser.command(
    'demo',
    'Move a model between two agents on this machine, with every command as its own process',
    (command) =>
      command
        .option('model', { type: 'string', describe: 'A model of your own: a folder or a weights file' })
        .example('$0 demo --model ./runs/mouse', 'with your own model'),
    (argv) =>
      invocation.run(argv, async (context) => {
        const { runDemo } = await import('../demo/run-demo.ts');
        await runDemo(context, argv.model);
      }),
  );
}
