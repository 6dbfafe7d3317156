import { defineCommand } from '../../../command-line/types.ts';
import { webRtcOptions } from '../../connect.ts';
import { safeOnlyOption } from '../../options.ts';

export const start = defineCommand({
  usage: 'start',
  isDefault: true,
  describe: "Serve this machine's models, and print the session that clients need",
  options: {
    ...webRtcOptions,
    'safe-only': {
      ...safeOnlyOption['safe-only'],
      describe: 'Refuse pushed models that run code when they are loaded',
    },
    signaling: {
      type: 'string',
      array: true,
      default: [],
      describe: 'A signaling server, ws:// or wss://; without one, the worker starts its own',
    },
    port: {
      type: 'number',
      describe: "The port of the worker's own signaling server [the last one used, else 8787, else a free one]",
    },
    direct: {
      type: 'boolean',
      default: true,
      describe: 'Let clients that can reach this machine connect to it directly; --no-direct forbids it',
    },
    'direct-port': { type: 'string', describe: 'The port for direct connections; 0 for a free one [0]' },
    advertise: {
      type: 'string',
      array: true,
      default: [],
      describe: "HOST:PORT where clients reach the direct port, instead of this machine's addresses",
    },
    name: { type: 'string', describe: "The name that clients see [this machine's name]" },
    'token-file': { type: 'string', describe: 'Also write the session to this file, mode 0600', completes: 'files' },
    watch: {
      type: 'string',
      array: true,
      default: [],
      describe: 'A folder whose models are registered as they appear, trainings as they progress',
      completes: 'folders',
    },
    'read-only-store': {
      type: 'string',
      array: true,
      default: [],
      describe: "Another tool's folder whose models are served in place: a Hugging Face cache, a folder of weights",
      completes: 'folders',
    },
    'interrupted-after': {
      type: 'string',
      describe: 'How long a training may write nothing before it counts as interrupted [10m]',
    },
  },
  examples: [
    ['$0 worker', 'serve, with a signaling server of its own'],
    ['$0 worker --signaling wss://signal.lab.example --token-file session.txt', 'use a shared signaling server'],
    ['$0 worker --direct-port 7000 --advertise gpu.lab.example:7000', 'behind a router that forwards a port'],
    ['$0 worker --watch runs --read-only-store ~/.cache/huggingface', 'also serve the models found there'],
  ],
  async run(context, options) {
    const { runWorker } = await import('./run.ts');
    await runWorker(context, options);
  },
});
