import { hostname } from 'node:os';
import type { RunningBridge } from '@model-rtc/bridge';
import { ModelRtcError } from '@model-rtc/protocol';
import { textOption } from '../../command-line/types.ts';
import type { Context } from '../../console/context.ts';
import { fromEnvironment, nodeId, variableNames } from '../../console/environment.ts';
import { nodeName } from '../mesh/options.ts';
import { type BridgeMeshFlags, openBridgeMeshes } from './bridge-meshes.ts';

export const httpOptions = {
  'http-port': textOption(
    'Also serve the models over HTTP at this port, such as 14345, for tools that speak HTTP only; 0 for a free one [off]',
    { env: variableNames('httpPort') },
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
 * @param port - as `bridgePort` gave it, before anything was started
 * @throws ModelRtcError `bad_argument`, `network` when the port is taken, `storage` for the token's file
 */
export async function startHttpBridge(
  context: Context,
  flags: HttpFlags & BridgeMeshFlags,
  port: number | undefined,
): Promise<RunningBridge | undefined> {
  if (port === undefined) return undefined;
  const { loadToken, startBridge } = await import('@model-rtc/bridge');
  const token = flags.httpTokenFile === undefined ? undefined : await loadToken(flags.httpTokenFile);
  const { remote, ...meshes } = await openBridgeMeshes(context, flags);
  const registry = await context.registry();
  const started = startBridge({
    ...{ registry, remote, port, host: flags.httpHost, token, log: context.log },
    self: {
      key: await ownKey(registry.paths.keys),
      name: await nodeName(context),
      id: nodeId(context.runtime.env),
    },
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

async function ownKey(folder: string): Promise<string> {
  const { loadIdentity } = await import('@model-rtc/registry');
  return Buffer.from((await loadIdentity(folder)).publicKey).toString('hex');
}

/** @throws ModelRtcError `bad_argument` */
export function bridgePort(
  { httpPort, httpHost, httpTokenFile }: HttpFlags,
  env: Readonly<Record<string, string | undefined>>,
): number | undefined {
  const given = httpPort === undefined ? fromEnvironment(env, 'httpPort') : { name: '--http-port', text: httpPort };
  if (given === undefined) {
    if (httpHost === undefined && httpTokenFile === undefined) return undefined;
    throw new ModelRtcError('bad_argument', '--http-host and --http-token-file need --http-port. Add it.');
  }
  const { name, text } = given;
  if (/^\d{1,5}$/.test(text) && Number(text) <= MAX_PORT) return Number(text);
  throw new ModelRtcError(
    'bad_argument',
    `${name} takes a number from 1 to ${MAX_PORT}, or 0 for any that is free, not "${text}".`,
  );
}

/** Where other machines reach the bridge; undefined where they do not. */
export function announcedUrl(
  { url, isLoopback }: Pick<RunningBridge, 'url' | 'isLoopback'>,
  own: string,
): string | undefined {
  if (isLoopback) return undefined;
  return url.replace(ALL_ADDRESSES, `//${own.includes(':') ? `[${own}]` : own}`);
}

/** The address of this machine by which others know it best. */
export async function ownAddress(): Promise<string> {
  const { machineAddresses } = await import('@model-rtc/transport');
  return machineAddresses({ most: 1 })[0] ?? hostname();
}

const ALL_ADDRESSES = /\/\/(?:0\.0\.0\.0|\[::\])(?=:)/;

/** What a person can do with the bridge now. */
export function bridgeLines({ url: address }: RunningBridge, tokenFile: string | undefined): string[] {
  // All addresses: others know this machine by its name.
  const url = address.replace(ALL_ADDRESSES, `//${hostname()}`);
  const header = tokenFile === undefined ? '' : ` -H "Authorization: Bearer $(cat ${tokenFile})"`;
  return [
    `Serving the models over HTTP at ${url}. Try it:`,
    `  curl${header} ${url}/v1/models`,
    `  HF_ENDPOINT=${url}/hf hf download ORG/NAME`,
  ];
}
