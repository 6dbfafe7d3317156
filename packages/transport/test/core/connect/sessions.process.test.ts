import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { encodeSessionToken } from '@model-rtc/protocol';
import { type SignalingServer, startSignalingServer } from '@model-rtc/signaling';
import { WebSocket } from 'ws';
import { connectToSession } from '../../../src/index.ts';
import { failure } from '../peer/support.ts';
import { GOOD, SEED, SessionChild, tokenOf, tokenText } from './session-child.ts';
import type { Connected, IssuedToken } from './session-process.ts';

const REVOKED: IssuedToken = {
  keyId: '22'.repeat(8),
  secret: 'bb'.repeat(16),
  scopes: ['read'],
  refuse: 'token_revoked',
};
const DOOMED: IssuedToken = { keyId: '33'.repeat(8), secret: 'cc'.repeat(16), scopes: ['read'] };
const UNKNOWN: IssuedToken = { keyId: '44'.repeat(8), secret: 'dd'.repeat(16), scopes: ['read'] };
const WRONG_SECRET: IssuedToken = { ...GOOD, secret: 'ee'.repeat(16) };

describe.each(['native', 'werift'] as const)('a worker with the %s engine', (workerEngine) => {
  let server: SignalingServer;
  let worker: SessionChild;
  let client: SessionChild;

  beforeAll(async () => {
    server = await startSignalingServer({ host: '127.0.0.1', port: 0 });
    worker = new SessionChild();
    client = new SessionChild();
    const urls = [`ws://127.0.0.1:${server.port}`];
    await worker.tell({ do: 'work', seed: SEED, urls, engine: workerEngine, tokens: [GOOD, REVOKED, DOOMED] });
  });

  afterAll(async () => {
    await Promise.all([worker.end(), client.end()]);
    await server.close();
  });

  const connect = (token: IssuedToken, engine: 'native' | 'werift' = workerEngine) =>
    client.tell<Connected>({ do: 'connect', token: tokenText(token, server.port), engine });

  it.each(['native', 'werift'] as const)(
    'is reached with the %s engine, and answers within the scopes of the token',
    async (engine) => {
      const { states, lanes, worker: name } = await connect(GOOD, engine);
      expect(name).toBe(`worker ${SEED}`);
      expect(states.map(({ state }) => state)).toEqual(['signaling', 'negotiating', 'connected']);
      expect(lanes).toMatchObject([{ kind: 'webrtc', engine }]);
      expect(await client.tell({ do: 'ask' })).toBe('abababab');
      expect((await failure(client.tell({ do: 'push' }))).code).toBe('scope_missing');
      await worker.until<{ peers: number }>({ do: 'count' }, ({ peers }) => peers === 1);
      await client.tell({ do: 'close' });
      await worker.until<{ peers: number }>({ do: 'count' }, ({ peers }) => peers === 0);
    },
  );

  it.each([
    ['a revoked token', REVOKED, 'token_revoked'],
    ['a token that it did not issue', UNKNOWN, 'refused'],
    ['a token with a wrong secret', WRONG_SECRET, 'refused'],
  ])('refuses %s', async (_, token, code) => {
    expect((await failure(connect(token))).code).toBe(code);
  });

  it('closes the connection of a token that is revoked, and says so', async () => {
    await connect(DOOMED);
    await worker.tell({ do: 'revoke', keyId: DOOMED.keyId });
    expect(await client.tell({ do: 'closed' })).toBe('token_revoked');
    expect((await failure(connect(DOOMED))).code).toBe('token_revoked');
  });

  it('is reached while others visit it and say nothing, or garbage', async () => {
    const visitors = await Promise.all(Array.from({ length: 30 }, (_, i) => rawVisitor(server.port, i)));
    await connect(GOOD);
    expect(await client.tell({ do: 'ask' })).toBe('abababab');
    await client.tell({ do: 'close' });
    for (const visitor of visitors) visitor.terminate();
  });
});

describe('connecting', () => {
  it('with an expired token fails before anything is sent', async () => {
    const token = tokenOf(GOOD, 9, { expiresAt: new Date('2020-01-01') });
    const error = await failure(connectToSession({ token, agent: { name: 'c', version: '1' } }));
    expect(error).toMatchObject({ code: 'token_expired' });
    expect(error.message).toContain('2020-01-01');
  });

  it('with an aborted signal does nothing', async () => {
    const options = { token: tokenOf(GOOD, 9), agent: { name: 'c', version: '1' }, signal: AbortSignal.abort() };
    expect((await failure(connectToSession(options))).code).toBe('cancelled');
  });

  it('fails at once when there is no server or no worker, unless it is told to wait for one', async () => {
    const server = await startSignalingServer({ host: '127.0.0.1', port: 0 });
    const worker = new SessionChild();
    const client = new SessionChild();
    const order = { do: 'connect', engine: 'werift', token: tokenText(GOOD, server.port) } as const;
    try {
      const nobody = encodeSessionToken(tokenOf(GOOD, 1));
      const error = await failure(client.tell({ ...order, token: nobody }));
      expect(error.code).toBe('network');
      expect(error.message).toContain('127.0.0.1:1');
      expect((await failure(client.tell(order))).code).toBe('worker_offline');
      const late = client.tell<Connected>({ ...order, waitForWorker: true });
      const urls = [`ws://127.0.0.1:${server.port}`];
      await worker.tell({ do: 'work', seed: SEED, urls, engine: 'werift', tokens: [GOOD] });
      expect((await late).worker).toBe(`worker ${SEED}`);
    } finally {
      await Promise.all([worker.end(), client.end()]);
      await server.close();
    }
  });
});

/** Someone who only knows the name of the room, as every server does. */
async function rawVisitor(port: number, number: number): Promise<WebSocket> {
  const { roomOf } = await import('@model-rtc/protocol');
  const socket = new WebSocket(`ws://127.0.0.1:${port}/v1`);
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  socket.send(JSON.stringify({ type: 'visit', room: roomOf(tokenOf(GOOD, port).workerKey) }));
  const payload = Buffer.alloc(number * 10, number).toString('base64url');
  if (number % 2 === 1) socket.send(JSON.stringify({ type: 'send', payload }));
  return socket;
}
