/** How the socket layer names a connection. */
export type ConnectionId = number;

/**
 * A worker's place at this server. One run of a worker may hold several connections to it, one for each address by which
 * it knows the server: visitors go to the newest, whose network path worked last, and the others stand by.
 */
export interface Room {
  readonly name: string;
  readonly instance: string;
  /** Oldest first, never empty. */
  readonly workers: ConnectionId[];
  /** Which of them each visitor was given to. */
  readonly visitors: Map<string, { readonly visitor: ConnectionId; readonly worker: ConnectionId }>;
}

/** The rooms that are open: who waits where, and who talks to whom. */
export class RoomTable {
  readonly #rooms = new Map<string, Room>();

  get(name: string): Room | undefined {
    return this.#rooms.get(name);
  }

  get size(): number {
    return this.#rooms.size;
  }

  /** Adds a worker's connection, to a new room when its run has none. Another run's room must have been removed before. */
  enter(name: string, instance: string, worker: ConnectionId): Room {
    const room: Room = this.#rooms.get(name) ?? { name, instance, workers: [], visitors: new Map() };
    this.#rooms.set(name, room);
    room.workers.push(worker);
    return room;
  }

  /** Takes out one connection of a worker, and the room with the last of them. @returns its visitors, who lost it. */
  leave(room: Room, worker: ConnectionId): { readonly name: string; readonly visitor: ConnectionId }[] {
    const at = room.workers.indexOf(worker);
    if (at >= 0) room.workers.splice(at, 1);
    if (room.workers.length === 0 && this.#rooms.get(room.name) === room) this.#rooms.delete(room.name);
    const left = [...room.visitors].filter(([, pair]) => pair.worker === worker);
    for (const [name] of left) room.visitors.delete(name);
    return left.map(([name, { visitor }]) => ({ name, visitor }));
  }
}
