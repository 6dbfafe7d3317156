import type { Invocation } from '../../console/invocation.ts';
import { type CommandParser, safeOnlyOption, webRtcOptions } from '../common.ts';

export function addStartCommand(parser: CommandParser, invocation: Invocation): void {
  parser.command(
    ['$0', 'start'],
    "Start the worker of this machine's registry and print its session",
    (command) =>
      safeOnlyOption(webRtcOptions(command), 'Take no pushed model that runs code when it is loaded')
        .option('signaling', {
          type: 'string',
          array: true,
          default: [] as string[],
          describe: 'A signaling server, ws:// or wss://; without one, the worker starts its own',
        })
        .option('port', {
          type: 'number',
          describe: "The own signaling server's port [that of last time, else 8787, else a free one]",
        })
        .option('direct', {
          type: 'boolean',
          default: true,
          describe: 'Let clients that can reach this machine connect to a port of it; --no-direct does not',
        })
        .option('direct-port', { type: 'string', describe: 'The port for direct connections; 0 for a free one [0]' })
        .option('advertise', {
          type: 'string',
          array: true,
          default: [] as string[],
          describe: "HOST:PORT where clients reach the direct port, in place of this machine's addresses",
        })
        .option('name', { type: 'string', describe: "What clients see it as [this machine's name]" })
        .option('token-file', { type: 'string', describe: 'Also write the session to this file, mode 0600' })
        .option('watch', {
          type: 'string',
          array: true,
          default: [] as string[],
          describe: 'A folder whose models are registered as they appear, trainings as they go on',
        })
        .option('read-only-store', {
          type: 'string',
          array: true,
          default: [] as string[],
          describe: "Another tool's folder whose models are served in place: a Hugging Face cache, a folder of weights",
        })
        .option('interrupted-after', {
          type: 'string',
          describe: 'A training that writes nothing for so long counts as interrupted [10m]',
        })
        .example('$0 worker', 'serve, with a signaling server of its own')
        .example('$0 worker --signaling wss://signal.lab.example --token-file session.txt', 'wait at a shared server')
        .example(
          '$0 worker --direct-port 7000 --advertise gpu.lab.example:7000',
          'behind a router that forwards a port',
        )
        .example('$0 worker --watch runs --read-only-store ~/.cache/huggingface', 'serve what is found there, too'),
    (argv) =>
      invocation.run(argv, async (context) => {
        const { runWorker } = await import('../../actions/run-worker.ts');
        await runWorker(context, argv);
      }),
  );
}
