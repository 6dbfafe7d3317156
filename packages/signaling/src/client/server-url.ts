import { isSignalingUrl, ModelRtcError } from '@model-rtc/protocol';
import { MAX_URLS, SIGNALING_PATH } from '../limits.ts';

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
 * @throws ModelRtcError `bad_argument` when there is none, too many, or one is no ws: or wss: URL.
 */
export function parseServerUrls(urls: readonly string[]): ServerUrl[] {
  const unique = new Map(urls.map((url) => [serverUrl(url).dialled, serverUrl(url)]));
  if (unique.size > 0 && unique.size <= MAX_URLS) return [...unique.values()];
  throw new ModelRtcError('bad_argument', `Give 1 to ${MAX_URLS} signaling servers; these are ${unique.size}.`);
}

/** A path in the URL is kept, for servers behind a proxy that tells them apart by it. */
function serverUrl(given: string): ServerUrl {
  if (!isSignalingUrl(given)) {
    throw new ModelRtcError('bad_argument', `"${given}" is no signaling server; give a URL like ws://host:8787.`);
  }
  const url = new URL(given);
  url.pathname = url.pathname.replace(/\/*$/, SIGNALING_PATH);
  return { given, dialled: url.href, host: url.host };
}
