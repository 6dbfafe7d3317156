import { ModelRtcError } from '@model-rtc/protocol';
import type { IceServer } from '@model-rtc/transport';

/**
 * STUN and TURN servers as a person writes them: `stun:HOST:PORT` or `turn:USER:PASSWORD@HOST:PORT`. Those of the
 * environment's MODEL_RTC_ICE_SERVERS (separated by spaces or commas) are used when none are given.
 */
export function iceServers(given: readonly string[], env: Readonly<Record<string, string | undefined>>): IceServer[] {
  const texts =
    given.length > 0 ? given : (env.MODEL_RTC_ICE_SERVERS ?? '').split(/[\s,]+/).filter((text) => text !== '');
  return texts.map(parseIceServer);
}

function parseIceServer(text: string): IceServer {
  const match = /^(stun|turns?):(?:([^:@]+):([^@]+)@)?([^@]+)$/.exec(text);
  const [, scheme, username, credential, address] = match ?? [];
  const complete = scheme === 'stun' ? username === undefined : username !== undefined;
  if (scheme === undefined || address === undefined || !complete) {
    // The text may hold a password, so it is not repeated.
    throw new ModelRtcError('bad_argument', 'An --ice-server is stun:HOST:PORT or turn:USER:PASSWORD@HOST:PORT.');
  }
  const urls = `${scheme}:${address}`;
  if (username === undefined || credential === undefined) return { urls };
  return { urls, username: decodeURIComponent(username), credential: decodeURIComponent(credential) };
}
