import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { loadToken, startBridge } from '../../src/index.ts';
import { addModel, afterTest, ask, bridgeOf, temporaryFolder } from '../support.ts';

/** Sends bytes as they are. @returns all that comes until the other side closes */
async function raw(port: number, ...texts: readonly string[]): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  afterTest(() => socket.destroy());
  let got = '';
  socket.on('data', (bytes) => (got += bytes.toString('latin1')));
  for (const text of texts) socket.write(text, 'latin1');
  await new Promise<void>((resolve) => {
    socket.once('close', () => resolve());
    socket.once('error', () => resolve());
  });
  return got;
}

const HOST = 'Host: localhost\r\n';

describe('requests that are not what they should be', () => {
  it.each<[string, string, RegExp]>([
    ['no HTTP at all', 'hello\r\n\r\n', /^HTTP\/1\.1 400/],
    ['no host', 'GET /health HTTP/1.1\r\n\r\n', /^HTTP\/1\.1 400/],
    ['two hosts', `GET /health HTTP/1.1\r\n${HOST}Host: evil\r\n\r\n`, /^HTTP\/1\.1 (400|403)/],
    ['huge headers', `GET / HTTP/1.1\r\n${HOST}X: ${'a'.repeat(20_000)}\r\n\r\n`, /^HTTP\/1\.1 431/],
    ['a NUL in a header', `GET / HTTP/1.1\r\n${HOST}X: a\0b\r\n\r\n`, /^HTTP\/1\.1 400/],
    ['a bare line feed in a header', `GET / HTTP/1.1\r\n${HOST}X: a\nY: b\r\n\r\n`, /^HTTP\/1\.1 400/],
    ['two lengths', `GET / HTTP/1.1\r\n${HOST}Content-Length: 1\r\nContent-Length: 2\r\n\r\n`, /^HTTP\/1\.1 400/],
    [
      'a length and chunks',
      `POST /hf/api/models/a/paths-info/main HTTP/1.1\r\n${HOST}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      /^HTTP\/1\.1 400/,
    ],
    [
      'chunks of an unknown encoding',
      `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
      /^HTTP\/1\.1 400/,
    ],
    ['a proxy request', `GET http://evil/ HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`, /^HTTP\/1\.1 400/],
    ['a tunnel', `CONNECT evil:80 HTTP/1.1\r\n${HOST}\r\n`, /^HTTP\/1\.1 405/],
    ['an upgrade', `GET / HTTP/1.1\r\n${HOST}Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n`, /^HTTP\/1\.1 426/],
  ])('%s is refused', async (_name, text, answer) => {
    const { bridge } = await bridgeOf();
    expect(await raw(bridge.port, text)).toMatch(answer);
    expect((await ask(`${bridge.url}/health`)).status).toBe(200);
  });

  it('never takes a body for the next request', async () => {
    const { bridge } = await bridgeOf();
    const inner = `GET /metrics HTTP/1.1\r\n${HOST}\r\n`;
    const got = await raw(
      bridge.port,
      `GET /health HTTP/1.1\r\n${HOST}Content-Length: ${inner.length}\r\n\r\n${inner}`,
    );
    expect(got.match(/^HTTP\/1\.1 \d+/gm)).toEqual(['HTTP/1.1 400']);
  });

  it('takes several requests in one packet in their order', async () => {
    const { bridge } = await bridgeOf();
    const one = `GET /health HTTP/1.1\r\n${HOST}\r\n`;
    const got = await raw(bridge.port, `${one}${one}GET /nothing HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`);
    expect(got.match(/^HTTP\/1\.1 \d+/gm)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200', 'HTTP/1.1 404']);
  });

  it('reads nothing but the files of registered models', async () => {
    const { registry, bridge } = await bridgeOf();
    await addModel(registry, { 'weights.pt': 'bytes' }, 'mouse');
    const inside = `${registry.paths.models}/registry.json`;
    for (const path of [
      '/v1/models/download/../../../../etc/passwd',
      '/v1/models/download/%2e%2e%2f%2e%2e%2fetc%2fpasswd',
      `/v1/models/download/${encodeURIComponent(inside)}`,
      `/v1/models${inside}`,
      `/v1/models/download/mouse?file=${encodeURIComponent('../registry.json')}`,
      '/hf/mouse/resolve/main/../../registry.json',
      '/hf/mouse/resolve/main/%2e%2e/registry.json',
      '/hf/mouse/resolve/main/.model-rtc/entry.json',
      '/hf/api/models/../../etc',
      '/v2/library/mouse/blobs/../../../registry.json',
      '/v2/..%2f..%2fetc/manifests/latest',
      '/v1/models/__proto__',
      '/v1/models/constructor',
      '/hf/api/models/__proto__/tree/main',
      '//etc/passwd',
    ]) {
      expect([path, (await ask(bridge.url + path)).status]).toEqual([path, expect.anything()]);
      expect((await ask(bridge.url + path)).status).toBeGreaterThanOrEqual(400);
    }
    for (const path of ['/v1/models/a%00b', '/v1/models/a%0d%0ab', '/v1/models/%', `/v1/models/${'a'.repeat(9000)}`]) {
      expect([400, 414]).toContain((await ask(bridge.url + path)).status);
    }
  });

  it('lets no page of another site ask', async () => {
    const { bridge } = await bridgeOf();
    const asked = async (headers: Record<string, string>) => (await ask(`${bridge.url}/v1/models`, { headers })).status;
    expect(await asked({ host: 'evil.example' })).toBe(403);
    expect(await asked({ host: 'localhost.evil.example' })).toBe(403);
    expect(await asked({ host: '127.0.0.1.evil.example' })).toBe(403);
    expect(await asked({ host: `localhost:${bridge.port}` })).toBe(200);
    expect(await asked({ host: '[::1]:1' })).toBe(200);
    expect(await asked({ host: 'a b' })).toBe(400);
    expect(await asked({ origin: 'https://evil.example' })).toBe(403);
    expect(await asked({ origin: 'null' })).toBe(403);
    expect(await asked({ 'sec-fetch-site': 'cross-site' })).toBe(403);
    expect(await asked({ 'sec-fetch-site': 'none' })).toBe(200);
    const answer = await ask(`${bridge.url}/v1/models`, { headers: { origin: bridge.url } });
    expect([answer.status, Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))]).toEqual([
      200,
      [],
    ]);
    expect((await ask(`${bridge.url}/v1/models`, { method: 'OPTIONS' })).status).toBe(405);
  });
});

describe('a token', () => {
  it('is needed where other machines reach the bridge, and for all but its health', async () => {
    const { registry, bridge } = await bridgeOf({ host: '0.0.0.0', token: 'a-token-of-some-length' });
    await expect(startBridge({ registry, port: 0, host: '0.0.0.0' })).rejects.toMatchObject({ code: 'bad_argument' });
    const url = `http://127.0.0.1:${bridge.port}`;
    const asked = async (authorization?: string, path = '/v1/models') =>
      (
        await ask(url + path, {
          headers: { host: 'gpu.lab', ...(authorization === undefined ? {} : { authorization }) },
        })
      ).status;
    expect(await asked('Bearer a-token-of-some-length')).toBe(200);
    expect(await asked('bearer  a-token-of-some-length')).toBe(200);
    for (const wrong of [
      undefined,
      '',
      'Bearer',
      'Bearer x',
      'Bearer a-token-of-some-lengt',
      'Basic a-token-of-some-length',
    ]) {
      for (const path of ['/v1/models', '/hf/api/models', '/v2/', '/metrics', '/nothing'])
        expect(await asked(wrong, path)).toBe(401);
    }
    expect(await asked(undefined, '/health')).toBe(200);
  });

  it('is made in a file that only its owner reads, once', async () => {
    const path = join(await temporaryFolder(), 'token');
    const token = await loadToken(path);
    expect(token).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    await chmod(path, 0o644);
    expect(await loadToken(path)).toBe(token);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readFile(path, 'utf8')).toBe(`${token}\n`);
    await writeFile(path, 'short');
    await expect(loadToken(path)).rejects.toMatchObject({ code: 'bad_argument' });
  });
});

describe('/metrics', () => {
  it('counts requests and bytes by API', async () => {
    const { registry, bridge } = await bridgeOf();
    await addModel(registry, { 'weights.pt': 'bytes' }, 'mouse');
    await ask(`${bridge.url}/v1/models/download/mouse`);
    await ask(`${bridge.url}/v1/models/cat`);
    let text = '';
    // A client has its bytes a moment before the bridge counts them.
    while (!text.includes('model_rtc_bridge_downloads 0')) {
      const answer = await ask(`${bridge.url}/metrics`);
      expect(answer.headers['content-type']).toContain('text/plain');
      text = answer.body.toString();
    }
    expect(text).toContain('model_rtc_bridge_requests_total{api="models",status="200"} 1');
    expect(text).toContain('model_rtc_bridge_requests_total{api="models",status="404"} 1');
    expect(text).toContain('model_rtc_bridge_sent_bytes_total 5');
  });
});
