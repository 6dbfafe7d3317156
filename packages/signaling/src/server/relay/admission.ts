import type { WebSocket } from 'ws';
import { RELAY_PATH } from '../../limits.ts';
import type { MeetingRefusal } from './meeting-table.ts';
import type { RelayHub } from './relay-hub.ts';

/** An HTTP answer to an upgrade that is not granted. */
export type HttpRefusal = readonly [status: string, text: string];

const REFUSALS: Readonly<Record<MeetingRefusal, HttpRefusal>> = {
  taken: ['409 Conflict', 'Two agents have already met here.'],
  too_many: ['429 Too Many Requests', 'Too many connections from your address are waiting at this relay.'],
  full: ['503 Service Unavailable', 'This relay is full; try again later.'],
};

/** 16 bytes of base64url in its one spelling: the unused bits of the last character are zero. */
const MEETING = /^[A-Za-z0-9_-]{21}[AQgw]$/;

/** Lets one connection into its meeting. */
export interface RelayAdmission {
  take(socket: WebSocket): void;
}

/**
 * Whether a connection may use the relay.
 *
 * @param relay undefined where it is off
 * @param path of the request, without its query
 */
export function admitToRelay(relay: RelayHub | undefined, path: string, address: string): RelayAdmission | HttpRefusal {
  if (relay === undefined) return ['404 Not Found', 'This signaling server has no relay.'];
  const meeting = path.slice(RELAY_PATH.length + 1);
  if (!MEETING.test(meeting)) return ['404 Not Found', `Name a meeting: ${RELAY_PATH}/ and 16 bytes of base64url.`];
  const refusal = relay.refusalFor(meeting, address);
  if (refusal !== undefined) return REFUSALS[refusal];
  return { take: (socket) => relay.add(socket, meeting, address) };
}

/** Whether a path is the relay's. */
export function isRelayPath(path: string): boolean {
  return path === RELAY_PATH || path.startsWith(`${RELAY_PATH}/`);
}
