import { type Clock, ModelRtcError, systemClock } from '@model-rtc/protocol';
import { MEET_TIMEOUT_MS } from '../limits.ts';
import { type RelayChannel, RelayConnection } from './relay-channel.ts';
import { relayTooSlow } from './relay-errors.ts';
import { relayUrl } from './server-url.ts';
import type { OpenWebSocket } from './web-socket.ts';

export interface MeetOptions {
  /** The signaling server whose relay it is: `Link.serverUrl`. */
  readonly serverUrl: string;
  /** 16 random bytes that both sides know. */
  readonly meeting: Uint8Array;
  readonly signal?: AbortSignal | undefined;
  /** For reaching the relay and for the other side to come; 10 s when left out. */
  readonly timeoutMs?: number | undefined;
  readonly clock?: Clock | undefined;
}

export async function meetAtRelay(options: MeetOptions, openWebSocket: OpenWebSocket): Promise<RelayChannel> {
  const { serverUrl, meeting, signal, timeoutMs = MEET_TIMEOUT_MS, clock = systemClock } = options;
  if (signal?.aborted) throw cancelled(signal);
  const connection = new RelayConnection(relayUrl(serverUrl, meeting), serverUrl, openWebSocket);
  const stopTimer = clock.after(timeoutMs, () => connection.fail(relayTooSlow(serverUrl, timeoutMs)));
  const onAbort = () => connection.fail(cancelled(signal));
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    await connection.joined;
    return connection;
  } finally {
    stopTimer();
    signal?.removeEventListener('abort', onAbort);
  }
}

function cancelled(signal: AbortSignal | undefined): ModelRtcError {
  if (signal?.reason instanceof ModelRtcError) return signal.reason;
  return new ModelRtcError('cancelled', 'Cancelled.', { cause: signal?.reason });
}
