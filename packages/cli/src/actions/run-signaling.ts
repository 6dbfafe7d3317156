import { ModelRtcError } from '@model-rtc/protocol';
import { type SignalingServerOptions, startSignalingServer } from '@model-rtc/signaling';
import type { Context } from '../console/context.ts';
import { parseRate } from '../console/parse-rate.ts';
import { untilAborted } from './until-aborted.ts';

export interface RunSignalingOptions {
  readonly host: string;
  readonly port: number;
  readonly publicHost: readonly string[];
  readonly relay: 'on' | 'off';
  readonly relayRate?: string | undefined;
  readonly relayTotal?: string | undefined;
}

export async function runSignaling(context: Context, options: RunSignalingOptions): Promise<void> {
  const { host, port, publicHost } = options;
  const server = await startSignalingServer({
    host,
    port,
    publicHosts: publicHost,
    relay: relayOf(options),
    log: context.log,
  });
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
}

/** @throws ModelRtcError `bad_argument` for a rate that is none, or one of a relay that is off. */
function relayOf({ relay, relayRate, relayTotal }: RunSignalingOptions): SignalingServerOptions['relay'] {
  if (relay === 'on') {
    return {
      bytesPerSecondPerPair: relayRate === undefined ? undefined : parseRate(relayRate, '--relay-rate'),
      bytesPerSecond: relayTotal === undefined ? undefined : parseRate(relayTotal, '--relay-total'),
    };
  }
  if (relayRate === undefined && relayTotal === undefined) return 'off';
  throw new ModelRtcError('bad_argument', '--relay off relays nothing; leave out --relay-rate and --relay-total.');
}
