import { afterEach, describe, expect, it } from '@jest/globals';
import { identityFromSeed, roomOf } from '@model-rtc/protocol';
import { WebSocket } from 'ws';
import {
  createSignalingClient,
  type RelayChannel,
  type W3cWebSocketConstructor,
  w3cWebSocket,
} from '../../src/client/index.ts';
import { startSignalingServer } from '../../src/index.ts';
import { MAX_READ_FRAME_BYTES } from '../../src/limits.ts';
import { ScriptedServer } from '../support/scripted-server.ts';
import { failureOf, until } from '../support/until.ts';

/** `ws` has the W3C's shape as well: what a browser's own class would do, without its lack of bounds. */
const W3cClass = WebSocket as unknown as W3cWebSocketConstructor;
const client = createSignalingClient(w3cWebSocket(W3cClass));
const identity = identityFromSeed(new Uint8Array(32).fill(3));
const room = roomOf(identity.publicKey);
const meeting = new Uint8Array(16).fill(1);

let cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.reverse()) await clean();
  cleanups = [];
});

async function startServer(): Promise<string> {
  const server = await startSignalingServer({ host: '127.0.0.1', port: 0 });
  cleanups.push(() => server.close());
  return `ws://127.0.0.1:${server.port}`;
}

async function meet(serverUrl: string): Promise<RelayChannel> {
  const channel = await client.meetAtRelay({ serverUrl, meeting });
  cleanups.push(() => channel.abort());
  return channel;
}

describe('a client over a WebSocket of the W3C’s shape', () => {
  it('waits as a worker, visits it, and exchanges messages', async () => {
    const url = await startServer();
    const registration = client.joinAsWorker({ urls: [url], identity });
    cleanups.push(() => registration.close());
    await registration.whenOnline();
    const link = await client.visit({ urls: [url], room });
    const { value: visitor } = await registration.visitors[Symbol.asyncIterator]().next();
    await link.send(Uint8Array.of(1, 2, 3));
    expect((await visitor?.messages[Symbol.asyncIterator]().next())?.value).toEqual(Uint8Array.of(1, 2, 3));
    link.close();
    expect(await visitor?.closed).toMatchObject({ code: 'network' });
  });

  it('carries a relayed pair’s frames in order, however far the reader is behind', async () => {
    const serverUrl = await startServer();
    const [left, right] = await Promise.all([meet(serverUrl), meet(serverUrl)]);
    const total = 40;
    const sending = (async () => {
      for (let i = 0; i < total; i++) await left.send(new Uint8Array(250_000).fill(i));
    })();
    const first: (number | undefined)[] = [];
    for await (const frame of right.frames) if (first.push(frame[0]) === total) break;
    await sending;
    expect(first).toEqual(Array.from({ length: total }, (_, i) => i));
    left.close();
    expect(await right.closed).toMatchObject({ code: 'network' });
  }, 60_000);

  it('ends a connection on which a frame is too long', async () => {
    const server = await ScriptedServer.start((reply) => reply('x'.repeat(MAX_READ_FRAME_BYTES + 1)));
    cleanups.push(() => server.close());
    const failure = await failureOf(client.visit({ urls: [server.url], room }));
    expect(failure).toMatchObject({ code: 'network', cause: { message: expect.stringContaining('1009') } });
  });

  it('says that a server cannot be reached, or may not be dialled at all', async () => {
    const failure = await failureOf(client.visit({ urls: ['ws://127.0.0.1:9'], room }));
    expect(failure).toMatchObject({ code: 'network' });
    const forbidden = createSignalingClient(
      w3cWebSocket(
        class {
          constructor() {
            throw new Error('a secure page may not dial ws:');
          }
        } as unknown as W3cWebSocketConstructor,
      ),
    );
    expect(await failureOf(forbidden.visit({ urls: ['ws://127.0.0.1:9'], room }))).toMatchObject({
      code: 'network',
      cause: { cause: { message: expect.stringContaining('secure page') } },
    });
  });

  it('fails what was sent when the connection is lost', async () => {
    const serverUrl = await startServer();
    const [left, right] = await Promise.all([meet(serverUrl), meet(serverUrl)]);
    const sending = failureOf(
      (async () => {
        for (;;) await left.send(new Uint8Array(250_000));
      })(),
    );
    await until(() => left.unsentBytes > 0);
    right.abort();
    expect(await sending).toMatchObject({ code: 'network' });
  }, 60_000);
});
