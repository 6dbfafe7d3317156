import { describe, expect, it } from '@jest/globals';
import { hexToBytes } from '@noble/hashes/utils.js';
import { VirtualClock } from '../../../../../test/support/virtual-clock.ts';
import { type MeetingRoom, meetingRoom, meetingSecrets } from '../../../src/core/index.ts';
import type { MeetingFound } from '../../../src/node/meetings/ask-meeting.ts';
import { MeetingRooms } from '../../../src/node/meetings/meeting-rooms.ts';
import { AUTHORITY, MESH_ID } from '../../support/people.ts';

const URL = 'ws://signal.example';

/** Who holds each room at one server: visitors go to the newest. */
class Server {
  readonly #holders = new Map<string, string[]>();
  readonly #clock: VirtualClock;
  silent: string | undefined;
  asked = 0;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  holders(room: MeetingRoom): string[] {
    const held = this.#holders.get(room.instance) ?? [];
    this.#holders.set(room.instance, held);
    return held;
  }

  leave(room: MeetingRoom, key: string): void {
    const held = this.holders(room);
    if (held.includes(key)) held.splice(held.indexOf(key), 1);
  }

  async ask(room: MeetingRoom): Promise<MeetingFound> {
    this.asked += 1;
    const key = this.holders(room).at(-1);
    const found: MeetingFound = key === undefined || key === this.silent ? { kind: 'free' } : { kind: 'holder', key };
    // Whoever asks in the meantime finds the same.
    await new Promise<void>((resolve) => this.#clock.after(100, resolve));
    return found;
  }
}

function scene(
  names: readonly string[],
  { epoch = 0, isAlone = false, onlyAsks = [] as string[], present = names.length } = {},
) {
  const clock = new VirtualClock();
  const server = new Server(clock);
  const secrets = meetingSecrets(AUTHORITY, epoch);
  const roomOf = (secret: Uint8Array) => meetingRoom(hexToBytes(MESH_ID), secret);
  const met = new Map<string, string[]>(names.map((name) => [name, []]));
  const left = new Set<string>();
  let seed = 1;
  const random = () => {
    seed = (seed * 16_807) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  const nodes = names.map((ownKey) => {
    const open = (room: MeetingRoom) => {
      server.holders(room).push(ownKey);
      return { isOpen: () => server.holders(room).includes(ownKey), close: () => server.leave(room, ownKey) };
    };
    return new MeetingRooms({
      ...{ ownKey, roomOf, clock, random, urls: [URL], secrets: () => secrets, ask: (room) => server.ask(room) },
      ...{ open: onlyAsks.includes(ownKey) ? undefined : open, onMet: (key) => met.get(ownKey)?.push(key) },
      ...{ isAlone: () => isAlone, hasLeft: (key) => left.has(key), present: () => present },
    });
  });
  for (const node of nodes) node.start();
  const rooms = secrets.map(roomOf);
  return { clock, server, nodes, met, left, rooms, room: rooms[0] as MeetingRoom };
}

describe('a meeting room', () => {
  it('is held by one of those who are there, and all others learn who that is', async () => {
    const { clock, server, room, met } = scene(['anna', 'ben', 'cleo', 'dora']);
    await clock.advance(60_000 * 5);
    expect(server.holders(room)).toHaveLength(1);
    const [holder] = server.holders(room);
    for (const [name, heard] of met) if (name !== holder) expect(heard).toContain(holder);
  });

  it('ends with one holder when two took it in one moment, and these two meet', async () => {
    const { clock, server, room, met } = scene(['anna', 'ben'], { isAlone: true, present: 1 });
    await clock.advance(200);
    expect([...server.holders(room)].sort()).toEqual(['anna', 'ben']);
    await clock.advance(60_000);
    expect(server.holders(room)).toHaveLength(1);
    expect([...met.values()].flat().length).toBeGreaterThan(0);
  });

  it('gets another holder when the first is gone', async () => {
    const { clock, server, room, nodes } = scene(['anna', 'ben', 'cleo']);
    await clock.advance(120_000);
    const [holder] = server.holders(room);
    nodes[['anna', 'ben', 'cleo'].indexOf(holder ?? '')]?.close();
    expect(server.holders(room)).toEqual([]);
    await clock.advance(120_000);
    expect(server.holders(room)).toHaveLength(1);
    expect(server.holders(room)).not.toContain(holder);
  });

  it('gets one within seconds where the others heard that the first is going', async () => {
    const names = Array.from({ length: 20 }, (_, i) => `node-${i}`);
    const { clock, server, room, nodes, left } = scene(names);
    await clock.advance(10 * 60_000);
    const [holder = ''] = server.holders(room);
    nodes[names.indexOf(holder)]?.close();
    left.add(holder);
    for (const node of nodes) node.noticed();
    await clock.advance(3_000);
    expect(server.holders(room).length).toBeGreaterThan(0);
    await clock.advance(60_000);
    expect(server.holders(room)).toHaveLength(1);
  });

  it('is taken from one that says nothing', async () => {
    const { clock, server, room } = scene(['anna', 'ben']);
    server.silent = 'mallory';
    server.holders(room).push('mallory');
    await clock.advance(120_000);
    expect(['anna', 'ben']).toContain(server.holders(room).at(-1));
  });

  it('is looked at about four times a minute by all together, however many are there', async () => {
    const { clock, server } = scene(Array.from({ length: 20 }, (_, i) => `node-${i}`));
    await clock.advance(10 * 60_000);
    const before = server.asked;
    await clock.advance(30 * 60_000);
    expect((server.asked - before) / 30).toBeLessThan(8);
  });

  it('is asked, and never held, by a process that leaves again', async () => {
    const { clock, server, room, met } = scene(['anna', 'laptop'], { onlyAsks: ['laptop'], isAlone: true });
    await clock.advance(30_000);
    expect(server.holders(room)).toEqual(['anna']);
    expect(met.get('laptop')).toContain('anna');
  });

  it('of each epoch is held, for those whose invite is older', async () => {
    const { clock, server, rooms } = scene(['anna'], { epoch: 2, isAlone: true });
    await clock.advance(30_000);
    expect(rooms.map((room) => server.holders(room))).toEqual([['anna'], ['anna'], ['anna']]);
  });
});
