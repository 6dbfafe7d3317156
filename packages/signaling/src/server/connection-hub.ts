import type { Socket } from 'node:net';
import type { Log } from '@model-rtc/protocol';
import type { WebSocket } from 'ws';
import type { SignalingLimits } from '../limits.ts';
import type { ClientMessage, ServerErrorCode } from '../messages.ts';
import { Connection } from './connection.ts';
import type { Effect } from './effects.ts';
import type { HostCheck } from './own-hosts.ts';
import type { ConnectionId } from './room-table.ts';
import { Switchboard } from './switchboard.ts';

export interface HubOptions {
  readonly limits: SignalingLimits;
  readonly log: Log;
  readonly isOwnHost: HostCheck;
  readonly randomBytes: (count: number) => Uint8Array;
  readonly nowMs: () => number;
}

/** Ties the sockets to the switchboard: what comes in goes to it, and its effects go out. */
export class ConnectionHub {
  readonly #options: HubOptions;
  readonly #switchboard: Switchboard;
  readonly #connections = new Map<ConnectionId, Connection>();
  #nextId: ConnectionId = 1;

  constructor(options: HubOptions) {
    const { randomBytes, limits } = options;
    this.#options = options;
    this.#switchboard = new Switchboard({ randomBytes, maxVisitorsPerRoom: limits.maxVisitorsPerRoom });
  }

  counts(): { readonly connections: number; readonly rooms: number } {
    return { connections: this.#connections.size, rooms: this.#switchboard.counts().rooms };
  }

  add(socket: WebSocket, tcp: Socket): void {
    const { limits, log, isOwnHost, nowMs } = this.#options;
    const id = this.#nextId++;
    const local = { address: tcp.localAddress ?? '', port: tcp.localPort ?? 0 };
    const newcomer = setTimeout(() => this.#expire(id), limits.unauthenticatedMs);
    const events = {
      message: (message: ClientMessage) => this.#received(id, message),
      violation: (code: ServerErrorCode, problem: string) => this.#refuse(id, code, problem),
      closed: () => {
        clearTimeout(newcomer);
        this.#connections.delete(id);
        this.#apply(this.#switchboard.disconnected(id));
        log.debug({ connection: id }, 'connection closed');
      },
    };
    const connection = new Connection({ socket, limits, events, nowMs });
    this.#connections.set(id, connection);
    connection.open();
    log.debug({ connection: id, from: tcp.remoteAddress }, 'connection opened');
    this.#apply(this.#switchboard.connected(id, (host) => isOwnHost(host, local)));
  }

  heartbeat(): void {
    for (const connection of this.#connections.values()) connection.heartbeat();
  }

  shutDown(): void {
    for (const connection of this.#connections.values()) connection.shutDown();
  }

  #received(id: ConnectionId, message: ClientMessage): void {
    this.#apply(this.#switchboard.received(id, message));
    if (message.type === 'register' && this.#switchboard.roleOf(id) === 'worker')
      this.#connections.get(id)?.raiseRates();
  }

  /** Holding a connection costs the server a place, so one must say soon what it is for. */
  #expire(id: ConnectionId): void {
    if (this.#switchboard.roleOf(id) !== 'new') return;
    this.#refuse(id, 'timeout', 'This connection did not register or visit a room in time.');
  }

  #refuse(id: ConnectionId, code: ServerErrorCode, problem: string): void {
    this.#options.log.debug({ connection: id, code }, 'connection refused');
    this.#apply(this.#switchboard.refused(id, code, problem));
  }

  /** Carries effects out in order. What one of them leads to (a receiver that is too far behind) comes after them. */
  #apply(effects: Effect[]): void {
    const queue = [...effects];
    for (let effect = queue.shift(); effect !== undefined; effect = queue.shift()) {
      if (effect.kind === 'end') this.#connections.get(effect.connection)?.end(effect.reason);
      else queue.push(...this.#send(effect));
    }
  }

  #send({ to, message, origin }: Extract<Effect, { kind: 'send' }>): Effect[] {
    const connection = this.#connections.get(to);
    if (connection === undefined) return [];
    const { maxBufferedBytes } = this.#options.limits;
    const isRelayed = origin !== undefined;
    // What the server itself has to say may go on for longer: a worker must not miss that its visitors left.
    const allowed = isRelayed ? maxBufferedBytes : 2 * maxBufferedBytes;
    if (connection.bufferedBytes <= allowed) {
      connection.send(message);
      return [];
    }
    // A worker serves others too, so of the two it is the visitor that must go; a receiver that reads nothing goes itself.
    const blamed = isRelayed && this.#switchboard.roleOf(to) === 'worker' ? origin : to;
    this.#options.log.debug({ connection: blamed, receiver: to }, 'receiver is too far behind');
    if (blamed === to) connection.terminate();
    return this.#switchboard.refused(
      blamed,
      'too_many',
      'The other side cannot read as fast as you send; try again later.',
    );
  }
}
