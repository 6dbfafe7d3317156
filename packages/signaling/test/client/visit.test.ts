import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { identityFromSeed, roomOf, toBase64Url } from '@model-rtc/protocol';
import type { Link } from '../../src/client/link.ts';
import { visit } from '../../src/index.ts';
import { MAX_PAYLOAD_BYTES } from '../../src/limits.ts';
import { startSignalingServer } from '../../src/server/start-signaling-server.ts';
import { fastTimers } from '../support/fast-timers.ts';
import { dialAsWorker } from '../support/raw-client.ts';
import { ScriptedServer } from '../support/scripted-server.ts';
import { failureOf, until } from '../support/until.ts';

const identity = identityFromSeed(new Uint8Array(32).fill(5));
const room = roomOf(identity.publicKey);
const cleanup: (() => unknown)[] = [];
afterEach(async () => {
  await Promise.all(cleanup.splice(0).map((task) => task()));
});

async function start() {
  const server = await startSignalingServer({ host: '127.0.0.1', port: 0 });
  cleanup.push(() => server.close());
  return { server, port: server.port, url: `ws://127.0.0.1:${server.port}` };
}

async function startScripted(...script: Parameters<typeof ScriptedServer.start>): Promise<ScriptedServer> {
  const server = await ScriptedServer.start(...script);
  cleanup.push(() => server.close());
  return server;
}

/** Takes connections and never says a word. */
async function startSilent(): Promise<string> {
  const server: Server = createServer();
  const sockets: { destroy(): void }[] = [];
  server.on('connection', (socket) => sockets.push(socket.on('error', () => {})));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanup.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A port that nothing listens on. */
async function unusedUrl(): Promise<string> {
  const { server, url } = await start();
  await server.close();
  return url;
}

function open(link: Link): Link {
  cleanup.push(() => link.close());
  return link;
}

describe('visiting a worker', () => {
  it('gives a link that carries bytes both ways, in order', async () => {
    const { port, url } = await start();
    const worker = await dialAsWorker(port, identity);
    const link = open(await visit({ urls: [url], room }));
    const { visitor } = await worker.hear('visitor');
    await link.send(Uint8Array.of(1, 2));
    await link.send(new Uint8Array(MAX_PAYLOAD_BYTES));
    expect(await worker.hear('from')).toEqual({ type: 'from', visitor, payload: toBase64Url(Uint8Array.of(1, 2)) });
    for (const byte of [1, 2, 3]) worker.say({ type: 'send', visitor, payload: toBase64Url(Uint8Array.of(byte)) });
    const received: number[] = [];
    for await (const bytes of link.messages) if (received.push(bytes[0] ?? -1) === 3) break;
    expect(received).toEqual([1, 2, 3]);
  });

  it('takes the server that has the worker, whatever the others do', async () => {
    const silent = await startSilent();
    const [empty, full] = [await start(), await start()];
    await dialAsWorker(full.port, identity);
    open(await visit({ urls: [silent, await unusedUrl(), empty.url, full.url], room }));
  });

  it('is not held up by a server that lets it in and then never answers', async () => {
    const mute = await startScripted(() => {});
    const full = await start();
    await dialAsWorker(full.port, identity);
    open(await visit({ urls: [mute.url, full.url], room }));
    await until(() => mute.sockets.every((socket) => socket.readyState === socket.CLOSED));
  });

  it('comes to a worker once, though several URLs lead to the same server', async () => {
    const { server, port, url } = await start();
    const worker = await dialAsWorker(port, identity);
    open(await visit({ urls: [url, `ws://localhost:${port}`, `${url}?again`], room }));
    await worker.hear('visitor');
    await until(() => server.counts().connections === 2);
    expect(worker.heard).toEqual([]);
  });

  it('says that the worker is offline when a server answers that it is not there', async () => {
    const { url } = await start();
    const gone = await unusedUrl();
    const failure = await failureOf(visit({ urls: [url, gone], room }));
    expect(failure.code).toBe('worker_offline');
    expect(failure.message).toContain('model-rtc worker');
    expect(failure.message).toContain(gone);
  });

  it('does not wait for a silent server once another one said that the worker is not there', async () => {
    const { url } = await start();
    const failure = await failureOf(
      visit({ urls: [await startSilent(), url], room, timeoutMs: 1e8, clock: fastTimers(20) }),
    );
    expect(failure.code).toBe('worker_offline');
  });

  it('names the servers when none can be reached', async () => {
    const urls = [await unusedUrl(), await unusedUrl()];
    const failure = await failureOf(visit({ urls, room }));
    expect(failure.code).toBe('network');
    for (const url of urls) expect(failure.message).toContain(url);
    expect(failure.cause).toBeDefined();
  });

  it('gives up after its time', async () => {
    const url = await startSilent();
    const failure = await failureOf(visit({ urls: [url], room, timeoutMs: 30 }));
    expect([failure.code, failure.message.includes(url)]).toEqual(['network', true]);
  });

  it('says when something else answers at the URL', async () => {
    const { url } = await start();
    const failure = await failureOf(visit({ urls: [`${url}/elsewhere`], room }));
    expect(failure).toMatchObject({ code: 'network', cause: { message: expect.stringContaining('404') } });
  });

  it('ends at once when it is cancelled', async () => {
    const controller = new AbortController();
    const visiting = failureOf(visit({ urls: [await startSilent()], room, signal: controller.signal }));
    controller.abort();
    expect((await visiting).code).toBe('cancelled');
    expect((await failureOf(visit({ urls: [await unusedUrl()], room, signal: controller.signal }))).code).toBe(
      'cancelled',
    );
  });

  it('refuses what is no URL', async () => {
    expect((await failureOf(visit({ urls: ['lab-box:8787'], room }))).code).toBe('bad_argument');
  });
});

describe('a link', () => {
  async function openPair() {
    const { server, port, url } = await start();
    const worker = await dialAsWorker(port, identity);
    const link = open(await visit({ urls: [url], room }));
    const { visitor } = await worker.hear('visitor');
    return { server, worker, link, visitor };
  }

  it('gives what had arrived, then ends with a reason, when the worker is lost', async () => {
    const { worker, link, visitor } = await openPair();
    worker.say({ type: 'send', visitor, payload: 'AAAA' });
    worker.close();
    expect(await link.closed).toMatchObject({ code: 'network', message: expect.stringContaining('lost') });
    const received: Uint8Array[] = [];
    for await (const bytes of link.messages) received.push(bytes);
    expect(received).toEqual([new Uint8Array(3)]);
    expect((await failureOf(link.send(new Uint8Array(1)))).code).toBe('network');
  });

  it('ends with a reason when the worker ends it', async () => {
    const { worker, link, visitor } = await openPair();
    worker.say({ type: 'end', visitor });
    expect(await link.closed).toMatchObject({ code: 'network', message: expect.stringContaining('ended') });
  });

  it('ends with a reason when the server goes', async () => {
    const { server, link } = await openPair();
    await server.close();
    expect(await link.closed).toMatchObject({ code: 'network' });
  });

  it('ends without one when this side closes it, after what was sent', async () => {
    const { worker, link } = await openPair();
    const sent = link.send(Uint8Array.of(7));
    link.close();
    expect(await link.closed).toBeUndefined();
    await sent;
    expect(await worker.hear('from')).toMatchObject({ payload: toBase64Url(Uint8Array.of(7)) });
    await worker.hear('gone');
    for await (const _ of link.messages) throw new Error('nothing was sent');
    expect((await failureOf(link.send(new Uint8Array(1)))).code).toBe('network');
  });

  it('refuses a message that is too long, and stays open', async () => {
    const { worker, link } = await openPair();
    expect((await failureOf(link.send(new Uint8Array(MAX_PAYLOAD_BYTES + 1)))).code).toBe('bad_argument');
    await link.send(Uint8Array.of(1));
    await worker.hear('from');
  });

  it('ends when the server falls silent', async () => {
    const mute = await startScripted((reply, message) => {
      if (message.type === 'visit') reply({ type: 'visiting', room });
    });
    const link = await visit({ urls: [mute.url], room, clock: fastTimers(10) });
    expect(await link.closed).toMatchObject({ code: 'network', message: expect.stringContaining('silent') });
    expect(mute.heard).toContainEqual({ type: 'ping' });
  });

  it.each(['not JSON', '{"type":"from","payload":"***"}', '{"type":"gone","reason":"because"}'])(
    'ends when the server says something that cannot be: %s',
    async (nonsense) => {
      const broken = await startScripted((reply, message) => {
        if (message.type === 'visit') reply({ type: 'visiting', room });
        if (message.type === 'visit') reply(nonsense);
      });
      const link = await visit({ urls: [broken.url], room });
      expect(await link.closed).toMatchObject({ code: 'malformed_message' });
    },
  );

  it('holds a bounded amount of what a hostile server sends', async () => {
    const flood = await startScripted((reply, message) => {
      if (message.type !== 'visit') return;
      reply({ type: 'visiting', room });
      for (let i = 0; i < 20; i++) reply({ type: 'from', payload: 'A'.repeat(87_380) });
    });
    const link = await visit({ urls: [flood.url], room });
    expect(await link.closed).toMatchObject({ code: 'malformed_message' });
    let bytes = 0;
    for await (const message of link.messages) bytes += message.length;
    expect(bytes).toBeLessThanOrEqual(512 * 1024);
  });

  it("shows nothing of a server's words that could steer a terminal", async () => {
    const rude = await startScripted((reply, message) => {
      if (message.type === 'visit') reply({ type: 'error', code: 'too_many', message: '\u001b[2Jgo away' });
    });
    const failure = await failureOf(visit({ urls: [rude.url], room }));
    expect(failure).toMatchObject({ code: 'busy', message: expect.stringContaining(' [2Jgo away') });
  });
});
