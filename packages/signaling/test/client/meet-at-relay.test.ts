import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type WebSocket, WebSocketServer } from 'ws';
import type { RelayChannel } from '../../src/client/relay-channel.ts';
import { meetAtRelay } from '../../src/index.ts';
import { type SignalingServerOptions, startSignalingServer } from '../../src/server/start-signaling-server.ts';
import { meetingName } from '../support/relay-client.ts';
import { failureOf, until } from '../support/until.ts';

const meeting = new Uint8Array(16).fill(1);
let cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.reverse()) await clean();
  cleanups = [];
});

async function start(options: Pick<SignalingServerOptions, 'relay'> = {}): Promise<string> {
  const server = await startSignalingServer({ host: '127.0.0.1', port: 0, ...options });
  cleanups.push(() => server.close());
  return `ws://127.0.0.1:${server.port}`;
}

async function startPair(): Promise<[RelayChannel, RelayChannel]> {
  const serverUrl = await start();
  const pair = await Promise.all([meetAtRelay({ serverUrl, meeting }), meetAtRelay({ serverUrl, meeting })]);
  for (const channel of pair) cleanups.push(() => channel.abort());
  return pair;
}

/** A relay that does what a test tells it. */
async function startHostile(onSocket: (socket: WebSocket, path: string) => void): Promise<string> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  server.on('connection', (socket, request) => onSocket(socket, request.url ?? ''));
  cleanups.push(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('meeting at a relay', () => {
  it('gives both a channel that carries frames in order, and tells each when the other has closed it', async () => {
    const [left, right] = await startPair();
    for (let i = 0; i < 50; i++) await left.send(Uint8Array.of(i));
    left.close();
    const frames = [];
    for await (const frame of right.frames) frames.push(frame[0]);
    expect(frames).toEqual(Array.from({ length: 50 }, (_, i) => i));
    expect(await right.closed).toMatchObject({ code: 'network', message: expect.stringContaining('left the relay') });
    expect(await left.closed).toBeUndefined();
    expect(await failureOf(left.send(Uint8Array.of(1)))).toMatchObject({ code: 'network' });
    expect(await failureOf(right.send(Uint8Array.of(1)))).toMatchObject({ code: 'network' });
  });

  it('makes the sender wait while the other side does not read, and wakes it when it does', async () => {
    const [left, right] = await startPair();
    const total = 200;
    let sent = 0;
    const sending = (async () => {
      for (; sent < total; sent++) await left.send(new Uint8Array(262_144));
    })();
    for (let before = -1; before !== sent; ) {
      before = sent;
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    expect(sent).toBeLessThan(total);
    let received = 0;
    for await (const frame of right.frames) {
      received += frame.length;
      if (received === total * 262_144) break;
    }
    await sending;
  }, 60_000);

  it('fails a send that waits when the other side goes', async () => {
    const [left, right] = await startPair();
    const sending = failureOf(
      (async () => {
        for (;;) await left.send(new Uint8Array(262_144));
      })(),
    );
    await until(() => left.unsentBytes > 0);
    right.abort();
    expect(await sending).toMatchObject({ code: 'network' });
  }, 60_000);

  it('keeps the path and the query of the server’s URL', async () => {
    const paths: string[] = [];
    const serverUrl = await startHostile((socket, path) => {
      paths.push(path);
      socket.send('joined');
    });
    const channel = await meetAtRelay({ serverUrl: `${serverUrl}/lab/?x=1`, meeting });
    expect(paths).toEqual([`/lab/v1/relay/${meetingName(1)}?x=1`]);
    channel.close();
  });

  it('passes over words that it does not know', async () => {
    const serverUrl = await startHostile((socket) => {
      for (const word of ['news', 'joined', 'joined', 'more news']) socket.send(word);
      socket.send(Buffer.from('frame'));
    });
    const channel = await meetAtRelay({ serverUrl, meeting });
    const { value } = await channel.frames[Symbol.asyncIterator]().next();
    expect(String(value)).toBe('frame');
    channel.close();
  });
});

describe('a meeting that does not come about', () => {
  it('says that the other side did not come', async () => {
    const serverUrl = await start({ relay: { waitMs: 20 } });
    expect(await failureOf(meetAtRelay({ serverUrl, meeting }))).toMatchObject({ code: 'timeout' });
  });

  it('ends by its own time limit, or its signal', async () => {
    const serverUrl = await start();
    expect(await failureOf(meetAtRelay({ serverUrl, meeting, timeoutMs: 20 }))).toMatchObject({ code: 'timeout' });
    const controller = new AbortController();
    const meetingNow = failureOf(meetAtRelay({ serverUrl, meeting, signal: controller.signal }));
    controller.abort();
    expect(await meetingNow).toMatchObject({ code: 'cancelled' });
    const { signal } = controller;
    expect(await failureOf(meetAtRelay({ serverUrl, meeting, signal }))).toMatchObject({ code: 'cancelled' });
  });

  it('says that the server has no relay, that it is full, or that it is not there', async () => {
    const off = await start({ relay: 'off' });
    expect(await failureOf(meetAtRelay({ serverUrl: off, meeting }))).toMatchObject({
      code: 'network',
      message: expect.stringContaining('--relay on'),
    });
    const full = await start({ relay: { maxMeetings: 0 } });
    expect(await failureOf(meetAtRelay({ serverUrl: full, meeting }))).toMatchObject({ code: 'busy' });
    const gone = 'ws://127.0.0.1:9';
    expect(await failureOf(meetAtRelay({ serverUrl: gone, meeting }))).toMatchObject({ code: 'network' });
  });

  it('refuses a relay that sends frames of nobody', async () => {
    const serverUrl = await startHostile((socket) => socket.send(Buffer.from('early')));
    expect(await failureOf(meetAtRelay({ serverUrl, meeting }))).toMatchObject({ code: 'malformed_message' });
  });

  it('takes a meeting of 16 bytes and a server URL, and nothing else', async () => {
    const short = meetAtRelay({ serverUrl: 'ws://127.0.0.1:9', meeting: new Uint8Array(15) });
    expect(await failureOf(short)).toMatchObject({ code: 'bad_argument' });
    expect(await failureOf(meetAtRelay({ serverUrl: 'http://x', meeting }))).toMatchObject({ code: 'bad_argument' });
  });
});
