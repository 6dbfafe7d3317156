import { describe, expect, it } from '@jest/globals';
import { identityFromSeed, roomOf, toBase64Url } from '@model-rtc/protocol';
import { MAX_CONNECTIONS_PER_WORKER } from '../../src/limits.ts';
import type { ClientMessage } from '../../src/messages.ts';
import type { Effect } from '../../src/server/effects.ts';
import { Switchboard } from '../../src/server/switchboard.ts';
import { registration } from '../support/raw-client.ts';

const HOST = 'here:1';
const alice = identityFromSeed(new Uint8Array(32).fill(1));
const mallory = identityFromSeed(new Uint8Array(32).fill(2));
const room = roomOf(alice.publicKey);

/** Each call gives other bytes, and a test can tell which. */
function createBoard(maxVisitorsPerRoom = 3) {
  let calls = 0;
  const randomBytes = (count: number) => new Uint8Array(count).fill(++calls);
  const board = new Switchboard({ maxVisitorsPerRoom, randomBytes });
  const nonces = new Map<number, string>();
  function connect(connection: number): void {
    const [effect] = board.connected(connection, (host) => host === HOST);
    if (effect?.kind !== 'send' || effect.message.type !== 'challenge') throw new Error('no challenge');
    nonces.set(connection, effect.message.nonce);
  }
  function register(connection: number, instance = 'instance-1', identity = alice): Effect[] {
    connect(connection);
    return board.received(
      connection,
      registration(identity, { host: HOST, nonce: nonces.get(connection) ?? '', instance }),
    );
  }
  function visit(connection: number): Effect[] {
    connect(connection);
    return board.received(connection, { type: 'visit', room });
  }
  return { board, connect, register, visit, nonceOf: (connection: number) => nonces.get(connection) ?? '' };
}

/** What a connection is told, in order: types and, for errors, codes. */
function told(effects: readonly Effect[], connection: number): string[] {
  return effects.flatMap((effect) => {
    if (effect.kind === 'end') return effect.connection === connection ? [`end ${effect.reason}`] : [];
    if (effect.to !== connection) return [];
    return [effect.message.type === 'error' ? `error ${effect.message.code}` : effect.message.type];
  });
}

function visitorIn(effects: readonly Effect[]): string {
  for (const effect of effects) {
    if (effect.kind === 'send' && effect.message.type === 'visitor') return effect.message.visitor;
  }
  throw new Error('no visitor');
}

describe('the switchboard', () => {
  it('opens a room for the holder of its key, and brings visitors and worker together', () => {
    const { board, register, visit } = createBoard();
    expect(told(register(1), 1)).toEqual(['registered']);
    const arrival = visit(2);
    expect(told(arrival, 1)).toEqual(['visitor']);
    expect(told(arrival, 2)).toEqual(['visiting']);
    const visitor = visitorIn(arrival);
    expect(board.received(2, { type: 'send', payload: 'AAAA' })).toEqual([
      { kind: 'send', to: 1, message: { type: 'from', visitor, payload: 'AAAA' }, origin: 2 },
    ]);
    expect(board.received(1, { type: 'send', visitor, payload: 'BBBB' })).toEqual([
      { kind: 'send', to: 2, message: { type: 'from', payload: 'BBBB' }, origin: 1 },
    ]);
  });

  it('opens no room to who cannot sign for its key, and leaves the owner alone', () => {
    const { board, register, connect, nonceOf } = createBoard();
    register(1);
    connect(2);
    const forged = {
      ...registration(mallory, { host: HOST, nonce: nonceOf(2) }),
      publicKey: toBase64Url(alice.publicKey),
    };
    const effects = board.received(2, forged);
    expect(told(effects, 2)).toEqual(['error refused', 'end refused']);
    expect(told(effects, 1)).toEqual([]);
    expect(board.roleOf(1)).toBe('worker');
  });

  it("gives each key its own room, so a stranger's key takes no one's place", () => {
    const { board, register, visit } = createBoard();
    register(1);
    expect(told(register(2, 'instance-2', mallory), 1)).toEqual([]);
    expect(told(visit(3), 1)).toEqual(['visitor']);
    expect(board.counts()).toEqual({ connections: 3, rooms: 2 });
  });

  it('refuses a signature over an earlier challenge', () => {
    const { board, register, connect, nonceOf } = createBoard();
    register(1);
    connect(2);
    const replayed = registration(alice, { host: HOST, nonce: nonceOf(1), instance: 'instance-2' });
    expect(told(board.received(2, replayed), 2)).toEqual(['error refused', 'end refused']);
  });

  it('refuses a signature for another server, even when its host is changed on the way', () => {
    const { board, connect, nonceOf } = createBoard();
    connect(1);
    const elsewhere = registration(alice, { host: 'hostile:1', nonce: nonceOf(1) });
    expect(told(board.received(1, elsewhere), 1)).toEqual(['error wrong_host', 'end wrong_host']);
    connect(2);
    const relabelled = { ...registration(alice, { host: 'hostile:1', nonce: nonceOf(2) }), host: HOST };
    expect(told(board.received(2, relabelled), 2)).toEqual(['error refused', 'end refused']);
  });

  it('tells the older run of a worker that it is replaced, and its visitors that they lost it', () => {
    const { board, register, visit } = createBoard();
    register(1);
    visit(2);
    const effects = register(3, 'instance-2');
    expect(told(effects, 1)).toEqual(['replaced', 'end replaced']);
    expect(told(effects, 2)).toEqual(['gone', 'end peer_gone']);
    expect(told(effects, 3)).toEqual(['registered']);
    expect(board.disconnected(1)).toEqual([]);
    expect(told(visit(4), 3)).toEqual(['visitor']);
  });

  it('lets one run register over several addresses: visitors go to the newest, and to the others when it is gone', () => {
    const { board, register, visit } = createBoard();
    register(1);
    expect(told(register(2), 1)).toEqual([]);
    const arrival = visit(3);
    expect(told(arrival, 2)).toEqual(['visitor']);
    const wrongConnection = board.received(1, { type: 'send', visitor: visitorIn(arrival), payload: '' });
    expect(told(wrongConnection, 1)).toEqual(['error peer_gone']);
    expect(told(board.disconnected(2), 3)).toEqual(['gone', 'end peer_gone']);
    expect(told(visit(4), 1)).toEqual(['visitor']);
  });

  it('bounds the connections of one run by ending the oldest', () => {
    const { board, register } = createBoard();
    for (let connection = 1; connection <= MAX_CONNECTIONS_PER_WORKER; connection++) register(connection);
    expect(told(register(100), 1)).toEqual(['error too_many', 'end too_many']);
    expect(board.counts().connections).toBe(MAX_CONNECTIONS_PER_WORKER);
  });

  it('says that a worker is not there', () => {
    const { board, register, visit } = createBoard();
    expect(told(visit(1), 1)).toEqual(['error worker_offline', 'end worker_offline']);
    register(2);
    board.disconnected(2);
    expect(told(visit(3), 3)).toEqual(['error worker_offline', 'end worker_offline']);
    expect(board.counts()).toEqual({ connections: 0, rooms: 0 });
  });

  it('lets no more visitors in than a room holds, and again when one leaves', () => {
    const { board, register, visit } = createBoard(2);
    register(1);
    visit(2);
    visit(3);
    expect(told(visit(4), 4)).toEqual(['error too_many', 'end too_many']);
    expect(told(board.disconnected(2), 1)).toEqual(['gone']);
    expect(told(visit(5), 5)).toEqual(['visiting']);
  });

  it('answers a worker that sends to a visitor who is gone', () => {
    const { board, register, visit } = createBoard();
    register(1);
    const visitor = visitorIn(visit(2));
    board.disconnected(2);
    expect(board.received(1, { type: 'send', visitor, payload: 'AAAA' })).toEqual([
      { kind: 'send', to: 1, message: { type: 'error', code: 'peer_gone', message: expect.any(String), visitor } },
    ]);
  });

  it('ends a visitor when the worker is done with it', () => {
    const { board, register, visit } = createBoard();
    register(1);
    const visitor = visitorIn(visit(2));
    expect(told(board.received(1, { type: 'end', visitor }), 2)).toEqual(['gone', 'end done']);
    expect(board.received(1, { type: 'end', visitor })).toEqual([]);
    expect(board.received(2, { type: 'send', payload: '' })).toEqual([]);
  });

  it("lets a worker reach no one else's visitors", () => {
    const { board, register, visit } = createBoard();
    register(1);
    const visitor = visitorIn(visit(2));
    register(3, 'instance-3', mallory);
    expect(told(board.received(3, { type: 'send', visitor, payload: '' }), 3)).toEqual(['error peer_gone']);
    expect(board.received(3, { type: 'end', visitor })).toEqual([]);
    expect(board.roleOf(2)).toBe('visitor');
  });

  it.each<[string, ClientMessage]>([
    ['send', { type: 'send', payload: '' }],
    ['end', { type: 'end', visitor: 'x' }],
  ])('refuses "%s" before a connection has a role', (_, message) => {
    const { board, connect } = createBoard();
    connect(1);
    expect(told(board.received(1, message), 1)).toEqual(['error malformed', 'end malformed']);
  });

  it('refuses a second role', () => {
    const { board, register, visit, nonceOf } = createBoard();
    register(1);
    visit(2);
    const again = registration(alice, { host: HOST, nonce: nonceOf(2) });
    expect(told(board.received(2, again), 2)).toEqual(['error malformed', 'end malformed']);
    expect(told(board.received(1, { type: 'visit', room }), 1)).toEqual(['error malformed', 'end malformed']);
  });

  it('answers a ping in every role', () => {
    const { board, connect, register, visit } = createBoard();
    connect(1);
    register(2);
    visit(3);
    for (const connection of [1, 2, 3])
      expect(told(board.received(connection, { type: 'ping' }), connection)).toEqual(['pong']);
  });
});
