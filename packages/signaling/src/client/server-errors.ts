import { type ErrorCode, ModelRtcError } from '@model-rtc/protocol';
import type { ServerErrorCode, ServerMessage } from '../messages.ts';

const ERROR_CODES: Readonly<Record<ServerErrorCode, ErrorCode>> = {
  worker_offline: 'worker_offline',
  peer_gone: 'network',
  too_large: 'bad_argument',
  too_many: 'busy',
  malformed: 'protocol_mismatch',
  refused: 'refused',
  wrong_host: 'refused',
  timeout: 'timeout',
};

/** A server's text is untrusted: nothing in it may control a terminal. */
export function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, ' ');
}

/** What a server's error means to a person. */
export function fromServerError(error: Extract<ServerMessage, { type: 'error' }>, url: string): ModelRtcError {
  return new ModelRtcError(
    ERROR_CODES[error.code],
    `The signaling server ${url} refused: ${printable(error.message)}`,
    {
      details: { signaling: error.code },
    },
  );
}

/** Why a link ended, when the server says that the other side is gone. */
export function goneError(other: 'worker' | 'visitor', reason: 'ended' | 'lost'): ModelRtcError {
  const what =
    reason === 'ended'
      ? `The ${other} ended the exchange through the signaling server.`
      : `The ${other}'s connection to the signaling server was lost; try again.`;
  return new ModelRtcError('network', what, { details: { signaling: reason } });
}
