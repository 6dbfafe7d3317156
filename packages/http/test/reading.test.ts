import { writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type Clock, type ModelRtcError, systemClock } from '@model-rtc/protocol';
import { type FileServer, serveFolder } from '../../../test/support/file-server.ts';
import { temporaryFolder } from '../../../test/support/registry-folder.ts';
import { createNodeFetch, type HttpClient, type RemoteFile, readPart, readUrl, readWhole } from '../src/index.ts';

/** Waits a hundredth of the time that it should. */
const hurried: Clock = { ...systemClock, after: (delayMs, callback) => systemClock.after(delayMs / 100, callback) };
const BYTES = Buffer.from(Array.from({ length: 100_000 }, (_, i) => i % 251));
const options = { clock: hurried, random: () => 0, patienceMs: 60_000 };

async function scene(): Promise<{ server: FileServer; url: string; file: RemoteFile }> {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'file'), BYTES);
  const server = await serveFolder(folder);
  const url = `${server.url}/file`;
  return { server, url, file: fileAt(url) };
}

function fileAt(url: string, client: Partial<HttpClient> = {}): RemoteFile {
  const fetch = createNodeFetch();
  return { url, read: (read) => readUrl({ fetch, ...client }, { url }, read) };
}

async function part(file: RemoteFile, offset: number, length: number, more: object = {}) {
  const got: Buffer[] = [];
  const outcome = await readPart(
    file,
    { offset, length },
    {
      ...{ ...options, fileBytes: BYTES.length },
      take: (bytes, at) => {
        expect(at).toBe(offset + Buffer.concat(got).length);
        got.push(Buffer.from(bytes));
      },
      ...more,
    },
  );
  return { outcome, isRight: Buffer.concat(got).equals(BYTES.subarray(offset, offset + length)) };
}

async function failure(work: Promise<unknown>): Promise<ModelRtcError> {
  return await work.then(
    () => {
      throw new Error('it succeeded');
    },
    (error) => error as ModelRtcError,
  );
}

describe('a part of a file over HTTP', () => {
  it('comes as it is asked for, over one connection that is kept', async () => {
    const { server, file } = await scene();
    for (const [offset, length] of [
      [0, 10],
      [500, 90_000],
      [99_999, 1],
    ] as const) {
      expect(await part(file, offset, length)).toEqual({ outcome: 'done', isRight: true });
    }
    expect(server.asked.map(({ range }) => range)).toEqual(['bytes=0-9', 'bytes=500-90499', 'bytes=99999-99999']);
    expect(new Set(server.asked.map(({ port }) => port)).size).toBeLessThan(3);
  });

  it('goes on where a connection was cut, as often as something came', async () => {
    const { server, file } = await scene();
    server.misbehave = ({ range }, response, bytes, times) => {
      if (times > 6) return false;
      const from = Number(/=(\d+)/.exec(range ?? '')?.[1]);
      response.writeHead(206, {
        'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}`,
        'content-length': bytes.length - from,
      });
      response.write(bytes.subarray(from, from + 1000), () => response.destroy());
      return true;
    };
    expect(await part(file, 0, BYTES.length)).toEqual({ outcome: 'done', isRight: true });
    expect(server.asked).toHaveLength(7);
    expect(server.asked.at(-1)?.range).not.toBe('bytes=0-99999');
  });

  it.each([500, 502, 503, 429, 408])(
    'is asked for again after HTTP %i, and given up after three more',
    async (status) => {
      const { server, file } = await scene();
      server.misbehave = (_asked, response, _bytes, times) => {
        if (times > 3) return false;
        response.writeHead(status).end();
        return true;
      };
      expect(await part(file, 5, 10)).toEqual({ outcome: 'done', isRight: true });
      server.misbehave = (_asked, response) => {
        response.writeHead(status).end();
        return true;
      };
      const asked = server.asked.length;
      const error = await failure(part(file, 5, 10));
      expect(error.code).toBe(status === 503 || status === 429 ? 'busy' : 'network');
      expect(server.asked.length - asked).toBe(4);
    },
  );

  it('waits for as long as a busy server says, unless that is too long', async () => {
    const { server, file } = await scene();
    const waits: number[] = [];
    const clock: Clock = {
      ...systemClock,
      after(delayMs, callback) {
        waits.push(delayMs);
        return systemClock.after(delayMs >= 30_000 ? delayMs : 1, callback);
      },
    };
    const busyFor = (seconds: string) => {
      server.asked.length = 0;
      server.misbehave = (_asked, response, _bytes, times) => {
        if (times === 1) response.writeHead(429, { 'retry-after': seconds }).end();
        return times === 1;
      };
    };
    busyFor('7');
    expect((await part(file, 0, 10, { clock })).outcome).toBe('done');
    expect(waits).toContain(7_000);
    busyFor('7');
    expect(await failure(part(file, 0, 10, { clock, patienceMs: 2_000 }))).toMatchObject({
      code: 'busy',
      details: { retryAfterMs: 7_000 },
    });
    busyFor(new Date(Date.now() - 60_000).toUTCString());
    expect((await part(file, 0, 10, { clock })).outcome).toBe('done');
  });

  it('comes from a server that ignores ranges, which is noticed', async () => {
    const { server, file } = await scene();
    let noticed = 0;
    server.misbehave = (_asked, response, bytes) => {
      response.writeHead(200, { 'content-length': bytes.length }).end(bytes);
      return true;
    };
    const onWhole = () => {
      noticed++;
    };
    expect(await part(file, 70_000, 1_000, { onWhole })).toEqual({ outcome: 'done', isRight: true });
    expect(noticed).toBe(1);
  });

  it('is missing where the file is, and wrong where the file has another length', async () => {
    const { server, file } = await scene();
    expect((await part(file, 0, 10, { fileBytes: 7 })).outcome).toBe('wrong');
    expect((await part(file, 200_000, 10)).outcome).toBe('missing');
    server.misbehave = (_asked, response) => {
      response.writeHead(404).end();
      return true;
    };
    expect((await part(file, 0, 10)).outcome).toBe('missing');
  });

  it('ends when a server sends other bytes than those asked for', async () => {
    const { server, file } = await scene();
    server.misbehave = (_asked, response, bytes) => {
      response
        .writeHead(206, { 'content-range': `bytes 3-12/${bytes.length}`, 'content-length': 10 })
        .end(bytes.subarray(3, 13));
      return true;
    };
    expect((await failure(part(file, 0, 10))).code).toBe('network');
  });

  it.each(['bytes 6-15/100000', 'bytes 4-13/100000', undefined, 'bytes */100000', 'bytes 5-14', 'items 5-14/100000'])(
    'ends when a server says of a part that it is %s, where 5-14 were asked for',
    async (said) => {
      const { server, file } = await scene();
      server.misbehave = (_asked, response, bytes) => {
        response.writeHead(206, said === undefined ? {} : { 'content-range': said }).end(bytes.subarray(5, 15));
        return true;
      };
      expect((await failure(part(file, 5, 10))).code).toBe('network');
    },
  );

  it('is not taken from a reader that begins behind what was asked for', async () => {
    const { url } = await scene();
    const behind: RemoteFile = {
      url,
      read: async () => ({ kind: 'found', offset: 6, totalBytes: BYTES.length, etag: undefined, body: oneBody() }),
    };
    async function* oneBody() {
      yield BYTES.subarray(6, 16);
    }
    expect((await failure(part(behind, 5, 10))).code).toBe('network');
  });

  it('goes on from the right place when a server answers the second attempt with the whole file', async () => {
    const { server, file } = await scene();
    server.misbehave = ({ range }, response, bytes, times) => {
      if (times > 1) response.writeHead(200, { 'content-length': bytes.length }).end(bytes);
      else {
        const from = Number(/=(\d+)/.exec(range ?? '')?.[1]);
        response.writeHead(206, { 'content-range': `bytes ${from}-99999/100000`, 'content-length': 100_000 - from });
        response.write(bytes.subarray(from, from + 1000), () => response.destroy());
      }
      return true;
    };
    expect(await part(file, 500, 90_000)).toEqual({ outcome: 'done', isRight: true });
  });

  it('is refused by HTTP 403, and asked for once', async () => {
    const { server, file } = await scene();
    server.misbehave = (_asked, response) => {
      response.writeHead(403).end();
      return true;
    };
    expect((await failure(part(file, 0, 10))).code).toBe('refused');
    expect(server.asked).toHaveLength(1);
  });

  it('ends soon when it is cancelled, and when a server says nothing', async () => {
    const { server, url } = await scene();
    server.misbehave = (_asked, response, bytes, times) => {
      if (times % 2 === 0) response.writeHead(200, { 'content-length': bytes.length }).write(bytes.subarray(0, 10));
      return true;
    };
    const file = fileAt(url, { headTimeoutMs: 30, bodyGapMs: 30 });
    expect((await failure(part(file, 0, 1000))).code).toBe('timeout');
    const abort = new AbortController();
    const cancelled = failure(part(file, 0, 1000, { signal: abort.signal }));
    abort.abort();
    expect((await cancelled).code).toBe('cancelled');
  });
});

describe('a whole file', () => {
  it('is not taken when it is longer than it may be', async () => {
    const { file, url } = await scene();
    const read = (maxBytes: number) => readWhole(file, { ...options, maxBytes });
    expect(await read(BYTES.length)).toMatchObject({ kind: 'found' });
    expect((await failure(read(BYTES.length - 1))).code).toBe('invalid_model');
    expect(await readWhole(fileAt(`${url}-gone`), { ...options, maxBytes: 10 })).toEqual({ kind: 'missing' });
  });
});

describe('the environment of a program', () => {
  const proxies: Server[] = [];

  afterEach(async () => {
    for (const proxy of proxies.splice(0)) {
      proxy.closeAllConnections();
      await new Promise((resolve) => proxy.close(resolve));
    }
  });

  it('names the proxy that requests go through, and hosts that need none', async () => {
    const { server, url } = await scene();
    const connected: string[] = [];
    const proxy = createServer((request, response) => {
      connected.push(request.url ?? '');
      response.writeHead(502).end();
    });
    proxy.on('connect', (request, socket) => {
      connected.push(request.url ?? '');
      socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
    });
    proxies.push(proxy);
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const HTTP_PROXY = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const fileWith = (env: Record<string, string>) => fileAt(url, { fetch: createNodeFetch({ env }) });
    await failure(fileWith({ HTTP_PROXY }).read({}));
    expect(connected.join()).toContain(new URL(server.url).host);
    expect(await fileWith({ HTTP_PROXY, NO_PROXY: '127.0.0.1' }).read({})).toMatchObject({ kind: 'found' });
  });

  it('fails at once when the proxy closes every connection, in place of connecting for ever', async () => {
    const { url } = await scene();
    let connections = 0;
    const proxy = createServer().on('connect', (_, socket) => socket.destroy());
    proxy.on('connection', () => connections++);
    proxies.push(proxy);
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const HTTP_PROXY = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    expect(await failure(fileAt(url, { fetch: createNodeFetch({ env: { HTTP_PROXY } }) }).read({}))).toMatchObject({
      code: 'network',
    });
    expect(connections).toBe(1);
  });
});
