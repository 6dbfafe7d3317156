import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { sha256Digest } from '@model-rtc/protocol';
import { afterTest } from '../../../../test/support/after-test.ts';
import { BUCKET, KEY, type S3ServerOptions } from '../../../../test/support/s3/server.ts';
import { dataPath, LIST_PATH, openPublishTarget } from '../../src/index.ts';
import { bucketScene, PREFIX } from './support.ts';

const BYTES = Buffer.alloc(300_000, 'weights ');
const HASH = sha256Digest(BYTES);
const PLACE = `${PREFIX}/${dataPath(HASH)}`;
const LIST = `${PREFIX}/${LIST_PATH}`;
const DAY_MS = 24 * 3600 * 1000;

const slowDown = { status: 503, code: 'SlowDown', message: 'Please reduce your request rate.' };

describe('a registry in a bucket', () => {
  it('stores data that caches keep for ever, and a list that they ask for again', async () => {
    const { server, target } = await bucketScene();
    await target.put(HASH, BYTES, undefined);
    await target.writeNamed(LIST_PATH, Buffer.from('{}'), undefined, undefined);
    expect(server.objects.get(PLACE)).toMatchObject({
      bytes: BYTES,
      headers: { 'content-type': 'application/octet-stream', 'cache-control': 'public, max-age=31536000, immutable' },
    });
    expect(server.objects.get(LIST)?.headers).toEqual({
      'content-type': 'application/json',
      'cache-control': 'no-cache',
    });
    expect(server.asks[0]?.headers['x-amz-checksum-sha256']).toBe(Buffer.from(HASH, 'hex').toString('base64'));
  });

  it('writes the list only where it is still the one that was read', async () => {
    const { target, open } = await bucketScene();
    const other = (await open()).target;
    const write = (to: typeof target, text: string, tag?: string) =>
      to.writeNamed(LIST_PATH, Buffer.from(text), tag, undefined);
    expect(await write(target, '{"a":1}')).toBe(true);
    expect(await write(other, '{"b":1}')).toBe(false);
    const read = await other.readNamed(LIST_PATH, undefined);
    expect(Buffer.from(read?.bytes ?? []).toString()).toBe('{"a":1}');
    expect(await write(other, '{"a":1,"b":1}', read?.tag)).toBe(true);
    expect(await write(target, '{"a":2}', read?.tag)).toBe(false);
  });

  it('knows its own list again when the answer to writing it was lost', async () => {
    let isLost = false;
    const { server, target } = await bucketScene({
      before: ({ method, key }) => {
        if (method !== 'PUT' || key !== LIST || isLost) return undefined;
        isLost = true;
        server.put(LIST, '{"a":1}');
        return { status: 500, code: 'InternalError', message: 'We encountered an internal error.' };
      },
    });
    expect(await target.writeNamed(LIST_PATH, Buffer.from('{"a":1}'), undefined, undefined)).toBe(true);
  });

  it('never writes a chunk that is there, and replaces one that is not whole', async () => {
    const { server, target } = await bucketScene();
    server.put(PLACE, BYTES);
    const before = server.objects.get(PLACE);
    await target.put(HASH, BYTES, undefined);
    expect(server.objects.get(PLACE)).toBe(before);
    server.put(PLACE, BYTES.subarray(1));
    expect(await target.claim(HASH, BYTES.length, undefined)).toBe(false);
    await target.put(HASH, BYTES, undefined);
    expect(server.objects.get(PLACE)?.bytes.equals(BYTES)).toBe(true);
  });

  it('lets the age of an old chunk that it finds begin anew, without sending it', async () => {
    const { server, target } = await bucketScene();
    server.put(PLACE, BYTES, 30 * DAY_MS);
    expect(await target.claim(HASH, BYTES.length, undefined)).toBe(true);
    expect(Date.now() - (server.objects.get(PLACE)?.writtenAtMs ?? 0)).toBeLessThan(DAY_MS);
    expect(server.objects.get(PLACE)?.headers['cache-control']).toContain('immutable');
    expect(server.asks.filter(({ method, isCopy }) => method === 'PUT' && !isCopy)).toEqual([]);
  });

  it('says that an old chunk is not there when somebody removes it at that moment', async () => {
    const { server, target } = await bucketScene({
      before: ({ isCopy }) => {
        if (isCopy) server.objects.clear();
        return undefined;
      },
    });
    server.put(PLACE, BYTES, 30 * DAY_MS);
    expect(await target.claim(HASH, BYTES.length, undefined)).toBe(false);
  });

  it('lists data page by page, and nothing else that is there', async () => {
    const { server, target } = await bucketScene({ pageSize: 2 });
    const names = Array.from({ length: 5 }, (_, i) => sha256Digest(Buffer.from([i])));
    for (const name of names) server.put(`${PREFIX}/data/${name}`, 'x');
    for (const other of ['data/notes.txt', 'models.json', `other/${names[0]}`]) server.put(`${PREFIX}/${other}`, 'x');
    server.put(`elsewhere/data/${sha256Digest(BYTES)}`, 'x');
    const found: string[] = [];
    for await (const { hash } of target.listData(undefined)) found.push(hash);
    expect(found.sort()).toEqual([...names].sort());
    expect(server.asks.filter(({ key }) => key === '')).toHaveLength(3);
  });

  it('removes only what is still old when it is removed', async () => {
    const { server, target } = await bucketScene();
    server.put(PLACE, BYTES, 30 * DAY_MS);
    const beforeMs = (await target.nowMs(undefined)) - 7 * DAY_MS;
    server.put(PLACE, BYTES);
    expect(await target.removeOlder(HASH, beforeMs, undefined)).toBe(false);
    server.put(PLACE, BYTES, 30 * DAY_MS);
    expect(await target.removeOlder(HASH, beforeMs, undefined)).toBe(true);
    expect(server.objects.size).toBe(0);
  });

  it('goes by the clock of the store, and works though the clock of this machine is wrong', async () => {
    const { target } = await bucketScene({ aheadMs: 30 * DAY_MS });
    expect(await target.readNamed(LIST_PATH, undefined)).toBeUndefined();
    await target.put(HASH, BYTES, undefined);
    const aheadMs = (await target.nowMs(undefined)) - Date.now();
    expect(Math.round(aheadMs / DAY_MS)).toBe(30);
  });

  it('waits and tries again when the store is busy, or breaks off', async () => {
    const failures = [slowDown, { status: 500, code: 'InternalError', message: 'x' }];
    const { server, target } = await bucketScene({ before: () => failures.shift() });
    await target.put(HASH, BYTES, undefined);
    expect(server.objects.has(PLACE)).toBe(true);
    expect(server.asks).toHaveLength(3);
  });

  it('ends a request that is cancelled', async () => {
    const abort = new AbortController();
    const { server, target } = await bucketScene({
      before: () => {
        abort.abort();
        return new Promise(() => undefined);
      },
    });
    await expect(target.put(HASH, BYTES, abort.signal)).rejects.toMatchObject({ code: 'cancelled' });
    expect(server.objects.size).toBe(0);
  });
});

describe('a proxy that the environment names', () => {
  const startProxy = async (onConnect: (target: string, socket: Duplex) => void): Promise<string> => {
    const proxy = createServer().on('connect', ({ url }, socket) => onConnect(url ?? '', socket));
    await new Promise<void>((done) => proxy.listen(0, '127.0.0.1', done));
    afterTest(() => proxy.close());
    return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  };

  it('is what the requests go through', async () => {
    const { server, open } = await bucketScene();
    const HTTP_PROXY = await startProxy((_, socket) => {
      const there = connect(Number(new URL(server.url).port), '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
        there.pipe(socket).pipe(there);
      });
      afterTest(() => there.destroy());
    });
    const { target } = await open({ endpoint: 'http://store.invalid', env: { HTTP_PROXY } });
    await target.put(HASH, BYTES, undefined);
    expect(server.objects.has(PLACE)).toBe(true);
  });

  it.each([
    ['my-models', 'my-models.s3.eu-central-1.amazonaws.com:443'],
    ['my.models', 's3.eu-central-1.amazonaws.com:443'],
  ])('is asked for the address that %s has at AWS, where no other store is named', async (bucket, host) => {
    const abort = new AbortController();
    const asked: string[] = [];
    const HTTPS_PROXY = await startProxy((target, socket) => {
      asked.push(target);
      socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
      abort.abort();
    });
    const s3 = { region: 'eu-central-1', credentials: KEY, env: { HTTPS_PROXY } };
    const { target } = await openPublishTarget(`s3://${bucket}/x`, s3);
    await expect(target.put(HASH, BYTES, abort.signal)).rejects.toMatchObject({ code: 'cancelled' });
    expect(asked[0]).toBe(host);
  });
});

describe('before it publishes to a bucket', () => {
  it('finds conditional writes, and asks for them only once more the next time', async () => {
    const { server, target } = await bucketScene();
    await target.prepare(undefined);
    await target.prepare(undefined);
    expect(server.objects.size).toBe(1);
  });

  it.each<['refused' | 'ignored', string]>([
    ['refused', 'does not write on a condition'],
    ['ignored', 'takes no notice of conditions'],
  ])('refuses a store where conditions are %s, unless there is one publisher', async (conditions, sentence) => {
    const { server, target, open } = await bucketScene({ conditions });
    const error = await target.prepare(undefined).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'refused', message: expect.stringContaining(sentence) });
    expect((error as Error).message).toContain('--single-publisher');
    const single = (await open({ singlePublisher: true })).target;
    await single.prepare(undefined);
    await single.put(HASH, BYTES, undefined);
    expect(await single.writeNamed(LIST_PATH, Buffer.from('{}'), undefined, undefined)).toBe(true);
    expect(await single.writeNamed(LIST_PATH, Buffer.from('{"a":1}'), undefined, undefined)).toBe(false);
    const { tag } = (await single.readNamed(LIST_PATH, undefined)) ?? {};
    expect(await single.writeNamed(LIST_PATH, Buffer.from('{"a":1}'), tag, undefined)).toBe(true);
    expect([...server.objects.keys()]).toEqual(expect.arrayContaining([PLACE, LIST]));
  });
});

describe('a bucket that cannot be used', () => {
  const answered = (status: number, code: string) => ({ before: () => ({ status, code, message: 'x' }) });
  const { accessKeyId, secretAccessKey } = KEY;
  it.each<[string, S3ServerOptions, object, string, string]>([
    [
      'an unknown key',
      {},
      { credentials: { accessKeyId: 'X', secretAccessKey } },
      'refused',
      'does not know the access key',
    ],
    [
      'a wrong secret',
      {},
      { credentials: { accessKeyId, secretAccessKey: 'X' } },
      'refused',
      'Correct AWS_SECRET_ACCESS_KEY',
    ],
    ['a wrong token', {}, { credentials: { ...KEY, sessionToken: 'old' } }, 'refused', 'Get new credentials'],
    ['no permission', answered(403, 'AccessDenied'), {}, 'refused', 'Ask its owner for s3:PutObject'],
    ['another region', {}, { region: 'us-east-1' }, 'bad_argument', 'Set AWS_REGION=eu-test-1'],
    ['a full store', answered(507, 'XMinioStorageFull'), {}, 'storage_full', 'has no space left'],
    ['an error of its own', answered(400, 'Strange'), {}, 'refused', 'HTTP 400 (Strange'],
    ['a clock that cannot be right', answered(403, 'RequestTimeTooSkewed'), {}, 'refused', 'Set the clock'],
    ['a redirect', answered(301, 'PermanentRedirect'), {}, 'bad_argument', 'Set AWS_REGION, or correct'],
  ])('ends with a sentence for %s', async (_, options, more, code, sentence) => {
    const { open } = await bucketScene(options);
    const { target } = await open(more);
    await expect(target.prepare(undefined)).rejects.toMatchObject({ code, message: expect.stringContaining(sentence) });
  });

  it('says that there is no such bucket', async () => {
    const { open } = await bucketScene();
    const { target } = await open({}, 's3://nothing/here');
    await expect(target.readNamed(LIST_PATH, undefined)).rejects.toMatchObject({
      code: 'not_found',
      message: expect.stringContaining('There is no bucket "nothing"'),
    });
  });

  it('takes the session token of temporary credentials', async () => {
    const temporary = { ...KEY, sessionToken: 'for an hour' };
    const { open } = await bucketScene({ keys: [temporary] });
    const { target } = await open({ credentials: temporary });
    await expect(target.prepare(undefined)).resolves.toBeUndefined();
    expect(BUCKET).toBe('models');
  });
});
