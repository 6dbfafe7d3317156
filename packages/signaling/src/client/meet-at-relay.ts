import { type Clock, ModelRtcError, systemClock } from '@model-rtc/protocol';
import { MEET_TIMEOUT_MS } from '../limits.ts';
import { dialRelay, type RelayChannel } from './relay-channel.ts';
import { relayTooSlow } from './relay-errors.ts';
import { relayUrl } from './server-url.ts';

export interface MeetOptions {
  /** The signaling server whose relay it is: `Link.serverUrl`. */
  readonly serverUrl: string;
  /** 16 random bytes that both sides know. */
  readonly meeting: Uint8Array;
  readonly signal?: AbortSignal | undefined;
  /** For reaching the relay and for the other side to come; 10 s when left out. */
  readonly timeoutMs?: number | undefined;
  readonly timers?: Clock | undefined;
}

/**
 * Meets another agent at a signaling server's relay. The server sees and may change all that passes: seal it.
 *
 * @throws ModelRtcError `timeout` when the two do not meet in time; `network` when the relay cannot be reached, or is no
 *   relay; `busy` when it is full; `cancelled` when the signal aborts; `bad_argument` for a URL or a meeting that is none.
 */
export async function meetAtRelay(options: MeetOptions): Promise<RelayChannel> {
  const { serverUrl, meeting, signal, timeoutMs = MEET_TIMEOUT_MS, timers = systemClock } = options;
  if (signal?.aborted) throw cancelled(signal);
  const connection = dialRelay(relayUrl(serverUrl, meeting), serverUrl);
  const stopTimer = timers.after(timeoutMs, () => connection.fail(relayTooSlow(serverUrl, timeoutMs)));
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
