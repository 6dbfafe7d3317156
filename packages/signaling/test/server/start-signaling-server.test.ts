import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { identityFromSeed, roomOf, toBase64Url } from '@model-rtc/protocol';
import { WebSocket } from 'ws';
import { MAX_PAYLOAD_BYTES, MAX_READ_FRAME_BYTES, POLITE_REFUSALS, type SignalingLimits } from '../../src/limits.ts';
import { type SignalingServer, startSignalingServer } from '../../src/server/start-signaling-server.ts';
import { dialAsVisitor, dialAsWorker, RawClient, rawExchange, registration } from '../support/raw-client.ts';
import { failureOf, until } from '../support/until.ts';

const identity = identityFromSeed(new Uint8Array(32).fill(3));
const room = roomOf(identity.publicKey);
const UPGRADE =
  'Host: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

const open: SignalingServer[] = [];
async function start(limits: Partial<SignalingLimits> = {}, publicHosts: string[] = []): Promise<SignalingServer> {
  const server = await startSignalingServer({ host: '127.0.0.1', port: 0, limits, publicHosts });
  open.push(server);
  return server;
}
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});

describe('the HTTP of a signaling server', () => {
  it('says that it is well', async () => {
    const { port } = await start();
    const response = await fetch(`http://127.0.0.1:${port}/healthz`);
    expect([response.status, await response.text()]).toEqual([200, 'ok\n']);
  });

  it.each([
    ['a long body', '405', 'POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\nabc'],
    ['another path', '404', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['a request that is no upgrade', '426', 'GET /v1 HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['an upgrade at another version', '404', `GET /v2 HTTP/1.1\r\n${UPGRADE}`],
    ['an upgrade at another path', '404', `GET /healthz HTTP/1.1\r\n${UPGRADE}`],
    [
      'an upgrade to another protocol',
      '400',
      'GET /v1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n',
    ],
    ['headers without end', '400', `GET /v1 HTTP/1.1\r\nX: ${'y'.repeat(20_000)}\r\n${UPGRADE}`],
    ['another protocol', '400', 'SSH-2.0-OpenSSH_9.2\r\n\r\n'],
    ['TLS', '400', '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\r\n\r\n'],
  ])('answers %s with %s, and ends the connection', async (_, status, request) => {
    const { port } = await start();
    expect(await rawExchange(port, request)).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  });

  it('ends a connection that never finishes its request', async () => {
    const { port } = await start({ requestMs: 100 });
    expect(await rawExchange(port, '')).not.toMatch(/ 101 /);
    expect(await rawExchange(port, 'GET /v1 HTTP/1.1\r\nHost:')).not.toMatch(/ 101 /);
  });

  it('says which port is taken', async () => {
    const { port } = await start();
    const failure = await failureOf(startSignalingServer({ host: '127.0.0.1', port }));
    expect(failure).toMatchObject({ code: 'network', cause: { code: 'EADDRINUSE' } });
    expect(failure.message).toContain(String(port));
  });
});

describe('a signaling server', () => {
  it('carries payloads of every allowed size between a visitor and a worker', async () => {
    const { port } = await start();
    const worker = await dialAsWorker(port, identity);
    const visitor = await dialAsVisitor(port, room);
    const { visitor: name } = await worker.hear('visitor');
    const payload = toBase64Url(new Uint8Array(MAX_PAYLOAD_BYTES).fill(255));
    visitor.say({ type: 'send', payload });
    expect(await worker.hear('from')).toEqual({ type: 'from', visitor: name, payload });
    worker.say({ type: 'send', visitor: name, payload: '' });
    expect(await visitor.hear('from')).toEqual({ type: 'from', payload: '' });
  });

  it('tells a visitor when the worker is lost, and a worker when the visitor is', async () => {
    const { port } = await start();
    const worker = await dialAsWorker(port, identity);
    const [first, second] = [await dialAsVisitor(port, room), await dialAsVisitor(port, room)];
    first.socket.terminate();
    expect(await worker.hear('gone')).toMatchObject({ reason: 'ended' });
    worker.socket.terminate();
    expect(await second.hear('gone')).toEqual({ type: 'gone', reason: 'lost' });
    expect(await second.closed).toBe(1000);
  });

  it('refuses a worker that dialled it by a name that is not its own, and says what to do', async () => {
    const { port } = await start();
    const client = new RawClient(new WebSocket(`ws://127.0.0.1:${port}/v1`));
    const { nonce } = await client.hear('challenge');
    client.say(registration(identity, { host: `hostile.example:${port}`, nonce }));
    const error = await client.hear('error');
    expect(error).toMatchObject({ code: 'wrong_host', message: expect.stringContaining('public host') });
    expect(await client.closed).toBe(1008);
  });

  it('believes no Host header: a hostile server that passes its challenge on gets no room', async () => {
    const { port } = await start();
    const hostile = new RawClient(new WebSocket(`ws://127.0.0.1:${port}/v1`, { headers: { Host: 'hostile.example' } }));
    const { nonce } = await hostile.hear('challenge');
    // What the worker signs when it dials hostile.example and is handed our challenge.
    hostile.say(registration(identity, { host: 'hostile.example', nonce }));
    expect(await hostile.hear('error')).toMatchObject({ code: 'wrong_host' });
  });

  it('is found by its public host', async () => {
    const { port } = await start({}, ['sig.example.org']);
    const client = new RawClient(new WebSocket(`ws://127.0.0.1:${port}/v1`));
    const { nonce } = await client.hear('challenge');
    client.say(registration(identity, { host: 'sig.example.org', nonce }));
    expect(await client.hear('registered')).toEqual({ type: 'registered', room });
  });

  it('closes at once, and says so to whoever is there', async () => {
    const server = await start();
    const worker = await dialAsWorker(server.port, identity);
    const idle = connect(server.port, '127.0.0.1');
    await once(idle, 'connect');
    const deaf = connect(server.port, '127.0.0.1');
    deaf.write(`GET /v1 HTTP/1.1\r\n${UPGRADE}`);
    await until(() => server.counts().connections === 2);
    await Promise.all([server.close(), server.close()]);
    expect(await worker.closed).toBe(1001);
    idle.destroy();
    deaf.destroy();
    const next = await startSignalingServer({ host: '127.0.0.1', port: server.port });
    open.push(next);
    expect(next.port).toBe(server.port);
  });
});

describe('the limits of a signaling server', () => {
  it('end a connection that does not say what it is for', async () => {
    const { port } = await start({ unauthenticatedMs: 30 });
    const client = await RawClient.dial(port);
    client.say({ type: 'ping' });
    expect(await client.hear('error')).toMatchObject({ code: 'timeout' });
    expect(await client.closed).toBe(1008);
  });

  it('refuse connections from one address above its share, in words and then without', async () => {
    const { port } = await start({ maxConnectionsPerIp: 2 });
    const clients = [await RawClient.dial(port), await RawClient.dial(port)];
    expect(await rawExchange(port, `GET /v1 HTTP/1.1\r\n${UPGRADE}`)).toMatch(/^HTTP\/1.1 429 /);
    const idle = Array.from({ length: POLITE_REFUSALS + 5 }, () => connect(port, '127.0.0.1').on('error', () => {}));
    expect(await Promise.race(idle.map((socket) => once(socket, 'close').then(() => 'closed')))).toBe('closed');
    for (const socket of idle) socket.destroy();
    clients[0]?.close();
    await clients[0]?.closed;
    await untilDialled(port);
  });

  it('refuse connections when the server is full', async () => {
    const { port } = await start({ maxConnections: 1 });
    await RawClient.dial(port);
    expect(await rawExchange(port, `GET /v1 HTTP/1.1\r\n${UPGRADE}`)).toMatch(/^HTTP\/1.1 503 /);
  });

  it('refuse a visitor to a full room', async () => {
    const { port } = await start({ maxVisitorsPerRoom: 1 });
    await dialAsWorker(port, identity);
    await dialAsVisitor(port, room);
    const late = await RawClient.dial(port);
    late.say({ type: 'visit', room });
    expect(await late.hear('error')).toMatchObject({ code: 'too_many' });
  });

  it('answer a long frame with an error, and do not even read a huge one', async () => {
    const { port } = await start();
    const long = await RawClient.dial(port);
    long.say({ type: 'visit', room, filler: 'x'.repeat(100_000) });
    expect(await long.hear('error')).toMatchObject({ code: 'too_large' });
    const huge = await RawClient.dial(port);
    huge.say({ type: 'visit', room, filler: 'x'.repeat(MAX_READ_FRAME_BYTES) });
    expect(await huge.closed).toBe(1009);
  });

  it('slow down a sender that is a little too fast, and lose nothing of what it sent', async () => {
    const { port } = await start({ messagesPerSecond: 100, burstSeconds: 0.2 });
    const worker = await dialAsWorker(port, identity);
    const visitor = await dialAsVisitor(port, room);
    for (let i = 0; i < 30; i++) visitor.say({ type: 'send', payload: toBase64Url(Uint8Array.of(i)) });
    for (let i = 0; i < 30; i++) {
      expect(await worker.hear('from')).toMatchObject({ payload: toBase64Url(Uint8Array.of(i)) });
    }
  });

  it('end a flood, and serve others during it', async () => {
    const { port } = await start({ messagesPerSecond: 10, burstSeconds: 1 });
    const worker = await dialAsWorker(port, identity);
    const flood = await dialAsVisitor(port, room);
    for (let i = 0; i < 5000; i++) flood.say({ type: 'ping' });
    expect(await flood.hear('error')).toMatchObject({ code: 'too_many' });
    const other = await dialAsVisitor(port, room);
    other.say({ type: 'send', payload: 'AAAA' });
    expect(await worker.hear('from')).toMatchObject({ payload: 'AAAA' });
  });

  it('blame the visitor when a worker cannot read as fast as it sends', async () => {
    const { port } = await start({ maxBufferedBytes: 512 * 1024, bytesPerSecond: 1e9 });
    const worker = await dialAsWorker(port, identity);
    const visitor = await dialAsVisitor(port, room);
    worker.socket.pause();
    const text = JSON.stringify({ type: 'send', payload: toBase64Url(new Uint8Array(MAX_PAYLOAD_BYTES)) });
    // The kernel takes some megabytes before the server has to hold anything back.
    while (visitor.heard.length === 0) {
      await new Promise((resolve) => visitor.socket.send(text, resolve));
      await new Promise(setImmediate);
    }
    expect(await visitor.hear('error')).toMatchObject({ code: 'too_many' });
    worker.socket.resume();
    expect(await worker.hear('gone')).toMatchObject({ reason: 'ended' });
    worker.say({ type: 'ping' });
    await worker.hear('pong');
  });

  it('end a connection that answers no ping', async () => {
    const server = await start({ pingIntervalMs: 20, staleMs: 100 });
    const worker = await RawClient.dial(server.port, { autoPong: false });
    await worker.closed;
    await until(() => server.counts().connections === 0);
  });

  it('keep a connection that answers pings and says nothing else', async () => {
    const server = await start({ pingIntervalMs: 20, staleMs: 2_000, unauthenticatedMs: 60_000 });
    const quiet = await RawClient.dial(server.port);
    let pings = 0;
    quiet.socket.on('ping', () => {
      pings++;
    });
    await until(() => pings > 5);
    quiet.say({ type: 'ping' });
    await quiet.hear('pong');
  });
});

/** The server learns of a closed socket a moment after its client does. */
async function untilDialled(port: number): Promise<void> {
  for (;;) {
    const client = new RawClient(new WebSocket(`ws://127.0.0.1:${port}/v1`));
    if (
      await client.hear('challenge').then(
        () => true,
        () => false,
      )
    )
      return;
  }
}
