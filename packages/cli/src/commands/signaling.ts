import type { Invocation } from '../console/invocation.ts';
import type { CommandParser } from './common.ts';

export function addSignalingCommand(parser: CommandParser, invocation: Invocation): void {
  parser.command(
    'signaling',
    'Run a signaling server, where workers and clients find each other',
    (command) =>
      command
        .option('host', { type: 'string', default: '0.0.0.0', describe: 'The address to listen on' })
        .option('port', { type: 'number', default: 8787, describe: 'The port to listen on; 0 for a free one' })
        .option('public-host', {
          type: 'string',
          array: true,
          default: [] as string[],
          describe: 'Another HOST[:PORT] by which workers that use several servers dial this one',
        })
        .option('relay', {
          choices: ['on', 'off'] as const,
          default: 'on' as const,
          describe: 'Whether agents that reach each other in no other way may send models through this server',
        })
        .option('relay-rate', { type: 'string', describe: 'The most that one pair may relay a second, e.g. 20MB' })
        .option('relay-total', { type: 'string', describe: 'The most that all pairs together may relay a second' })
        .example('$0 signaling --port 8787', 'then: model-rtc worker --signaling ws://THIS-HOST:8787'),
    (argv) =>
      invocation.run(argv, async (context) => {
        const { runSignaling } = await import('../actions/run-signaling.ts');
        await runSignaling(context, argv);
      }),
  );
}
