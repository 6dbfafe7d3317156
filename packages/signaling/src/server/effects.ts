import type { ServerErrorCode, ServerMessage } from '../messages.ts';
import type { ConnectionId } from './room-table.ts';

/** What the socket layer has to do. Effects are carried out in order. */
export type Effect =
  | {
      readonly kind: 'send';
      readonly to: ConnectionId;
      readonly message: ServerMessage;
      /** Whose message this passes on: to blame when the receiver cannot keep up. */
      readonly origin?: ConnectionId;
    }
  | { readonly kind: 'end'; readonly connection: ConnectionId; readonly reason: EndReason };

/** Why the server ends a connection. */
export type EndReason = ServerErrorCode | 'done' | 'replaced';

export function send(to: ConnectionId, message: ServerMessage): Effect {
  return { kind: 'send', to, message };
}

export function end(connection: ConnectionId, reason: EndReason): Effect {
  return { kind: 'end', connection, reason };
}

/** Tells a connection what was wrong, and ends it: what it sends next may rest on what was refused. */
export function refuse(connection: ConnectionId, code: ServerErrorCode, message: string): Effect[] {
  return [send(connection, { type: 'error', code, message }), end(connection, code)];
}
