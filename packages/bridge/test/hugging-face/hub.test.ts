import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import {
  downloadFile,
  downloadFileToCacheDir,
  fileExists,
  listFiles,
  listModels,
  modelInfo,
  pathsInfo,
  snapshotDownload,
} from '@huggingface/hub';
import { describe, expect, it } from '@jest/globals';
import { addModel, ask, bridgeOf, openTestRegistry, receiveInto, remoteOf, temporaryFolder } from '../support.ts';

const COMMITS = ['a'.repeat(40), 'b'.repeat(40)] as const;
const WEIGHTS = randomBytes(2 * 1024 * 1024 + 11);
const FILES = {
  'config.json': '{"model_type":"mouse"}',
  'model.bin': WEIGHTS,
  'onnx/deep/er/model.bin': 'onnx',
  'onnx/vocab.txt': 'a b c',
};

function sha256(bytes: Buffer | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** A bridge with lab/mouse as it was on the hub at two times, and a model of this machine. */
async function scene() {
  const source = await openTestRegistry();
  const { registry, bridge } = await bridgeOf();
  const put = async (files: Record<string, Buffer | string>, entry: object) => {
    const model = await addModel(source, files);
    await receiveInto(registry, { from: source, model, entry: { source: 'hub', ...entry } });
    return model;
  };
  await put(
    { 'config.json': '{}', 'old.bin': 'old' },
    { hub: { repo: 'lab/mouse', commit: COMMITS[0], revision: 'v1' } },
  );
  await put(FILES, { hub: { repo: 'lab/mouse', commit: COMMITS[1] } });
  // Another file of the same version, which came as a model of its own.
  await put(
    { 'mouse-Q4.gguf.bin': 'quantized' },
    { hub: { repo: 'lab/mouse', commit: COMMITS[1] }, alias: 'mouse-q4' },
  );
  const own = await addModel(registry, { 'weights.pt': 'own' }, 'rat-v1');
  return { registry, bridge, own, hubUrl: `${bridge.url}/hf`, repo: { type: 'model', name: 'lab/mouse' } as const };
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

describe("the hub's official library", () => {
  it('finds the models and what is known of one', async () => {
    const { hubUrl } = await scene();
    const models = await all(listModels({ hubUrl }));
    expect(models.map(({ name }) => name).sort()).toEqual(['lab/mouse', 'rat-v1']);
    expect((await all(listModels({ hubUrl, search: { query: 'RAT' } }))).map(({ name }) => name)).toEqual(['rat-v1']);
    expect(await modelInfo({ hubUrl, name: 'lab/mouse', additionalFields: ['sha'] })).toMatchObject({
      name: 'lab/mouse',
      private: false,
      sha: COMMITS[1],
    });
  });

  it('lists the files of a version: all, of a folder, and page by page', async () => {
    const { hubUrl, repo } = await scene();
    const paths = async (options: object) =>
      (await all(listFiles({ hubUrl, repo, ...options }))).map(({ path, type }) =>
        type === 'file' ? path : `${path}/`,
      );
    expect(await paths({})).toEqual(['onnx/', 'config.json', 'model.bin', 'mouse-Q4.gguf.bin']);
    expect(await paths({ recursive: true })).toEqual([
      ...['onnx/', 'onnx/deep/', 'onnx/deep/er/', 'config.json', 'model.bin', 'mouse-Q4.gguf.bin'],
      ...['onnx/deep/er/model.bin', 'onnx/vocab.txt'],
    ]);
    expect(await paths({ path: 'onnx' })).toEqual(['onnx/deep/', 'onnx/vocab.txt']);
    expect(await paths({ revision: 'v1' })).toEqual(['config.json', 'old.bin']);
    expect(await paths({ revision: COMMITS[0] })).toEqual(['config.json', 'old.bin']);
    await expect(paths({ revision: 'v9' })).rejects.toMatchObject({ statusCode: 404 });
    await expect(paths({ path: 'nothing' })).rejects.toMatchObject({ statusCode: 404 });
    const first = await ask(`${hubUrl}/api/models/lab/mouse/tree/main?recursive=true&limit=3`);
    const [, next] = /<(.*)>; rel="next"/.exec(String(first.headers.link)) ?? [];
    const second: readonly unknown[] = (await ask(next as string)).json();
    expect([(first.json() as readonly unknown[]).length, second.length]).toEqual([3, 3]);
  });

  it('downloads files whole and in part, checks that they exist, and keeps them in its cache', async () => {
    const { hubUrl, repo } = await scene();
    const blob = await downloadFile({ hubUrl, repo, path: 'model.bin', xet: false } as never);
    expect(Buffer.from(await (blob as Blob).arrayBuffer()).equals(WEIGHTS)).toBe(true);
    const part = await (blob as Blob).slice(1_000_000, 1_000_100).arrayBuffer();
    expect(Buffer.from(part).equals(WEIGHTS.subarray(1_000_000, 1_000_100))).toBe(true);
    expect(await fileExists({ hubUrl, repo, path: 'onnx/vocab.txt' })).toBe(true);
    expect(await fileExists({ hubUrl, repo, path: 'onnx/none.txt' })).toBe(false);
    expect(await downloadFile({ hubUrl, repo, path: 'none.bin' })).toBeNull();
    const infos = await pathsInfo({ hubUrl, repo, paths: ['model.bin', 'onnx', 'none'] });
    expect(infos.map(({ path, type, size }) => [path, type, size])).toEqual([
      ['model.bin', 'file', WEIGHTS.length],
      ['onnx', 'directory', 0],
    ]);
    expect(infos[0]?.lfs).toMatchObject({ oid: sha256(WEIGHTS), size: WEIGHTS.length });
    const cacheDir = await temporaryFolder();
    const path = await downloadFileToCacheDir({ hubUrl, repo, path: 'model.bin', cacheDir });
    expect(path).toContain(COMMITS[1]);
    expect((await readFile(path)).equals(WEIGHTS)).toBe(true);
    const snapshot = await snapshotDownload({ hubUrl, repo, cacheDir });
    expect(await readFile(`${snapshot}/onnx/deep/er/model.bin`, 'utf8')).toBe('onnx');
  });

  it('has models that come from no hub under their alias, id and full name', async () => {
    const { hubUrl, own } = await scene();
    for (const name of ['rat-v1', own.id]) {
      const blob = await downloadFile({ hubUrl, repo: { type: 'model', name }, path: 'weights.pt' });
      expect(await (blob as Blob).text()).toBe('own');
    }
    const { sha }: { readonly sha: string } = (await ask(`${hubUrl}/api/models/rat-v1`)).json();
    expect(sha).toBe(own.digest.slice(0, 40));
    expect((await ask(`${hubUrl}/rat-v1/resolve/${sha}/weights.pt`)).status).toBe(200);
  });

  it('has models of static registries as GROUP/MODEL, with their versions as revisions', async () => {
    const [source, { registry, bridge }] = [await openTestRegistry(), await bridgeOf()];
    for (const version of ['1.0', '2.0']) {
      const model = await addModel(source, { 'w.bin': version });
      await receiveInto(registry, {
        from: source,
        model,
        entry: { releases: [{ group: 'lab', model: 'cat', version }] },
      });
    }
    const text = async (revision: string) =>
      (await ask(`${bridge.url}/hf/lab/cat/resolve/${revision}/w.bin`)).body.toString();
    expect([await text('1.0'), await text('2.0')]).toEqual(['1.0', '2.0']);
    expect(['1.0', '2.0']).toContain(await text('main'));
  });
});

describe("the requests of Python's huggingface_hub", () => {
  it('get the head of a file with all that its cache needs, over a model that is not here without fetching it', async () => {
    const [source, registry] = [await openTestRegistry(), await openTestRegistry()];
    const hub = await openTestRegistry();
    const model = await addModel(hub, { 'model.bin': WEIGHTS, 'config.json': '{}' });
    await receiveInto(source, {
      from: hub,
      model,
      entry: { source: 'hub', hub: { repo: 'lab/far', commit: COMMITS[0] } },
    });
    const { remote, pulls } = remoteOf(source, registry);
    const { bridge } = await bridgeOf({ registry, remote });
    const url = `${bridge.url}/hf/lab/far/resolve/main/model.bin`;
    const head = await ask(url, {
      method: 'HEAD',
      headers: { 'accept-encoding': 'identity', 'user-agent': 'hf_hub/1' },
    });
    expect([head.status, head.headers]).toMatchObject([
      200,
      {
        'x-repo-commit': COMMITS[0],
        etag: `"${sha256(WEIGHTS)}"`,
        'x-linked-etag': `"${sha256(WEIGHTS)}"`,
        'x-linked-size': String(WEIGHTS.length),
        'content-length': String(WEIGHTS.length),
      },
    ]);
    expect(pulls).toEqual([]);
    // Resumes where it was.
    const rest = await ask(url, { headers: { range: 'bytes=1000000-' } });
    expect([rest.status, rest.body.equals(WEIGHTS.subarray(1_000_000))]).toEqual([206, true]);
    expect(pulls).toEqual([model.digest]);
  });

  it('are told what is missing by the codes that it knows', async () => {
    const { hubUrl } = await scene();
    const code = async (path: string) => {
      const { status, headers } = await ask(hubUrl + path, { method: 'HEAD' });
      return [status, headers['x-error-code'], headers['x-repo-commit']];
    };
    expect(await code('/lab/cat/resolve/main/x')).toEqual([404, 'RepoNotFound', undefined]);
    expect(await code('/api/models/lab/cat')).toEqual([404, 'RepoNotFound', undefined]);
    expect(await code('/lab/mouse/resolve/v9/x')).toEqual([404, 'RevisionNotFound', undefined]);
    expect(await code('/lab/mouse/resolve/main/x')).toEqual([404, 'EntryNotFound', COMMITS[1]]);
    expect(await code('/api/datasets/lab/mouse')).toEqual([404, undefined, undefined]);
  });

  it('get the files with their sizes for a snapshot', async () => {
    const { hubUrl } = await scene();
    const info: { readonly siblings: readonly object[] } = (
      await ask(`${hubUrl}/api/models/lab/mouse/revision/main?blobs=true`)
    ).json();
    expect(info.siblings).toContainEqual(
      expect.objectContaining({
        rfilename: 'model.bin',
        size: WEIGHTS.length,
        lfs: expect.objectContaining({ sha256: sha256(WEIGHTS) }),
      }),
    );
    expect((await ask(`${hubUrl}/api/models/lab/mouse/refs`)).json()).toMatchObject({
      branches: [
        { name: 'main', targetCommit: COMMITS[1] },
        { name: 'v1', targetCommit: COMMITS[0] },
      ],
    });
  });

  it('may ask for facts of paths in a body, and nothing else', async () => {
    const { hubUrl } = await scene();
    const post = async (body: string) => {
      const headers = { 'content-type': 'application/json', 'content-length': String(body.length) };
      return await ask(`${hubUrl}/api/models/lab/mouse/paths-info/main`, { method: 'POST', headers, body });
    };
    expect((await post('{"paths":["config.json"],"expand":true}')).json()).toMatchObject([
      { type: 'file', path: 'config.json' },
    ]);
    expect((await post('{"paths":7}')).status).toBe(400);
    expect((await post('{')).status).toBe(400);
    expect((await post('null')).status).toBe(400);
    expect((await post(`{"paths":["${'a'.repeat(300_000)}"]}`)).status).toBe(413);
    expect((await ask(`${hubUrl}/api/models/lab/mouse/paths-info/main`)).status).toBe(405);
  });
});
