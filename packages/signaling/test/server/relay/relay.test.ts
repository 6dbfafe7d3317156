import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import { WebSocket } from 'ws';
import { MAX_RELAY_FRAME_BYTES } from '../../../src/limits.ts';
import {
  type SignalingServer,
  type SignalingServerOptions,
  startSignalingServer,
} from '../../../src/server/start-signaling-server.ts';
import { rawExchange } from '../../support/raw-client.ts';
import { meetingName, RelayClient } from '../../support/relay-client.ts';
import { failureOf, until } from '../../support/until.ts';

const UPGRADE =
  'Host: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

let servers: SignalingServer[] = [];
afterEach(async () => {
  await Promise.all(servers.map((server) => server.close()));
  servers = [];
});

async function start(options: Pick<SignalingServerOptions, 'relay' | 'limits'> = {}): Promise<SignalingServer> {
  const server = await startSignalingServer({ host: '127.0.0.1', port: 0, ...options });
  servers.push(server);
  return server;
}

/** What an upgrade at a path is answered with. */
function answerTo(port: number, path: string): Promise<string> {
  return rawExchange(port, `GET ${path} HTTP/1.1\r\n${UPGRADE}`);
}

describe('a relay', () => {
  it('joins two who name the same meeting, and passes their frames untouched, both ways and in order', async () => {
    const { port } = await start();
    const [left, right] = await RelayClient.pair(port, 1);
    const sizes = [0, 1, 125, 126, 65_535, 65_536, 262_161, MAX_RELAY_FRAME_BYTES];
    const frames = sizes.map((size) => randomBytes(size));
    for (const frame of frames) left.socket.send(frame);
    for (const frame of frames) right.socket.send(frame);
    for (const side of [left, right]) {
      const taken = await side.take(frames.length);
      expect(taken.map((frame, i) => frames[i]?.equals(frame))).toEqual(frames.map(() => true));
    }
  });

  it('keeps meetings apart', async () => {
    const { port } = await start();
    const [[left, right], [otherLeft, otherRight]] = [await RelayClient.pair(port, 1), await RelayClient.pair(port, 2)];
    left.socket.send(Buffer.from('one'));
    otherLeft.socket.send(Buffer.from('two'));
    expect(String(await right.take(1))).toBe('one');
    expect(String(await otherRight.take(1))).toBe('two');
  });

  it('gives what was sent before one side went, then ends the other and says why', async () => {
    const server = await start();
    const [left, right] = await RelayClient.pair(server.port, 1);
    for (let i = 0; i < 100; i++) left.socket.send(Buffer.alloc(10_000, i));
    left.socket.close(1000);
    expect(await right.closed).toEqual({ code: 1000, reason: 'peer_gone' });
    expect(right.frames.map((frame) => frame[0])).toEqual(Array.from({ length: 100 }, (_, i) => i));
    await until(() => server.counts().meetings === 0);
  });

  it('ends the other side when one is lost', async () => {
    const { port } = await start();
    const [left, right] = await RelayClient.pair(port, 1);
    left.socket.terminate();
    expect(await right.closed).toEqual({ code: 1000, reason: 'peer_gone' });
  });

  it('makes the sender wait for a slow reader, holding little, and then goes on where it was', async () => {
    const server = await start();
    const [left, right] = await RelayClient.pair(server.port, 1);
    right.socket.pause();
    const total = 400;
    let sent = 0;
    const sending = (async () => {
      for (let i = 0; i < total; i++) {
        const frame = Buffer.alloc(262_144, i);
        await new Promise((resolve) => left.socket.send(frame, resolve));
        sent++;
      }
    })();
    // Ends when nothing moves: what was taken by then is in the kernel's buffers and the relay's.
    for (let before = -1; before !== sent; ) {
      before = sent;
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    expect(sent).toBeLessThan(total / 2);
    right.socket.resume();
    const frames = await right.take(total);
    expect(frames.map((frame) => frame[0])).toEqual(Array.from({ length: total }, (_, i) => i % 256));
    await sending;
  }, 60_000);

  it('passes on all that is sent at a limited rate', async () => {
    const { port } = await start({ relay: { bytesPerSecondPerPair: 10e6, bytesPerSecond: 8e6 } });
    const [left, right] = await RelayClient.pair(port, 1);
    for (let i = 0; i < 20; i++) left.socket.send(Buffer.alloc(100_000, i));
    expect((await right.take(20)).map((frame) => frame[0])).toEqual(Array.from({ length: 20 }, (_, i) => i));
  });

  it('answers pings', async () => {
    const { port } = await start();
    const alone = new RelayClient(port, 1);
    await alone.opened();
    const pong = new Promise((resolve) => alone.socket.once('pong', (data) => resolve(String(data))));
    alone.socket.ping('there?');
    expect(await pong).toBe('there?');
  });

  it('goes with its server, and says so', async () => {
    const server = await start();
    const [left] = await RelayClient.pair(server.port, 1);
    await server.close();
    expect(await left.closed).toMatchObject({ code: 1001 });
  });

  it('uses no compression, even when it is asked for', async () => {
    const { port } = await start();
    const left = new RelayClient(port, 1, { perMessageDeflate: true });
    await left.opened();
    expect(left.socket.extensions).toBe('');
  });
});

describe('the limits of a relay', () => {
  it('end one for whom nobody comes', async () => {
    const server = await start({ relay: { waitMs: 30 } });
    const alone = new RelayClient(server.port, 1);
    expect(await alone.closed).toEqual({ code: 1008, reason: 'timeout' });
    await until(() => server.counts().meetings === 0);
  });

  it('leave a pair alone however long it says nothing, as long as it answers pings', async () => {
    const { port } = await start({ relay: { waitMs: 30 }, limits: { pingIntervalMs: 10, staleMs: 5_000 } });
    const [left, right] = await RelayClient.pair(port, 1);
    let pings = 0;
    left.socket.on('ping', () => pings++);
    await until(() => pings > 10);
    left.socket.send(Buffer.from('still here'));
    expect(String(await right.take(1))).toBe('still here');
  });

  it('end a pair when one of the two answers no ping', async () => {
    const server = await start({ limits: { pingIntervalMs: 20, staleMs: 100 } });
    const deaf = new RelayClient(server.port, 1, { autoPong: false });
    const other = new RelayClient(server.port, 1);
    expect(await other.closed).toMatchObject({ reason: 'peer_gone' });
    await deaf.closed;
  });

  it('end a pair when neither side reads', async () => {
    const server = await start({ limits: { pingIntervalMs: 20, staleMs: 200 } });
    const pair = await RelayClient.pair(server.port, 1);
    for (const { socket } of pair) {
      socket.pause();
      for (let i = 0; i < 400; i++) socket.send(Buffer.alloc(262_144));
    }
    await until(() => server.counts().meetings === 0);
    for (const { socket } of pair) socket.terminate();
  }, 30_000);

  it('refuse a third at a meeting, and disturb the two by that in nothing', async () => {
    const { port } = await start();
    const [left, right] = await RelayClient.pair(port, 1);
    expect(await answerTo(port, `/v1/relay/${meetingName(1)}`)).toMatch(/^HTTP\/1.1 409 /);
    left.socket.send(Buffer.from('undisturbed'));
    expect(String(await right.take(1))).toBe('undisturbed');
  });

  it('refuse more who wait from one address, and more meetings, than there may be', async () => {
    const crowded = await start({ relay: { maxWaitingPerIp: 1 } });
    await new RelayClient(crowded.port, 1).opened();
    expect(await answerTo(crowded.port, `/v1/relay/${meetingName(2)}`)).toMatch(/^HTTP\/1.1 429 /);
    const full = await start({ relay: { maxMeetings: 1 } });
    await RelayClient.pair(full.port, 1);
    expect(await answerTo(full.port, `/v1/relay/${meetingName(2)}`)).toMatch(/^HTTP\/1.1 503 /);
  });

  it('count its connections among those of their address', async () => {
    const { port } = await start({ limits: { maxConnectionsPerIp: 1 } });
    await new RelayClient(port, 1).opened();
    expect(await answerTo(port, `/v1/relay/${meetingName(1)}`)).toMatch(/^HTTP\/1.1 429 /);
  });

  it('take no rate at which a lane would fall silent', async () => {
    const failure = await failureOf(start({ relay: { bytesPerSecondPerPair: 1000 } }));
    expect(failure).toMatchObject({ code: 'bad_argument' });
  });
});

describe('a relay that is sent nonsense', () => {
  it('ends one who sends before the other is there', async () => {
    const { port } = await start();
    const hasty = new RelayClient(port, 1);
    await hasty.opened();
    hasty.socket.send(Buffer.from('too early'));
    expect(await hasty.closed).toEqual({ code: 1008, reason: 'malformed' });
  });

  it('ends one who sends text, which is the relay’s own', async () => {
    const { port } = await start();
    const [left, right] = await RelayClient.pair(port, 1);
    left.socket.send('joined');
    expect(await left.closed).toEqual({ code: 1008, reason: 'malformed' });
    expect(await right.closed).toEqual({ code: 1000, reason: 'peer_gone' });
    expect(right.texts).toEqual(['joined']);
  });

  it('does not even read a frame above its bound', async () => {
    const { port } = await start();
    const [left, right] = await RelayClient.pair(port, 1);
    left.socket.send(Buffer.alloc(MAX_RELAY_FRAME_BYTES + 1));
    expect(await left.closed).toMatchObject({ code: 1009 });
    expect(await right.closed).toMatchObject({ reason: 'peer_gone' });
  });

  it.each([
    ['no meeting', '/v1/relay'],
    ['an empty one', '/v1/relay/'],
    ['one that is too short', `/v1/relay/${'A'.repeat(21)}`],
    ['another spelling of 16 bytes', `/v1/relay/${'A'.repeat(21)}B`],
    ['more segments', `/v1/relay/${'A'.repeat(22)}/x`],
    ['what is no base64url', `/v1/relay/${'+'.repeat(21)}A`],
  ])('has no place for %s', async (_, path) => {
    const { port } = await start();
    expect(await answerTo(port, path)).toMatch(/^HTTP\/1.1 404 /);
  });

  it('says that it wants a WebSocket', async () => {
    const { port } = await start();
    const response = await fetch(`http://127.0.0.1:${port}/v1/relay/${meetingName(1)}`);
    expect(response.status).toBe(426);
  });
});

describe('a server without a relay', () => {
  it('says so, and serves signaling as ever', async () => {
    const { port } = await start({ relay: 'off' });
    expect(await answerTo(port, `/v1/relay/${meetingName(1)}`)).toMatch(/^HTTP\/1.1 404 .*has no relay/s);
    const socket = new WebSocket(`ws://127.0.0.1:${port}/v1`);
    await new Promise((resolve) => socket.once('message', resolve));
    socket.terminate();
  });
});
