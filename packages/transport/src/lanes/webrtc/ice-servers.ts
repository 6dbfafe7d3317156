import { ModelRtcError } from '@model-rtc/protocol';
import type * as NodeDataChannel from 'node-datachannel';
import type { IceServer } from './engine.ts';

/** `stun:host:port`, `turn:host:port?transport=tcp` (RFC 7064, RFC 7065); an IPv6 address stands in brackets. */
const ICE_URL =
  /^(stuns?|turns?):(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]{1,253})(?::([0-9]{1,5}))?(?:\?transport=(udp|tcp))?$/;

/** @throws ModelRtcError `bad_argument` for a URL that is not a STUN or TURN server's, or TURN without credentials */
export function nativeIceServers(servers: readonly IceServer[]): (string | NodeDataChannel.IceServer)[] {
  return eachUrl(servers, (server, url) => {
    const { scheme, host, port, transport } = parseIceUrl(url);
    if (!scheme.startsWith('turn')) return { hostname: host, port };
    const { username, credential } = credentialsOf(server, url);
    const relayType = scheme === 'turns' ? 'TurnTls' : transport === 'tcp' ? 'TurnTcp' : 'TurnUdp';
    return { hostname: host, port, username, password: credential, relayType };
  });
}

/** For werift and browsers. @throws ModelRtcError as `nativeIceServers` */
export function w3cIceServers(
  servers: readonly IceServer[],
): { urls: string; username?: string; credential?: string }[] {
  return eachUrl(servers, (server, url) => {
    if (!parseIceUrl(url).scheme.startsWith('turn')) return { urls: url };
    return { urls: url, ...credentialsOf(server, url) };
  });
}

function eachUrl<T>(servers: readonly IceServer[], convert: (server: IceServer, url: string) => T): T[] {
  return servers.flatMap((server) => {
    const urls = typeof server.urls === 'string' ? [server.urls] : server.urls;
    return urls.map((url) => convert(server, url));
  });
}

function parseIceUrl(url: string): { scheme: string; host: string; port: number; transport: string | undefined } {
  const [, scheme, host, port, transport] = ICE_URL.exec(url) ?? [];
  if (scheme === undefined || host === undefined) {
    throw new ModelRtcError(
      'bad_argument',
      `"${url}" is not a STUN or TURN server; write "stun:HOST:PORT" or "turn:HOST:PORT".`,
    );
  }
  const defaultPort = scheme.endsWith('s') ? 5349 : 3478;
  return { scheme, host: host.replace(/^\[|\]$/g, ''), port: Number(port ?? defaultPort), transport };
}

function credentialsOf(server: IceServer, url: string): { username: string; credential: string } {
  const { username, credential } = server;
  if (username !== undefined && credential !== undefined) return { username, credential };
  throw new ModelRtcError('bad_argument', `The TURN server "${url}" needs a user name and a credential; give both.`);
}
