import { ModelRtcError } from '@model-rtc/protocol';
import type { SignalingServerOptions } from '@model-rtc/signaling';
import { defineCommand, textOption, textsOption } from '../command-line/types.ts';
import { parseRate } from '../console/quantities.ts';
import { untilAborted } from '../console/runtime.ts';

export const signaling = defineCommand({
  usage: 'signaling',
  describe: 'Run a signaling server, where workers and clients find each other',
  options: {
    host: textOption('The address to listen on', { default: '0.0.0.0' }),
    port: { type: 'number', default: 8787, describe: 'The port to listen on; 0 for a free one' },
    'public-host': textsOption('Another HOST[:PORT] that workers with several signaling servers use for this one'),
    relay: {
      choices: ['on', 'off'],
      default: 'on',
      describe: 'Whether agents that cannot connect in any other way may send models through this server',
    },
    'relay-rate': textOption('The most that one pair may relay per second, e.g. 20MB'),
    'relay-total': textOption('The most that all pairs together may relay per second'),
  },
  examples: [['$0 signaling --port 8787', 'then: model-rtc worker --signaling ws://THIS-HOST:8787']],
  async run(context, options) {
    const { host, port, publicHost } = options;
    const { startSignalingServer } = await import('@model-rtc/signaling');
    const relay = relayOf(options);
    const server = await startSignalingServer({ host, port, publicHosts: publicHost, relay, log: context.log });
    const shown = host.includes(':') ? `[${host}]` : host;
    context.output.result({ host, port: server.port }, `Signaling server listening on ws://${shown}:${server.port}`);
    context.output.note(
      `Workers use it with: model-rtc worker --signaling ws://THIS-HOST:${server.port}   (Ctrl+C stops it)`,
    );
    try {
      await untilAborted(context.signal);
    } finally {
      await server.close();
    }
  },
});

interface RelayFlags {
  readonly relay: 'on' | 'off';
  readonly relayRate?: string | undefined;
  readonly relayTotal?: string | undefined;
}

/** @throws ModelRtcError `bad_argument` for a rate that is not valid, or limits of a relay that is off. */
function relayOf({ relay, relayRate, relayTotal }: RelayFlags): SignalingServerOptions['relay'] {
  if (relay === 'on') {
    return {
      bytesPerSecondPerPair: relayRate === undefined ? undefined : parseRate(relayRate, '--relay-rate'),
      bytesPerSecond: relayTotal === undefined ? undefined : parseRate(relayTotal, '--relay-total'),
    };
  }
  if (relayRate === undefined && relayTotal === undefined) return 'off';
  throw new ModelRtcError('bad_argument', '--relay off relays nothing. Remove --relay-rate and --relay-total.');
}
