import { once } from 'node:events';
import { connect as connectTcp, createServer, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { VirtualClock } from '../../../../../test/support/virtual-clock.ts';
import type { DirectListener } from '../../../src/core/connect/components.ts';
import { dialDirect } from '../../../src/lanes/direct/dial.ts';
import { encodeGreeting } from '../../../src/lanes/direct/greeting.ts';
import {
  DIAL_TIMEOUT_MS,
  EXPECT_TIMEOUT_MS,
  GREETING_TIMEOUT_MS,
  MAX_EXPECTED_LANES,
  MAX_UNAUTHENTICATED_PER_ADDRESS,
} from '../../../src/lanes/direct/limits.ts';
import { listenDirect } from '../../../src/lanes/direct/listen.ts';
import { dialTls } from '../../../src/lanes/direct/tls-stream.ts';
import { openLanes, overLoopback } from './lane-stage.ts';

describe('a direct listener', () => {
  let listener: DirectListener;
  const clock = new VirtualClock();
  beforeEach(async () => {
    listener = await listenDirect({ clock });
  });
  afterEach(async () => listener.close());

  it('offers where this machine is reached, loopback last, with a token for each lane', () => {
    const [first, second] = [listener.expect(7).offer, listener.expect(8).offer];
    const hosts = first.addresses.map(({ host }) => host);
    expect(hosts.filter((host) => host === '127.0.0.1' || host === '::1')).toEqual(
      hosts.slice(hosts.indexOf('127.0.0.1')),
    );
    expect(first.addresses.every(({ port }) => port === listener.port)).toBe(true);
    expect([first.lane, second.lane]).toEqual([7, 8]);
    expect(second.certificate).toEqual(first.certificate);
    expect(second.token).not.toEqual(first.token);
  });

  it('offers the given addresses in place of its own', async () => {
    const advertise = [{ host: 'gpu.example.org', port: 4000 }];
    await using other = disposable(await listenDirect({ advertise }));
    expect(other.expect(1).offer.addresses).toEqual(advertise);
  });

  it('gives each of several lanes to whom it was promised', async () => {
    const expected = [1, 2, 3].map((lane) => listener.expect(lane));
    const dialled = await Promise.all(expected.map(({ offer }) => dialDirect(overLoopback(offer))));
    for (const [i, lane] of dialled.entries()) await lane.send(new Uint8Array([i]));
    for (const [i, { lane }] of expected.entries()) {
      const { value } = await (await lane).messages[Symbol.asyncIterator]().next();
      expect([...(value as Uint8Array)]).toEqual([i]);
    }
    for (const lane of dialled) await lane.close();
  });

  it('takes a token once', async () => {
    const { offer, lane } = listener.expect(1);
    const other = listener.expect(2);
    const dialled = await dialDirect(overLoopback(offer));
    await expect(dialDirect(overLoopback(offer))).rejects.toMatchObject({ code: 'network' });
    await dialled.send(new Uint8Array([1]));
    expect((await (await lane).messages[Symbol.asyncIterator]().next()).done).toBe(false);
    await Promise.all([dialled.close(), (await dialDirect(overLoopback(other.offer))).close()]);
  });

  it('refuses a wrong token, and the right one is good afterwards', async () => {
    const { offer, lane } = listener.expect(1);
    const wrong = { ...offer, token: new Uint8Array(offer.token).fill(1) };
    await expect(dialDirect(overLoopback(wrong))).rejects.toMatchObject({ code: 'network' });
    const dialled = await dialDirect(overLoopback(offer));
    await Promise.all([dialled.close(), (await lane).closed]);
  });

  it('keeps an offer for longer than a client dials', async () => {
    const { offer } = listener.expect(1);
    const late = listener.expect(2);
    await clock.advance(DIAL_TIMEOUT_MS + 1_000);
    const lane = await dialDirect(overLoopback(offer));
    await clock.advance(EXPECT_TIMEOUT_MS - DIAL_TIMEOUT_MS);
    await expect(late.lane).rejects.toMatchObject({ code: 'timeout' });
    lane.abort();
  });

  it('lets an offer expire', async () => {
    const { offer, lane } = listener.expect(1, { timeoutMs: 1_000 });
    listener.expect(2);
    clock.pass(1_000);
    await expect(lane).rejects.toMatchObject({ code: 'timeout' });
    await expect(dialDirect(overLoopback(offer))).rejects.toMatchObject({ code: 'network' });
  });

  it('forgets an offer that its signal takes back', async () => {
    const controller = new AbortController();
    const { offer, lane } = listener.expect(1, { signal: controller.signal });
    listener.expect(2);
    controller.abort();
    await expect(lane).rejects.toMatchObject({ code: 'cancelled' });
    await expect(dialDirect(overLoopback(offer))).rejects.toMatchObject({ code: 'network' });
    expect(() => listener.expect(3, { signal: controller.signal })).toThrow(
      expect.objectContaining({ code: 'cancelled' }),
    );
  });

  it('waits for a bounded number of lanes', () => {
    for (let lane = 0; lane < MAX_EXPECTED_LANES; lane++) listener.expect(lane);
    expect(() => listener.expect(0)).toThrow(expect.objectContaining({ code: 'busy' }));
  });

  it('closes connections at once while nobody is expected', async () => {
    const socket = connectTcp(listener.port, '127.0.0.1');
    await closed(socket);
  });

  it.each([
    ['no TLS', (port: number) => connectTcp(port, '127.0.0.1').end('GET / HTTP/1.1\r\n\r\n'.repeat(1000))],
    [
      'TLS 1.2',
      (port: number) => connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, maxVersion: 'TLSv1.2' }),
    ],
    ['another first word', (port: number) => speak(port, Buffer.alloc(40, 'HTTP'))],
    ['more than a greeting', (port: number) => speak(port, Buffer.alloc(100_000))],
    ['an absurd limit', (port: number, token: Uint8Array) => speak(port, encodeGreeting({ maxMessageSize: 1, token }))],
  ])('cuts off whoever speaks %s, and still takes the one who is expected', async (_, connect) => {
    const { offer, lane } = listener.expect(1);
    await closed(connect(listener.port, offer.token));
    const dialled = await dialDirect(overLoopback(offer));
    await Promise.all([dialled.close(), (await lane).closed]);
  });

  it('cuts off whoever says nothing, in time', async () => {
    listener.expect(1);
    const silent = connectTcp(listener.port, '127.0.0.1').on('error', () => {});
    const halfWay = dialTls({ host: '127.0.0.1', port: listener.port }).socket;
    await once(halfWay, 'secureConnect');
    halfWay.write('MRD1');
    clock.pass(GREETING_TIMEOUT_MS);
    await Promise.all([closed(silent), closed(halfWay)]);
  });

  it('takes a bounded number of strangers from one address, and others when they are gone', async () => {
    const { offer, lane } = listener.expect(1);
    const silent = Array.from({ length: MAX_UNAUTHENTICATED_PER_ADDRESS }, () =>
      connectTcp(listener.port, '127.0.0.1'),
    );
    await Promise.all(silent.map((socket) => once(socket, 'connect')));
    await closed(connectTcp(listener.port, '127.0.0.1'));
    for (const socket of silent) socket.destroy();
    // Its sockets close when the listener has noticed.
    let dialled = await dialDirect(overLoopback(offer)).catch(() => undefined);
    while (dialled === undefined) dialled = await dialDirect(overLoopback(offer)).catch(() => undefined);
    await Promise.all([dialled.close(), (await lane).closed]);
  });

  it('leaves open lanes open when it is closed, and ends all that waits', async () => {
    const { dialled, accepted } = await openLanes(listener);
    const { offer, lane } = listener.expect(2);
    const silent = connectTcp(listener.port, '127.0.0.1');
    await once(silent, 'connect');
    await listener.close();
    await listener.close();
    await expect(lane).rejects.toMatchObject({ code: 'network' });
    await closed(silent);
    await expect(dialDirect(overLoopback(offer))).rejects.toMatchObject({ code: 'network' });
    expect(() => listener.expect(3)).toThrow(expect.objectContaining({ code: 'network' }));
    await dialled.send(new Uint8Array([1]));
    expect((await accepted.messages[Symbol.asyncIterator]().next()).done).toBe(false);
    await dialled.close();
  });

  it('says that its port is taken', async () => {
    const taken = createServer().listen(0, '::');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    await expect(listenDirect({ port })).rejects.toMatchObject({
      code: 'network',
      message: expect.stringContaining(`Port ${port} is in use`),
      cause: expect.objectContaining({ code: 'EADDRINUSE' }),
    });
    taken.close();
  });
});

/** Sends bytes inside TLS, without waiting for anything. */
function speak(port: number, bytes: Uint8Array): Socket {
  const { socket } = dialTls({ host: '127.0.0.1', port });
  socket.write(bytes);
  return socket;
}

async function closed(socket: Socket): Promise<void> {
  socket.on('error', () => {});
  socket.resume();
  if (!socket.closed) await new Promise((resolve) => socket.on('close', resolve));
}

function disposable(listener: DirectListener): DirectListener & AsyncDisposable {
  return { ...listener, [Symbol.asyncDispose]: () => listener.close() };
}
