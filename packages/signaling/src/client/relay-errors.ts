import { ModelRtcError, unavailableError } from '@model-rtc/protocol';
import { printable } from './server-errors.ts';

/** What an HTTP answer instead of a WebSocket means. */
export function relayRefusal(server: string, status: number): ModelRtcError {
  if (status === 429 || status === 503) {
    return new ModelRtcError('busy', `The relay at ${server} accepts no more connections right now; try again later.`);
  }
  if (status === 404) {
    const problem = `The signaling server ${server} has no relay; ask its operator to start it with --relay on.`;
    return unavailableError(problem);
  }
  return new ModelRtcError('network', `The relay at ${server} refused the connection (HTTP ${status}); try again.`);
}

/** Why the relay closed the connection, as its close frame says. It may lie: that a lane ended in order is for the lane to know. */
export function relayClosed(server: string, code: number, reason: string): ModelRtcError {
  if (reason === 'timeout') {
    return new ModelRtcError('timeout', `The other side did not come to the relay at ${server} in time; try again.`);
  }
  if (reason === 'peer_gone') {
    return new ModelRtcError('network', `The other side left the relay at ${server}; try again.`);
  }
  const reported = reason === '' ? String(code) : `${code} ${printable(reason)}`;
  return new ModelRtcError('network', `The relay at ${server} closed the connection (${reported}); try again.`);
}

export function relayLost(server: string, cause: unknown): ModelRtcError {
  const code = (cause as { readonly code?: string }).code ?? 'unknown';
  return new ModelRtcError('network', `The relay at ${server} cannot be reached (${code}); check the network.`, {
    cause,
  });
}

export function relayTooSlow(server: string, timeoutMs: number): ModelRtcError {
  return new ModelRtcError(
    'timeout',
    `The two sides did not meet at the relay at ${server} within ${timeoutMs / 1000} s; try again.`,
    { details: { timeoutMs } },
  );
}

export function relayBrokeRules(server: string): ModelRtcError {
  return new ModelRtcError(
    'malformed_message',
    `The relay at ${server} sent something before the other side was there; check that it runs a current model-rtc.`,
  );
}

/** Where the platform cannot stop reading, as in a browser. */
export function tooMuchUnread(server: string): ModelRtcError {
  return new ModelRtcError(
    'malformed_message',
    `The other side sent more through the relay at ${server} than this side could take; try again.`,
  );
}
