import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  fromBase64Url,
  identityFromSeed,
  type Log,
  registrationText,
  roomOf,
  silentLog,
  toBase64Url,
  verifySignature,
} from '@model-rtc/protocol';
import { WebSocket } from 'ws';
import type { Visitor } from '../../src/client/visitor-links.ts';
import { joinAsWorker, visit, type WorkerRegistration } from '../../src/index.ts';
import { MAX_VISITORS_PER_ROOM } from '../../src/limits.ts';
import type { ServerMessage } from '../../src/messages.ts';
import { startSignalingServer } from '../../src/server/start-signaling-server.ts';
import { fastTimers } from '../support/fast-timers.ts';
import { dialAsVisitor, dialAsWorker, RawClient } from '../support/raw-client.ts';
import { ScriptedServer } from '../support/scripted-server.ts';
import { failureOf, until } from '../support/until.ts';

const identity = identityFromSeed(new Uint8Array(32).fill(6));
const room = roomOf(identity.publicKey);
const cleanup: (() => unknown)[] = [];
afterEach(async () => {
  await Promise.all(cleanup.splice(0).map((task) => task()));
});

async function start(port = 0, publicHosts: string[] = []) {
  const server = await startSignalingServer({ host: '127.0.0.1', port, publicHosts });
  cleanup.push(() => server.close());
  return { server, port: server.port, url: `ws://127.0.0.1:${server.port}` };
}

async function startScripted(...script: Parameters<typeof ScriptedServer.start>): Promise<ScriptedServer> {
  const server = await ScriptedServer.start(...script);
  cleanup.push(() => server.close());
  return server;
}

function join(urls: string[], options: Partial<Parameters<typeof joinAsWorker>[0]> = {}): WorkerRegistration {
  const registration = joinAsWorker({ urls, identity, ...options });
  cleanup.push(() => registration.close());
  return registration;
}

async function nextVisitor(registration: WorkerRegistration): Promise<Visitor> {
  for await (const visitor of registration.visitors) return visitor;
  throw new Error('the registration closed');
}

function stateOf(registration: WorkerRegistration, url: string): string | undefined {
  return registration.states().find((status) => status.url === url)?.state;
}

describe('a worker at its signaling servers', () => {
  it('is found by visitors, and talks to each of them', async () => {
    const { url } = await start();
    const registration = join([url]);
    await registration.whenOnline();
    for (const byte of [1, 2]) {
      const link = await visit({ urls: [url], room });
      const visitor = await nextVisitor(registration);
      await link.send(Uint8Array.of(byte));
      for await (const bytes of visitor.messages) {
        await visitor.send(Uint8Array.of(byte, ...bytes));
        break;
      }
      for await (const bytes of link.messages) {
        expect(bytes).toEqual(Uint8Array.of(byte, byte));
        break;
      }
      link.close();
      expect(await visitor.closed).toMatchObject({ code: 'network', message: expect.stringContaining('ended') });
    }
  });

  it('ends a visit, and the visitor is told', async () => {
    const { url } = await start();
    const registration = join([url]);
    await registration.whenOnline();
    const link = await visit({ urls: [url], room });
    const visitor = await nextVisitor(registration);
    await visitor.send(Uint8Array.of(9));
    visitor.close();
    expect(await visitor.closed).toBeUndefined();
    expect(await link.closed).toMatchObject({ code: 'network' });
    const received: Uint8Array[] = [];
    for await (const bytes of link.messages) received.push(bytes);
    expect(received).toEqual([Uint8Array.of(9)]);
  });

  it('comes back when the server restarts, and its visitors were told that it went', async () => {
    const { server, port, url } = await start();
    const warnings: string[] = [];
    const log: Log = { ...silentLog, warn: (_fields, message) => void warnings.push(message) };
    const registration = join([url], { log });
    await registration.whenOnline();
    expect(warnings).toEqual([]);
    const link = await visit({ urls: [url], room });
    const visitor = await nextVisitor(registration);
    await server.close();
    expect(await visitor.closed).toMatchObject({ code: 'network' });
    expect(await link.closed).toMatchObject({ code: 'network' });
    await until(() => stateOf(registration, url) === 'connecting');
    expect(registration.states()[0]?.error).toMatchObject({ code: 'network' });
    await start(port);
    await registration.whenOnline();
    expect(registration.states()).toEqual([{ url, state: 'online', error: undefined }]);
    expect(warnings[0]).toContain('closed the connection');
    expect(warnings.at(-1)).toBe(`The signaling server ${url} answers again.`);
    (await visit({ urls: [url], room })).close();
  });

  it('comes online when the server starts after it', async () => {
    const { server, port, url } = await start();
    await server.close();
    const registration = join([url], { clock: fastTimers(10) });
    await until(() => registration.states()[0]?.error !== undefined);
    await start(port);
    await registration.whenOnline();
  });

  it('is not held up by a server that never answers', async () => {
    const silent = createServer((socket) => void cleanup.push(() => void socket.destroy()));
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    cleanup.push(() => void silent.close());
    const silentUrl = `ws://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const { url } = await start();
    const registration = join([silentUrl, url], { clock: fastTimers(20) });
    await registration.whenOnline();
    expect([stateOf(registration, silentUrl), stateOf(registration, url)]).toEqual(['connecting', 'online']);
    await until(() => registration.states()[0]?.error?.code === 'timeout');
  });

  it('tries a server again that accepts it and then falls silent', async () => {
    const mute = await startScripted((reply, message) => {
      if (message.type === 'register') reply({ type: 'registered', room });
    });
    const registration = join([mute.url], { clock: fastTimers(50) });
    await registration.whenOnline();
    await until(() => mute.sockets.length > 1);
  });

  it('may reach one server by several URLs without replacing itself, and a visitor comes once', async () => {
    const { server, port, url } = await start();
    const localhost = `ws://localhost:${port}`;
    const registration = join([url, localhost]);
    await until(() => registration.states().every(({ state }) => state === 'online'));
    expect(server.counts()).toMatchObject({ connections: 2, rooms: 1 });
    const first = await dialAsVisitor(port, room);
    const visitor = await nextVisitor(registration);
    first.say({ type: 'send', payload: 'AAAA' });
    for await (const bytes of visitor.messages) {
      expect(bytes).toHaveLength(3);
      break;
    }
    expect(registration.states().map(({ state }) => state)).toEqual(['online', 'online']);
  });

  it('gives way to a later run with the same key, says so, and does not come back', async () => {
    const { server, url } = await start();
    const older = join([url]);
    await older.whenOnline();
    const newer = join([url]);
    await older.replaced;
    expect(stateOf(older, url)).toBe('replaced');
    expect((await failureOf(older.whenOnline())).code).toBe('busy');
    await newer.whenOnline();
    await until(() => server.counts().connections === 1);
    const visiting = visit({ urls: [url], room });
    await nextVisitor(newer);
    (await visiting).close();
  });

  it('says that it is lost when no server took it for as long as it may try, and not while one of two does', async () => {
    const gone = await start();
    const { url, server } = await start();
    await gone.server.close();
    const clock = fastTimers(100);
    const registration = join([gone.url, url], { clock, maxReconnectMs: 20_000 });
    await registration.whenOnline();
    let lost: Error | undefined;
    void registration.lost.then((error) => {
      lost = error;
    });
    const beganMs = clock.nowMs();
    await until(() => clock.nowMs() - beganMs > 40_000);
    expect(lost).toBeUndefined();
    await server.close();
    await until(() => lost !== undefined);
    expect(lost).toMatchObject({ code: 'network', exitCode: 5 });
    expect(lost?.message).toMatch(/^No signaling server took this worker for 20 s, so it ends\. The last failure: /);
  });

  it('stays where it is online when another server says that it is replaced', async () => {
    const hostile = await startScripted((reply, message) => {
      if (message.type === 'register') reply({ type: 'replaced' });
    });
    const { url } = await start();
    const registration = join([hostile.url, url]);
    await until(() => stateOf(registration, hostile.url) === 'replaced');
    await registration.whenOnline();
    const visiting = visit({ urls: [url], room });
    await nextVisitor(registration);
    (await visiting).close();
    expect(
      await Promise.race([
        registration.replaced.then(() => 'replaced'),
        registration.whenOnline().then(() => 'online'),
      ]),
    ).toBe('online');
  });

  it('says why a server does not take it, and goes on trying', async () => {
    const strict = await startScripted((reply, message) => {
      if (message.type === 'register') reply({ type: 'error', code: 'wrong_host', message: 'not my name' });
    });
    const registration = join([strict.url], { clock: fastTimers(20) });
    await until(() => strict.sockets.length > 2);
    expect(registration.states()[0]).toMatchObject({
      state: 'connecting',
      error: { code: 'refused', message: expect.stringContaining('not my name'), details: { signaling: 'wrong_host' } },
    });
  });

  it('leaves when it is closed: its visitors, its readers and its waiters are told', async () => {
    const { server, port, url } = await start();
    const registration = join([url, await unusedUrl()]);
    await registration.whenOnline();
    const raw = await dialAsVisitor(port, room);
    const visitor = await nextVisitor(registration);
    const reading = (async () => {
      for await (const _ of registration.visitors) throw new Error('no one else came');
    })();
    registration.close();
    await reading;
    expect(await visitor.closed).toBeUndefined();
    expect(await raw.hear('gone')).toMatchObject({ reason: 'lost' });
    expect((await failureOf(registration.whenOnline())).code).toBe('cancelled');
    await until(() => server.counts().connections === 0);
  });

  it('leaves when its signal aborts', async () => {
    const { server, url } = await start();
    const controller = new AbortController();
    const registration = join([url], { signal: controller.signal });
    await registration.whenOnline();
    controller.abort();
    expect((await failureOf(registration.whenOnline())).code).toBe('cancelled');
    await until(() => server.counts().connections === 0);
  });

  it('waits in vain when it is closed before a server was there', async () => {
    const registration = join([await unusedUrl()]);
    const waiting = failureOf(registration.whenOnline());
    registration.close();
    expect((await waiting).code).toBe('cancelled');
  });
});

describe('a worker at a hostile server', () => {
  it('signs once a connection, for the host that it dialled when it uses several, else for any', async () => {
    const nonce = toBase64Url(new Uint8Array(32).fill(1));
    const hostile = await startScripted(
      (reply, message) => {
        if (message.type === 'register') reply({ type: 'challenge', nonce });
        if (message.type === 'register') reply({ type: 'registered', room });
      },
      (reply) => reply({ type: 'challenge', nonce }),
    );
    const registration = join([hostile.url, 'ws://127.0.0.1:1']);
    await registration.whenOnline();
    const registrations = hostile.heard.filter((message) => message.type === 'register');
    expect(registrations).toHaveLength(1);
    const [{ host, signature } = { host: '', signature: '' }] = registrations;
    expect(`ws://${host}`).toBe(hostile.url);
    expect(
      verifySignature(identity.publicKey, registrationText(host, fromBase64Url(nonce)), fromBase64Url(signature)),
    ).toBe(true);
    await join([hostile.url]).whenOnline();
    expect(hostile.heard.findLast((message) => message.type === 'register')).toMatchObject({ host: '*' });
  });

  it('loses no room at an honest server that the hostile one passes its challenge on from', async () => {
    const honest = await start();
    let relay: RawClient | undefined;
    let answer: ServerMessage | undefined;
    const hostile = await startScripted(
      async (_, message) => {
        if (message.type !== 'register' || relay === undefined) return;
        relay.say(message);
        answer = await relay.hear('error');
      },
      async (reply) => {
        relay = new RawClient(new WebSocket(`${honest.url}/v1`));
        reply(await relay.hear('challenge'));
      },
    );
    join([hostile.url, 'ws://127.0.0.1:1']);
    await until(() => answer !== undefined);
    expect(answer).toMatchObject({ code: 'wrong_host' });
    expect(honest.server.counts().rooms).toBe(0);
  });

  it('takes a bounded number of visitors, and tells the server which it does not take', async () => {
    const crowd = await startScripted((reply, message) => {
      if (message.type !== 'register') return;
      reply({ type: 'registered', room });
      for (let i = 0; i < MAX_VISITORS_PER_ROOM + 3; i++) reply({ type: 'visitor', visitor: `v${i}` });
    });
    const registration = join([crowd.url]);
    await registration.whenOnline();
    await until(() => crowd.heard.filter(({ type }) => type === 'end').length === 3);
    expect(crowd.heard).toContainEqual({ type: 'end', visitor: `v${MAX_VISITORS_PER_ROOM}` });
  });

  it('is not confused by visitors that come twice, speak before they came or leave twice', async () => {
    const odd = await startScripted((reply, message) => {
      if (message.type !== 'register') return;
      reply({ type: 'visitor', visitor: 'early' });
      reply({ type: 'registered', room });
      reply({ type: 'from', visitor: 'nobody', payload: 'AAAA' });
      reply({ type: 'from', payload: 'AAAA' });
      reply({ type: 'visitor', visitor: 'a' });
      reply({ type: 'visitor', visitor: 'a' });
      reply({ type: 'gone', visitor: 'a', reason: 'lost' });
      reply({ type: 'gone', visitor: 'a', reason: 'lost' });
      reply({ type: 'visitor', visitor: 'b' });
      reply({ type: 'error', code: 'peer_gone', message: 'gone', visitor: 'b' });
      reply({ type: 'visitor', visitor: '__proto__' });
    });
    const registration = join([odd.url]);
    const names: string[] = [];
    for await (const visitor of registration.visitors) {
      names.push(visitor.visitor);
      if (visitor.visitor === '__proto__') break;
      expect(await visitor.closed).toMatchObject({ code: 'network' });
    }
    expect(names).toEqual(['a', 'b', '__proto__']);
  });
});

describe('a room', () => {
  it('cannot be taken by another key while its worker is away', async () => {
    const { port, url } = await start();
    await dialAsWorker(port, identityFromSeed(new Uint8Array(32).fill(7)));
    expect((await failureOf(visit({ urls: [url], room }))).code).toBe('worker_offline');
  });
});

async function unusedUrl(): Promise<string> {
  const { server, url } = await start();
  await server.close();
  return url;
}
