import { type JoinOptions, joinAsWorker, type WorkerRegistration } from './join-as-worker.ts';
import type { Link } from './link.ts';
import { type MeetOptions, meetAtRelay } from './meet-at-relay.ts';
import type { RelayChannel } from './relay-channel.ts';
import { type VisitOptions, visit } from './visit.ts';
import type { OpenWebSocket } from './web-socket.ts';

/** The client side of signaling, over one kind of WebSocket. */
export interface SignalingClient {
  /**
   * Finds a worker: dials all its servers at once, and takes the first that answers and has its room.
   *
   * @throws ModelRtcError `worker_offline` when the servers that answered do not have the room; `network`, naming the URLs,
   *   when none could be reached in time; `busy` or `refused` when a server would not; `cancelled` when the signal aborts;
   *   `bad_argument` for an invalid URL.
   */
  visit(options: VisitOptions): Promise<Link>;
  /**
   * Waits at signaling servers for visitors until it is closed: a lost connection is made again, with growing pauses, and
   * a server that does not answer holds up no other.
   *
   * @throws ModelRtcError `bad_argument` for an invalid URL.
   */
  joinAsWorker(options: JoinOptions): WorkerRegistration;
  /**
   * Meets another agent at a signaling server's relay. The server sees and may change all that passes: seal it.
   *
   * @throws ModelRtcError `timeout` when the two do not meet in time; `network` when the relay cannot be reached or does
   *   not exist; `busy` when it is full; `cancelled` when the signal aborts; `bad_argument` for an invalid URL or meeting.
   */
  meetAtRelay(options: MeetOptions): Promise<RelayChannel>;
}

/** @param openWebSocket the platform's: `w3cWebSocket(globalThis.WebSocket)` in a browser. */
export function createSignalingClient(openWebSocket: OpenWebSocket): SignalingClient {
  return {
    visit: (options) => visit(options, openWebSocket),
    joinAsWorker: (options) => joinAsWorker(options, openWebSocket),
    meetAtRelay: (options) => meetAtRelay(options, openWebSocket),
  };
}
