import { hostname } from 'node:os';
import type { RunningBridge } from '@model-rtc/bridge';
import { ModelRtcError } from '@model-rtc/protocol';
import { textOption } from '../../command-line/types.ts';
import type { Context } from '../../console/context.ts';
import { type BridgeMeshFlags, openBridgeMeshes } from './bridge-meshes.ts';

export const httpOptions = {
  'http-port': textOption(
    'Also serve the models over HTTP at this port, such as 14345, for tools that speak HTTP only; 0 for a free one [off]',
    { env: 'MODEL_BRIDGE_HTTP_PORT' },
  ),
  'http-host': textOption('The address of the HTTP bridge; others than loopback need --http-token-file [127.0.0.1]'),
  'http-token-file': textOption(
    'Answer only HTTP requests with the bearer token in this file; it is made, mode 0600, if it does not exist',
    { completes: 'files' },
  ),
} as const;

interface HttpFlags {
  readonly httpPort?: string | undefined;
  readonly httpHost?: string | undefined;
  readonly httpTokenFile?: string | undefined;
}

const MAX_PORT = 65_535;

/**
 * Starts the HTTP bridge where a port is given for it.
 * @throws ModelRtcError `bad_argument`, `network` when the port is taken, `storage` for the token's file
 */
export async function startHttpBridge(
  context: Context,
  flags: HttpFlags & BridgeMeshFlags,
): Promise<RunningBridge | undefined> {
  const port = bridgePort(flags, context.runtime.env.MODEL_BRIDGE_HTTP_PORT);
  if (port === undefined) return undefined;
  const { loadToken, startBridge } = await import('@model-rtc/bridge');
  const token = flags.httpTokenFile === undefined ? undefined : await loadToken(flags.httpTokenFile);
  const { remote, ...meshes } = await openBridgeMeshes(context, flags);
  const started = startBridge({
    ...{ registry: await context.registry(), remote, port, host: flags.httpHost, token, log: context.log },
  });
  const bridge = await started.catch(async (error: unknown) => {
    await meshes[Symbol.asyncDispose]();
    throw error;
  });
  const close = async (): Promise<void> => {
    await bridge.close();
    await meshes[Symbol.asyncDispose]();
  };
  return { ...bridge, close, [Symbol.asyncDispose]: close };
}

/** @throws ModelRtcError `bad_argument` */
export function bridgePort(
  { httpPort, httpHost, httpTokenFile }: HttpFlags,
  fromEnvironment: string | undefined,
): number | undefined {
  const text = httpPort ?? (fromEnvironment === '' ? undefined : fromEnvironment);
  if (text === undefined) {
    if (httpHost === undefined && httpTokenFile === undefined) return undefined;
    throw new ModelRtcError('bad_argument', '--http-host and --http-token-file need --http-port. Add it.');
  }
  if (/^\d{1,5}$/.test(text) && Number(text) <= MAX_PORT) return Number(text);
  const name = httpPort === undefined ? 'MODEL_BRIDGE_HTTP_PORT' : '--http-port';
  throw new ModelRtcError(
    'bad_argument',
    `${name} takes a number from 1 to ${MAX_PORT}, or 0 for any that is free, not "${text}".`,
  );
}

/** What a person can do with the bridge now. */
export function bridgeLines({ url: address }: RunningBridge, tokenFile: string | undefined): string[] {
  // All addresses: others know this machine by its name.
  const url = address.replace(/\/\/(?:0\.0\.0\.0|\[::\])(?=:)/, `//${hostname()}`);
  const header = tokenFile === undefined ? '' : ` -H "Authorization: Bearer $(cat ${tokenFile})"`;
  return [
    `Serving the models over HTTP at ${url}. Try it:`,
    `  curl${header} ${url}/v1/models`,
    `  HF_ENDPOINT=${url}/hf hf download ORG/NAME`,
  ];
}
