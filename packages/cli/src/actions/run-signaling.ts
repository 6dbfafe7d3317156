import { startSignalingServer } from '@model-rtc/signaling';
import type { Context } from '../console/context.ts';
import { untilAborted } from './until-aborted.ts';

export interface RunSignalingOptions {
  readonly host: string;
  readonly port: number;
  readonly publicHost: readonly string[];
}

export async function runSignaling(context: Context, options: RunSignalingOptions): Promise<void> {
  const { host, port, publicHost } = options;
  const server = await startSignalingServer({ host, port, publicHosts: publicHost, log: context.log });
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
