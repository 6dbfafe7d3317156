import { mkdir, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { publish, sha256, temporaryFolder } from '../../../../test/support/registry-folder.ts';
import { openStaticRegistry, type ServedRegistry, serveRegistry } from '../../src/index.ts';

const BYTES = Buffer.from(Array.from({ length: 1000 }, (_, i) => i % 251));
let served: ServedRegistry;
let folder: string;
const address = (path: string) => `http://127.0.0.1:${served.port}/${path}`;
const DATA = `data/${sha256(BYTES)}`;

beforeEach(async () => {
  folder = await temporaryFolder();
  await publish(folder, ['g', 'm', '1'], { 'a.bin': BYTES }, { chunkBytes: 1000 });
  served = await serveRegistry({ folder, port: 0, host: '127.0.0.1' });
});
afterEach(async () => await served.close());

/** Asks without tidying the path, as `fetch` would. */
function status(path: string, method = 'GET', headers: Record<string, string> = {}): Promise<number | undefined> {
  return new Promise((done, fail) => {
    request({ host: '127.0.0.1', port: served.port, path, method, headers }, (answer) => {
      answer.resume();
      done(answer.statusCode);
    })
      .on('error', fail)
      .end();
  });
}

describe('serving a registry folder', () => {
  it('is a registry that clients read', async () => {
    const registry = openStaticRegistry({ url: address('') });
    const found = (await registry.list()).find({ group: 'g', model: 'm', version: '1' });
    expect((await registry.manifest(found.hash)).chunks).toEqual([sha256(BYTES)]);
  });

  it('lets data be kept for ever, and the list be asked for again', async () => {
    const data = await fetch(address(DATA));
    expect(data.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(Buffer.from(await data.arrayBuffer()).equals(BYTES)).toBe(true);
    const list = await fetch(address('models.json'));
    expect(list.headers.get('cache-control')).toBe('no-cache');
    const etag = list.headers.get('etag') ?? '';
    expect(await status('/models.json', 'GET', { 'If-None-Match': etag })).toBe(304);
    expect(await status('/models.json.sig')).toBe(404);
    await writeFile(join(folder, 'models.json.sig'), '{"signatures":[]}');
    const signatures = await fetch(address('models.json.sig'));
    expect([signatures.status, signatures.headers.get('cache-control')]).toEqual([200, 'no-cache']);
  });

  it.each([
    ['bytes=10-19', 206, BYTES.subarray(10, 20)],
    ['bytes=990-', 206, BYTES.subarray(990)],
    ['bytes=-5', 206, BYTES.subarray(995)],
  ])('gives the range %s', async (range, code, expected) => {
    const answer = await fetch(address(DATA), { headers: { Range: range } });
    expect(answer.status).toBe(code);
    expect(Buffer.from(await answer.arrayBuffer()).equals(expected)).toBe(true);
  });

  it('says how long a file is that is shorter than the range', async () => {
    const answer = await fetch(address(DATA), { headers: { Range: 'bytes=5000-' } });
    expect([answer.status, answer.headers.get('content-range')]).toEqual([416, 'bytes */1000']);
  });

  it('answers HEAD, and refuses to be written to', async () => {
    const head = await fetch(address(DATA), { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length')]).toEqual([200, '1000']);
    expect(await status('/models.json', 'PUT')).toBe(405);
    expect(await status('/models.json', 'DELETE')).toBe(405);
  });

  it('gives nothing but the list and data', async () => {
    await mkdir(join(folder, 'data', 'f'.repeat(64)));
    await writeFile(join(folder, 'secret'), 'x');
    await writeFile(join(folder, '.models.json.lock'), 'x');
    const paths = [
      '/',
      '/secret',
      '/data',
      '/data/',
      '/data/../secret',
      '/data/%2e%2e/secret',
      '/.models.json.lock',
      '//models.json',
    ];
    for (const path of [...paths, `/data/${'f'.repeat(64)}`, `/data/${'0'.repeat(64)}`, '/data/x', '/%00']) {
      expect([path, await status(path)]).toEqual([path, 404]);
    }
  });

  it.each([-1, 65_536, 1.5, Number.NaN])('does not listen on port %d', async (port) => {
    await expect(serveRegistry({ folder, port })).rejects.toMatchObject({ code: 'bad_argument' });
  });

  it('says that a port is taken', async () => {
    await expect(serveRegistry({ folder, port: served.port, host: '127.0.0.1' })).rejects.toMatchObject({
      code: 'bad_argument',
      message: expect.stringContaining('Another program uses it'),
    });
  });
});
