import { EventEmitter } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import type { WebSocket } from 'ws';
import { RelaySocket } from '../../../src/server/relay/relay-socket.ts';

const MAX_BUFFERED_BYTES = 100_000;
const STALE_MS = 1_000;

/** A WebSocket whose network takes what a test says. */
class FakeSocket extends EventEmitter {
  readonly unsent: (() => void)[] = [];
  paused = false;
  terminated = false;
  pings = 0;

  send(_data: Buffer, sent: () => void): void {
    this.unsent.push(sent);
  }

  pong(_data: Buffer, _mask: boolean, sent: () => void): void {
    this.unsent.push(sent);
  }

  ping(): void {
    this.pings++;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  terminate(): void {
    this.terminated = true;
  }
}

function setUp() {
  const socket = new FakeSocket();
  const clock = { nowMs: 0 };
  const seen = { frames: 0, rooms: 0 };
  const side = new RelaySocket({
    socket: socket as unknown as WebSocket,
    maxBufferedBytes: MAX_BUFFERED_BYTES,
    staleMs: STALE_MS,
    nowMs: () => clock.nowMs,
    events: { frame: () => seen.frames++, room: () => seen.rooms++, violation() {}, closed() {} },
  });
  side.open();
  return { socket, clock, seen, side };
}

describe('one side of a meeting', () => {
  it('is full at its mark, and tells of room only at half of it', () => {
    const { socket, seen, side } = setUp();
    while (!side.isFull) side.pass(Buffer.alloc(10_000));
    expect(socket.unsent.length).toBeLessThanOrEqual(11);
    for (const sent of socket.unsent.splice(0, 3)) sent();
    expect([side.isFull, seen.rooms]).toEqual([false, 0]);
    for (const sent of socket.unsent.splice(0, 4)) sent();
    expect(seen.rooms).toBeGreaterThan(0);
  });

  it('is full of empty frames as well', () => {
    const { socket, side } = setUp();
    while (!side.isFull) side.pass(Buffer.alloc(0));
    expect(socket.unsent.length).toBeLessThan(1_000);
  });

  it('does not pile up answers to pings of one who reads none of them', () => {
    const { socket } = setUp();
    for (let i = 0; i < 100_000; i++) socket.emit('ping', Buffer.alloc(125));
    expect(socket.unsent.length).toBeLessThan(1_000);
  });

  it('is read again only when neither the reader nor the rate holds it', () => {
    const { socket, side } = setUp();
    side.holdForReader();
    side.holdForRate(60_000);
    side.readOn();
    expect(socket.paused).toBe(true);
    socket.emit('close');
    const other = setUp();
    other.side.holdForReader();
    other.side.readOn();
    expect(other.socket.paused).toBe(false);
  });

  it('is ended when it is silent, and not when it is not read', () => {
    const silent = setUp();
    silent.clock.nowMs = STALE_MS;
    silent.side.heartbeat();
    expect(silent.socket.terminated).toBe(true);
    const held = setUp();
    held.side.holdForReader();
    held.clock.nowMs = 10 * STALE_MS;
    held.side.heartbeat();
    expect([held.socket.terminated, held.socket.pings]).toEqual([false, 1]);
    held.side.readOn();
    held.side.heartbeat();
    expect(held.socket.terminated).toBe(false);
  });

  it('is kept while its network takes what waits for it, however slowly, and ended when it takes nothing, read or not', () => {
    const { socket, clock, side } = setUp();
    for (let i = 0; i < 20; i++) side.pass(Buffer.alloc(10_000));
    side.holdForReader();
    for (let i = 0; i < 10; i++) {
      clock.nowMs += STALE_MS - 1;
      socket.unsent.shift()?.();
      side.heartbeat();
    }
    expect(socket.terminated).toBe(false);
    clock.nowMs += STALE_MS;
    side.heartbeat();
    expect(socket.terminated).toBe(true);
  });
});
