import { createHash, randomBytes } from 'node:crypto';
import { open, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import {
  addModel,
  afterTest,
  ask,
  bridgeOf,
  openTestRegistry,
  receiveInto,
  remoteOf,
  temporaryFolder,
} from '../support.ts';

const MEBI = 1024 * 1024;
const BYTES = randomBytes(3 * MEBI + 7);
const SHA256 = createHash('sha256').update(BYTES).digest('hex');

describe('/v1/models', () => {
  it('lists the models of this machine in the shape of OpenAI, with what is known besides', async () => {
    const { registry, bridge } = await bridgeOf();
    const mouse = await addModel(registry, { 'weights.pt': BYTES }, 'mouse');
    await addModel(registry, { 'other.pt': randomBytes(10) }, 'rat');
    const list: Listed = (await ask(`${bridge.url}/v1/models`)).json();
    expect(list).toMatchObject({ object: 'list', has_more: false });
    expect(list.data.map(({ id }) => id).sort()).toEqual(['mouse', 'rat']);
    expect(list.data.find(({ id }) => id === 'mouse')).toMatchObject({
      ...{ object: 'model', model_id: mouse.id, digest: mouse.digest, alias: 'mouse', size_bytes: BYTES.length },
      ...{ is_local: true, download_url: `${bridge.url}/v1/models/download/${mouse.id}` },
    });
    const first: Listed = (await ask(`${bridge.url}/v1/models?limit=1`)).json();
    expect(first).toMatchObject({ data: [{}], has_more: true });
    const after: Listed = (await ask(`${bridge.url}/v1/models?limit=1&after=${first.last_id}`)).json();
    expect(after).toMatchObject({ data: [{}], has_more: false });
    expect(after.last_id).not.toBe(first.last_id);
    expect((await ask(`${bridge.url}/v1/models?limit=0`)).status).toBe(400);
  });

  it('describes a model by its id, alias, digest or full name, with its files', async () => {
    const { registry, bridge } = await bridgeOf();
    const source = await openTestRegistry();
    const model = await addModel(source, { 'weights.pt': BYTES });
    await receiveInto(registry, { from: source, model, entry: { name: 'lab/mouse v1', alias: 'mouse' as never } });
    for (const ref of [model.id, 'mouse', model.digest, 'lab/mouse%20v1', 'lab%2Fmouse%20v1']) {
      const answer = await ask(`${bridge.url}/v1/models/${ref}`);
      expect([ref, answer.status]).toEqual([ref, 200]);
      expect(answer.json()).toMatchObject({
        ...{ id: 'mouse', digest: model.digest, sha256: SHA256, main_file: 'weights.pt' },
        files: [{ path: 'weights.pt', size_bytes: BYTES.length, sha256: SHA256 }],
      });
    }
    const missing = await ask(`${bridge.url}/v1/models/cat`);
    expect([missing.status, missing.json()]).toMatchObject([404, { error: { code: 'not_found', param: null } }]);
  });
});

describe('/v1/models/download', () => {
  it('gives a file whole, in part, and as a head, with its SHA-256 as its tag', async () => {
    const { registry, bridge } = await bridgeOf();
    await addModel(registry, { 'weights.pt': BYTES }, 'mouse');
    const url = `${bridge.url}/v1/models/download/mouse`;
    const whole = await ask(url);
    expect(whole.status).toBe(200);
    expect(whole.body.equals(BYTES)).toBe(true);
    expect(whole.headers).toMatchObject({
      ...{ 'content-length': String(BYTES.length), etag: `"${SHA256}"`, 'accept-ranges': 'bytes' },
      ...{ 'content-disposition': 'attachment; filename="weights.pt"', 'x-content-type-options': 'nosniff' },
    });
    const head = await ask(url, { method: 'HEAD', headers: { range: 'bytes=0-1' } });
    expect([head.status, head.headers['content-length'], head.body.length]).toEqual([200, String(BYTES.length), 0]);
    const from = 2 * MEBI - 5;
    const part = await ask(url, { headers: { range: `bytes=${from}-${from + 99}` } });
    expect([part.status, part.headers['content-range']]).toEqual([206, `bytes ${from}-${from + 99}/${BYTES.length}`]);
    expect(part.body.equals(BYTES.subarray(from, from + 100))).toBe(true);
    const beyond = await ask(url, { headers: { range: `bytes=${BYTES.length}-` } });
    expect([beyond.status, beyond.headers['content-range']]).toEqual([416, `bytes */${BYTES.length}`]);
    const same = await ask(url, { headers: { 'if-none-match': `"${SHA256}"` } });
    expect([same.status, same.body.length]).toEqual([304, 0]);
    expect((await ask(url, { headers: { 'if-match': '"x"' } })).status).toBe(412);
    expect((await ask(url, { method: 'DELETE' })).headers.allow).toBe('GET, HEAD');
  });

  it('gives the file that is named of several, and no other path', async () => {
    const { registry, bridge } = await bridgeOf();
    await addModel(registry, { 'a/one.bin': 'one', 'b/two "2" 日.bin': 'two', empty: '' }, 'pair');
    const url = `${bridge.url}/v1/models/download/pair`;
    expect((await ask(url)).status).toBe(404);
    const two = await ask(`${url}?file=${encodeURIComponent('b/two "2" 日.bin')}`);
    expect(two.body.toString()).toBe('two');
    expect(two.headers['content-disposition']).toBe(
      'attachment; filename="two \\"2\\" ?.bin"; filename*=UTF-8\'\'two%20%222%22%20%E6%97%A5.bin',
    );
    const empty = await ask(`${url}?file=empty`);
    expect([empty.status, empty.body.length, empty.headers['content-length']]).toEqual([200, 0, '0']);
    for (const path of [
      '../../registry.json',
      '.model-rtc/entry.json',
      '/etc/passwd',
      'a',
      'a/../a/one.bin',
      'a%2Fone.bin',
    ]) {
      expect([path, (await ask(`${url}?file=${encodeURIComponent(path)}`)).status]).toEqual([path, 404]);
    }
  });

  it('cuts the connection when the file changes while it is read', async () => {
    const { registry, bridge } = await bridgeOf();
    const original = join(await temporaryFolder(), 'weights.pt');
    await writeFile(original, Buffer.alloc(48 * MEBI, 'a'));
    await registry.importModel(original, { alias: 'linked' as never });
    const response = await fetch(`${bridge.url}/v1/models/download/linked`);
    const reader = response.body?.getReader();
    await reader?.read();
    const file = await open(original, 'r+');
    await file.write('b', 47 * MEBI);
    await file.close();
    const rest = async (): Promise<void> => {
      while ((await reader?.read())?.done === false);
    };
    // The client sees that it has not all, since the promised length did not come.
    await expect(rest()).rejects.toThrow();
  });

  it('says that a file has changed, without its path', async () => {
    const { registry, bridge } = await bridgeOf();
    const original = join(await temporaryFolder(), 'weights.pt');
    await writeFile(original, BYTES);
    const { entry } = await registry.importModel(original, { alias: 'linked' as never });
    expect(entry.linked).toBe(true);
    const url = `${bridge.url}/v1/models/download/linked`;
    expect((await ask(url)).body.equals(BYTES)).toBe(true);
    await truncate(original, 100);
    await utimes(original, new Date(), new Date());
    const changed = await ask(url);
    expect(changed.status).toBe(410);
    // Its path is nobody's business.
    expect(changed.body.toString()).not.toContain(original);
    await rm(original);
    expect((await ask(url)).status).toBeGreaterThanOrEqual(400);
  });

  it('serves many at once', async () => {
    const { registry, bridge } = await bridgeOf();
    await addModel(registry, { 'weights.pt': BYTES }, 'mouse');
    const all = await Promise.all(Array.from({ length: 50 }, () => ask(`${bridge.url}/v1/models/download/mouse`)));
    expect(all.every(({ status, body }) => status === 200 && body.equals(BYTES))).toBe(true);
  });
});

describe('a model that only others have', () => {
  it('is listed and described without being fetched', async () => {
    const [source, registry] = [await openTestRegistry(), await openTestRegistry()];
    const model = await addModel(source, { 'weights.pt': BYTES }, 'far');
    const { remote, pulls } = remoteOf(source, registry);
    const { bridge } = await bridgeOf({ registry, remote });
    const list: Listed = (await ask(`${bridge.url}/v1/models`)).json();
    expect(list.data).toMatchObject([{ id: 'far', digest: model.digest, is_local: false }]);
    expect((await ask(`${bridge.url}/v1/models/far`)).json()).toMatchObject({ sha256: SHA256 });
    const head = await ask(`${bridge.url}/v1/models/download/far`, { method: 'HEAD' });
    expect(head.headers).toMatchObject({ etag: `"${SHA256}"`, 'content-length': String(BYTES.length) });
    expect(pulls).toEqual([]);
  });

  it('does not keep those of this machine from being listed when it cannot be asked for', async () => {
    const registry = await openTestRegistry();
    await addModel(registry, { 'weights.pt': BYTES }, 'near');
    const { remote } = remoteOf(registry, registry);
    const list = async () => await Promise.reject(new Error('the cache is damaged'));
    const { bridge } = await bridgeOf({ registry, remote: { ...remote, list } });
    const listed: Listed = (await ask(`${bridge.url}/v1/models`)).json();
    expect(listed.data.map(({ id }) => id)).toEqual(['near']);
  });

  it('is sent as its chunks come, and is in the registry afterwards', async () => {
    const [source, registry] = [await openTestRegistry(), await openTestRegistry()];
    const model = await addModel(source, { 'weights.pt': BYTES }, 'far');
    const last = deferred();
    const { remote, pulls } = remoteOf(source, registry, {
      gate: async (chunk) => (chunk < 2 ? undefined : last.promise),
    });
    const { bridge } = await bridgeOf({ registry, remote });
    const response = await fetch(`${bridge.url}/v1/models/download/far`);
    let got = Buffer.alloc(0);
    for await (const piece of response.body as unknown as AsyncIterable<Uint8Array>) {
      got = Buffer.concat([got, piece]);
      // The rest comes only after the first chunks are at the client.
      if (got.length >= 2 * MEBI) last.resolve();
    }
    expect(got.equals(BYTES)).toBe(true);
    expect(pulls).toEqual([model.digest]);
    // The last bytes are at the client a moment before the model is installed.
    while ((await registry.find(model.digest)) === undefined) await new Promise((resolve) => setTimeout(resolve, 10));
  });

  it('goes on being fetched when the client is gone, once for all that ask', async () => {
    const [source, registry] = [await openTestRegistry(), await openTestRegistry()];
    const model = await addModel(source, { 'weights.pt': BYTES }, 'far');
    const rest = deferred();
    const { remote, pulls } = remoteOf(source, registry, {
      gate: async (chunk) => (chunk < 1 ? undefined : rest.promise),
    });
    const { bridge } = await bridgeOf({ registry, remote });
    const url = `${bridge.url}/v1/models/download/far`;
    const leaving = new AbortController();
    const first = await fetch(url, { signal: leaving.signal });
    await first.body?.getReader().read();
    leaving.abort();
    const second = ask(url, { headers: { range: 'bytes=-7' } });
    rest.resolve();
    expect((await second).body.equals(BYTES.subarray(-7))).toBe(true);
    expect(pulls).toEqual([model.digest]);
  });

  it('is refused where the policy refuses it, and not there when nobody can be reached', async () => {
    const [source, registry] = [await openTestRegistry(), await openTestRegistry()];
    await addModel(source, { 'weights.pt': BYTES }, 'far');
    const { remote } = remoteOf(source, registry);
    const { ModelRtcError } = await import('@model-rtc/protocol');
    let failing = async (): Promise<void> => {
      throw new ModelRtcError('refused', 'This node may not send models here. Allow it.');
    };
    const { bridge } = await bridgeOf({ registry, remote: { ...remote, pull: async () => await failing() } });
    const url = `${bridge.url}/v1/models/download/far`;
    const refused = await ask(url);
    expect([refused.status, refused.body.toString()]).toEqual([403, expect.stringContaining('may not send models')]);
    failing = async () => {
      throw new ModelRtcError('network', 'Nobody answers.');
    };
    expect((await ask(url)).status).toBe(502);
  });

  it('is cut off when its pull ends halfway', async () => {
    const [source, registry] = [await openTestRegistry(), await openTestRegistry()];
    const model = await addModel(source, { 'weights.pt': BYTES }, 'far');
    const [{ remote }, ending, never] = [remoteOf(source, registry), new AbortController(), deferred()];
    const gate = async (chunk: number) => (chunk < 1 ? undefined : await never.promise);
    const pull = async () => await receiveInto(registry, { from: source, model, gate, signal: ending.signal });
    const { bridge } = await bridgeOf({ registry, remote: { ...remote, pull } });
    const reader = (await fetch(`${bridge.url}/v1/models/download/far`)).body?.getReader();
    await reader?.read();
    ending.abort();
    const rest = async (): Promise<void> => {
      while ((await reader?.read())?.done === false);
    };
    await expect(rest()).rejects.toThrow();
  });

  it('is not fetched more often than a minute allows', async () => {
    const [source, registry] = [await openTestRegistry(), await openTestRegistry()];
    await addModel(source, { 'weights.pt': BYTES }, 'far');
    const { remote } = remoteOf(source, registry);
    const { ModelRtcError } = await import('@model-rtc/protocol');
    const pull = async () => {
      throw new ModelRtcError('network', 'Nobody answers.');
    };
    const { bridge } = await bridgeOf({ registry, remote: { ...remote, pull } });
    const statuses: number[] = [];
    for (let i = 0; i < 40; i++) statuses.push((await ask(`${bridge.url}/v1/models/download/far`)).status);
    expect(statuses.slice(0, 30)).toEqual(Array.from({ length: 30 }, () => 502));
    expect(statuses.at(-1)).toBe(503);
  });
});

interface Listed {
  readonly data: readonly { readonly id: string }[];
  readonly last_id: string;
}

function deferred() {
  let resolve = (): void => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  afterTest(() => resolve());
  return { promise, resolve };
}
