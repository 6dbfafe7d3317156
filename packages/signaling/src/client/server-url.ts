import { isSignalingUrl, ModelRtcError, toBase64Url } from '@model-rtc/protocol';
import { MAX_URLS, MEETING_BYTES, RELAY_PATH, SIGNALING_PATH } from '../limits.ts';

/** A signaling server's address as a person gives it, and as it is dialled. */
export interface ServerUrl {
  readonly given: string;
  readonly dialled: string;
  /** The name and port that a worker signs for. */
  readonly host: string;
}

/**
 * The servers to try, each once.
 *
 * @throws ModelRtcError `bad_argument` when there are none or too many, or one is not a ws: or wss: URL.
 */
export function parseServerUrls(urls: readonly string[]): ServerUrl[] {
  const unique = new Map(urls.map((url) => [serverUrl(url).dialled, serverUrl(url)]));
  if (unique.size > 0 && unique.size <= MAX_URLS) return [...unique.values()];
  throw new ModelRtcError('bad_argument', `Give 1 to ${MAX_URLS} signaling servers, not ${unique.size}.`);
}

/**
 * Where a meeting is at a server's relay.
 *
 * @throws ModelRtcError `bad_argument` when the server is not a ws: or wss: URL, or the meeting does not have 16 bytes.
 */
export function relayUrl(server: string, meeting: Uint8Array): string {
  if (meeting.length === MEETING_BYTES) return urlAt(server, `${RELAY_PATH}/${toBase64Url(meeting)}`).href;
  throw new ModelRtcError('bad_argument', `A meeting has ${MEETING_BYTES} bytes; this one has ${meeting.length}.`);
}

function serverUrl(given: string): ServerUrl {
  const { href, host } = urlAt(given, SIGNALING_PATH);
  return { given, dialled: href, host };
}

/** A path in the URL is kept, for servers behind a proxy that tells them apart by it. */
function urlAt(given: string, path: string): URL {
  if (!isSignalingUrl(given)) {
    throw new ModelRtcError('bad_argument', `"${given}" is not a signaling server. Give a URL like ws://host:8787.`);
  }
  const url = new URL(given);
  url.pathname = url.pathname.replace(/\/*$/, path);
  return url;
}
