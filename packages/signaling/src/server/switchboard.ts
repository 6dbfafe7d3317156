import { fromBase64Url, roomOf, toBase64Url } from '@model-rtc/protocol';
import { MAX_CONNECTIONS_PER_WORKER, NONCE_BYTES, VISITOR_NAME_BYTES } from '../limits.ts';
import type { ClientMessage } from '../messages.ts';
import { type Effect, end, refuse, send } from './effects.ts';
import { type ConnectionId, type Room, RoomTable } from './room-table.ts';
import { verifyRegistration } from './verify-registration.ts';

export interface SwitchboardOptions {
  readonly maxVisitorsPerRoom: number;
  readonly randomBytes: (count: number) => Uint8Array;
}

type MessageOf<T extends ClientMessage['type']> = Extract<ClientMessage, { type: T }>;

/** What a connection is, and all that the server knows of it. */
type Party =
  | { readonly role: 'new'; readonly nonce: Uint8Array; readonly ownsHost: (host: string) => boolean }
  | { readonly role: 'worker'; readonly room: Room }
  | { readonly role: 'visitor'; readonly room: Room; readonly name: string; readonly worker: ConnectionId };
type Newcomer = Extract<Party, { role: 'new' }>;

/**
 * The signaling server without its sockets: who is connected, and what each message leads to. It never looks into a
 * payload. Every message that cannot be passed on is answered with an error to its sender.
 */
export class Switchboard {
  readonly #options: SwitchboardOptions;
  readonly #parties = new Map<ConnectionId, Party>();
  readonly #rooms = new RoomTable();

  constructor(options: SwitchboardOptions) {
    this.#options = options;
  }

  /** What is open now: a new connection counts as neither worker nor visitor. */
  counts(): { readonly connections: number; readonly rooms: number } {
    return { connections: this.#parties.size, rooms: this.#rooms.size };
  }

  /** undefined for a connection that this switchboard ended or never knew. */
  roleOf(connection: ConnectionId): Party['role'] | undefined {
    return this.#parties.get(connection)?.role;
  }

  /** @param ownsHost whether a host that a worker signs for is this server, as seen from this connection. */
  connected(connection: ConnectionId, ownsHost: (host: string) => boolean): Effect[] {
    const nonce = this.#options.randomBytes(NONCE_BYTES);
    this.#parties.set(connection, { role: 'new', nonce, ownsHost });
    return [send(connection, { type: 'challenge', nonce: toBase64Url(nonce) })];
  }

  received(connection: ConnectionId, message: ClientMessage): Effect[] {
    const party = this.#parties.get(connection);
    if (party === undefined) return [];
    switch (message.type) {
      case 'ping':
        return [send(connection, { type: 'pong' })];
      case 'register':
        return party.role === 'new' ? this.#register(connection, party, message) : this.#misplaced(connection, message);
      case 'visit':
        return party.role === 'new' ? this.#visit(connection, message) : this.#misplaced(connection, message);
      case 'send':
        return this.#pass(connection, party, message);
      case 'end':
        return party.role === 'worker'
          ? this.#endVisitor(connection, party.room, message)
          : this.#misplaced(connection, message);
    }
  }

  /** Ends a connection for something that it did. */
  refused(connection: ConnectionId, ...error: [code: Parameters<typeof refuse>[1], message: string]): Effect[] {
    return [...refuse(connection, ...error), ...this.disconnected(connection)];
  }

  /** A connection is gone, no matter who ended it. A second call does nothing. */
  disconnected(connection: ConnectionId): Effect[] {
    const party = this.#parties.get(connection);
    this.#parties.delete(connection);
    if (party?.role === 'worker') return this.#workerLeft(party.room, connection);
    if (party?.role === 'visitor') return this.#visitorLeft(party);
    return [];
  }

  #register(connection: ConnectionId, newcomer: Newcomer, message: MessageOf<'register'>): Effect[] {
    if (!newcomer.ownsHost(message.host)) {
      return this.refused(
        connection,
        'wrong_host',
        `This signaling server does not know the name "${message.host}". Use its own address, or start it with that name as a public host.`,
      );
    }
    if (!verifyRegistration(message, newcomer.nonce)) {
      return this.refused(connection, 'refused', 'The signature does not show that you hold the key of this room.');
    }
    return this.#enter(connection, roomOf(fromBase64Url(message.publicKey)), message.instance);
  }

  #enter(connection: ConnectionId, name: string, instance: string): Effect[] {
    const former = this.#rooms.get(name);
    const effects = former === undefined || former.instance === instance ? [] : this.#replace(former);
    const room = this.#rooms.enter(name, instance, connection);
    this.#parties.set(connection, { role: 'worker', room });
    effects.push(send(connection, { type: 'registered', room: name }));
    // The oldest is the likeliest to be a dead socket that has not been noticed yet.
    const [oldest] = room.workers;
    if (oldest !== undefined && room.workers.length > MAX_CONNECTIONS_PER_WORKER) {
      effects.push(...this.refused(oldest, 'too_many', 'This worker holds too many connections to this server.'));
    }
    return effects;
  }

  /** The newest holder of a key has the room: an older one may be a dead process whose socket has not been noticed yet. */
  #replace(former: Room): Effect[] {
    return [...former.workers].flatMap((worker) => [
      send(worker, { type: 'replaced' }),
      end(worker, 'replaced'),
      ...this.disconnected(worker),
    ]);
  }

  #visit(connection: ConnectionId, { room: name }: MessageOf<'visit'>): Effect[] {
    const room = this.#rooms.get(name);
    const worker = room?.workers.at(-1);
    if (room === undefined || worker === undefined) {
      return this.refused(connection, 'worker_offline', 'The worker of this room is not connected to this server.');
    }
    if (room.visitors.size >= this.#options.maxVisitorsPerRoom) {
      return this.refused(connection, 'too_many', 'Too many clients are talking to this worker; try again later.');
    }
    const visitor = toBase64Url(this.#options.randomBytes(VISITOR_NAME_BYTES));
    room.visitors.set(visitor, { visitor: connection, worker });
    this.#parties.set(connection, { role: 'visitor', room, name: visitor, worker });
    return [
      { kind: 'send', to: worker, message: { type: 'visitor', visitor }, origin: connection },
      send(connection, { type: 'visiting', room: name }),
    ];
  }

  #pass(connection: ConnectionId, party: Party, message: MessageOf<'send'>): Effect[] {
    const { visitor, payload } = message;
    if (party.role === 'visitor') {
      const passed = { type: 'from', visitor: party.name, payload } as const;
      return [{ kind: 'send', to: party.worker, message: passed, origin: connection }];
    }
    if (party.role === 'new' || visitor === undefined) return this.#misplaced(connection, message);
    const pair = party.room.visitors.get(visitor);
    // Another connection of the same worker has no part in this pairing.
    if (pair?.worker !== connection) {
      return [send(connection, { type: 'error', code: 'peer_gone', message: 'This visitor is gone.', visitor })];
    }
    return [{ kind: 'send', to: pair.visitor, message: { type: 'from', payload }, origin: connection }];
  }

  /** A visitor that left in the same moment is what the worker wanted: no error. */
  #endVisitor(connection: ConnectionId, room: Room, { visitor }: MessageOf<'end'>): Effect[] {
    const pair = room.visitors.get(visitor);
    if (pair?.worker !== connection) return [];
    room.visitors.delete(visitor);
    this.#parties.delete(pair.visitor);
    return [send(pair.visitor, { type: 'gone', reason: 'ended' }), end(pair.visitor, 'done')];
  }

  #workerLeft(room: Room, worker: ConnectionId): Effect[] {
    return this.#rooms.leave(room, worker).flatMap(({ visitor }) => {
      this.#parties.delete(visitor);
      return [send(visitor, { type: 'gone', reason: 'lost' }), end(visitor, 'peer_gone')];
    });
  }

  /** A visitor ends its link by closing its connection, so the server cannot tell that from losing it. */
  #visitorLeft({ room, name, worker }: Extract<Party, { role: 'visitor' }>): Effect[] {
    room.visitors.delete(name);
    return [send(worker, { type: 'gone', visitor: name, reason: 'ended' })];
  }

  #misplaced(connection: ConnectionId, message: ClientMessage): Effect[] {
    const role = this.#parties.get(connection)?.role ?? 'new';
    const reason = role === 'new' ? 'before registering or visiting' : `from a ${role}`;
    return this.refused(connection, 'malformed', `A "${message.type}" message makes no sense ${reason}.`);
  }
}
