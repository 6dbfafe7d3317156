import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { DirectListener } from '../../../src/core/connect/components.ts';
import { createCertificate } from '../../../src/lanes/direct/certificate.ts';
import { dialDirect } from '../../../src/lanes/direct/dial.ts';
import { listenDirect } from '../../../src/lanes/direct/listen.ts';
import { overLoopback } from './lane-stage.ts';

describe('dialDirect', () => {
  let listener: DirectListener;
  const servers: Server[] = [];
  beforeEach(async () => {
    listener = await listenDirect();
  });
  afterEach(async () => {
    for (const server of servers.splice(0)) server.close();
    await listener.close();
  });

  /** A port at which connections are taken and nothing is said. */
  async function silentPort(): Promise<number> {
    const server = createServer((socket) => socket.on('error', () => {}).resume()).listen(0, '127.0.0.1');
    servers.push(server);
    await once(server, 'listening');
    return (server.address() as { port: number }).port;
  }

  async function closedPort(): Promise<number> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    server.close();
    await once(server, 'close');
    return port;
  }

  it('reaches the worker behind addresses that refuse, say nothing or have no host', async () => {
    const { offer, lane } = listener.expect(1);
    const addresses = [
      { host: '127.0.0.1', port: await closedPort() },
      { host: '127.0.0.1', port: await silentPort() },
      { host: 'no-such-host.invalid', port: 1 },
      ...overLoopback(offer).addresses,
    ];
    const dialled = await dialDirect({ ...offer, addresses });
    await dialled.send(new Uint8Array([5]));
    const { value } = await (await lane).messages[Symbol.asyncIterator]().next();
    expect([...(value as Uint8Array)]).toEqual([5]);
    await dialled.close();
  });

  it('opens one lane where several addresses lead to the worker', async () => {
    const { offer, lane } = listener.expect(1);
    const [address] = overLoopback(offer).addresses;
    if (address === undefined) throw new Error('loopback is not offered');
    const dialled = await dialDirect({ ...offer, addresses: [address, address, { ...address, host: 'localhost' }] });
    await Promise.all([dialled.close(), (await lane).closed]);
    expect(await dialled.closed).toBeUndefined();
  });

  it('reaches the worker at its IPv6 loopback address where there is one', async () => {
    const { offer, lane } = listener.expect(1);
    const addresses = offer.addresses.filter(({ host }) => host === '::1');
    // A machine without IPv6 offers none.
    if (addresses.length === 0) return;
    const dialled = await dialDirect({ ...offer, addresses });
    await Promise.all([dialled.close(), (await lane).closed]);
  });

  it('shows its token to nobody with another certificate', async () => {
    const { offer, lane } = listener.expect(1);
    const { digest } = createCertificate();
    await expect(dialDirect({ ...overLoopback(offer), certificate: digest })).rejects.toMatchObject({
      code: 'network',
      message: expect.stringContaining('another certificate'),
    });
    // It is still good, so the worker has not seen it.
    const dialled = await dialDirect(overLoopback(offer));
    await Promise.all([dialled.close(), (await lane).closed]);
  });

  it('names each address that it tried, and why it failed', async () => {
    const { offer } = listener.expect(1);
    const ports = [await closedPort(), await closedPort()];
    const addresses = ports.map((port) => ({ host: '127.0.0.1', port }));
    const error = await dialDirect({ ...offer, addresses }).catch((thrown) => thrown);
    expect(error).toMatchObject({
      code: 'network',
      cause: expect.objectContaining({ code: 'ECONNREFUSED' }),
      details: { tried: expect.arrayContaining(ports.map((port) => `127.0.0.1:${port}`)) },
    });
    for (const port of ports) expect(error.message).toContain(`127.0.0.1:${port} (ECONNREFUSED)`);
  });

  it('says so when it was offered no address', async () => {
    const { offer } = listener.expect(1);
    await expect(dialDirect({ ...offer, addresses: [] })).rejects.toMatchObject({
      code: 'network',
      message: expect.stringContaining('no address'),
    });
  });

  it('gives up when its time is over, naming what did not answer', async () => {
    const { offer } = listener.expect(1);
    const port = await silentPort();
    const dialling = dialDirect({ ...offer, addresses: [{ host: '127.0.0.1', port }] }, { timeoutMs: 50 });
    await expect(dialling).rejects.toMatchObject({
      code: 'timeout',
      message: expect.stringContaining(`127.0.0.1:${port} (no answer)`),
    });
  });

  it('stops when it is cancelled, before and meanwhile', async () => {
    const { offer } = listener.expect(1);
    const addresses = [{ host: '127.0.0.1', port: await silentPort() }];
    const controller = new AbortController();
    const dialling = dialDirect({ ...offer, addresses }, { signal: controller.signal });
    const [server] = servers;
    await once(server as Server, 'connection');
    controller.abort();
    await expect(dialling).rejects.toMatchObject({ code: 'cancelled' });
    await expect(dialDirect(offer, { signal: controller.signal })).rejects.toMatchObject({ code: 'cancelled' });
  });
});
