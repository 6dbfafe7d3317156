import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { afterTest } from '../../../../test/support/after-test.ts';
import { createS3HttpHandler } from '../../src/s3/http-handler.ts';

const REQUEST = { protocol: 'http:', hostname: '127.0.0.1', method: 'PUT', path: '/b/k', headers: {} };
const SILENCE_MS = 200;

async function serve(server = createServer()): Promise<number> {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  afterTest(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

describe('what sends requests to a store', () => {
  it('gives up on a proxy that closes every connection, as on one that may be tried again', async () => {
    const port = await serve(createServer().on('connect', (_, socket) => socket.destroy()));
    const handler = createS3HttpHandler({ HTTP_PROXY: `http://127.0.0.1:${port}` }, SILENCE_MS);
    await expect(handler.handle({ ...REQUEST, hostname: 'store.invalid' })).rejects.toMatchObject({
      name: 'TimeoutError',
    });
    handler.destroy();
  });

  it('gives up on a store that takes a request and does not answer', async () => {
    const port = await serve(createServer(() => undefined));
    const handler = createS3HttpHandler({}, SILENCE_MS);
    await expect(handler.handle({ ...REQUEST, port })).rejects.toMatchObject({ name: 'TimeoutError' });
    handler.destroy();
  });

  it('sends a body in pieces with the length that was said, and gives the time of the store', async () => {
    const taken: [string | undefined, number][] = [];
    const port = await serve(
      createServer(async (request, response) => {
        let bytes = 0;
        for await (const piece of request) bytes += (piece as Buffer).length;
        taken.push([request.headers['content-length'], bytes]);
        response.writeHead(200, { date: 'Thu, 01 Jan 2099 00:00:00 GMT' }).end();
      }),
    );
    const handler = createS3HttpHandler({});
    const headers = { 'content-length': '1000000' };
    const { response } = await handler.handle({ ...REQUEST, port, headers, body: new Uint8Array(1_000_000) });
    expect([response.statusCode, taken]).toEqual([200, [['1000000', 1_000_000]]]);
    expect(new Date(handler.serverNowMs()).getUTCFullYear()).toBe(2099);
    handler.destroy();
  });
});
