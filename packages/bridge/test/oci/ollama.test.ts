import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { REPOSITORY } from '../../../../test/repository/workspaces.ts';
import { addModel, ask, bridgeOf, openTestRegistry, receiveInto, remoteOf } from '../support.ts';

const ACCEPT = 'application/vnd.docker.distribution.manifest.v2+json';

interface Layer {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

interface Manifest {
  readonly mediaType: string;
  readonly config: Layer;
  readonly layers: readonly Layer[];
}

function sha256(bytes: Buffer | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function tinyGguf(): Promise<Buffer> {
  return await readFile(`${REPOSITORY}/test/fixtures/tiny-gguf/tiny-F16.gguf`);
}

/**
 * The steps of `ollama pull`: the manifest, then of each blob its size, a request that is broken off once it was answered, and its
 * parts over connections of their own, without what the first requests carried.
 * Source: https://github.com/ollama/ollama (server/images.go, server/download.go)
 */
async function ollamaPull(url: string, name: string, tag: string, parts = 16): Promise<Map<string, Buffer>> {
  const answer = await ask(`${url}/v2/${name}/manifests/${tag}`, { headers: { accept: ACCEPT } });
  if (answer.status !== 200) throw new Error(`${answer.status} ${answer.body}`);
  const manifest: Manifest = answer.json();
  const blobs = new Map<string, Buffer>();
  for (const { digest, size, mediaType } of [...manifest.layers, manifest.config]) {
    const blobUrl = `${url}/v2/${name}/blobs/${digest}`;
    const total = Number((await ask(blobUrl, { method: 'HEAD' })).headers['content-length']);
    expect([mediaType, total]).toEqual([mediaType, size]);
    const direct = await fetch(blobUrl, { redirect: 'manual' });
    expect(direct.status).toBe(200);
    await direct.body?.cancel();
    const partSize = Math.max(1, Math.ceil(total / parts));
    const starts = Array.from({ length: Math.ceil(total / partSize) }, (_, i) => i * partSize);
    const pieces = await Promise.all(
      starts.map(async (start) => {
        const range = `bytes=${start}-${Math.min(start + partSize, total) - 1}`;
        return (await ask(blobUrl, { headers: { range } })).body;
      }),
    );
    const bytes = Buffer.concat(pieces);
    expect([mediaType, `sha256:${sha256(bytes)}`]).toEqual([mediaType, digest]);
    blobs.set(mediaType.replace('application/vnd.ollama.image.', ''), bytes);
  }
  return blobs;
}

describe('ollama', () => {
  it('pulls a GGUF model with its template, parameters and license', async () => {
    const { registry, bridge } = await bridgeOf();
    const gguf = await tinyGguf();
    await addModel(
      registry,
      { 'model.gguf': gguf, template: '{{ .Prompt }}', params: '{"stop":["x"]}', license: 'MIT', 'README.md': '#' },
      'mouse',
    );
    const blobs = await ollamaPull(bridge.url, 'library/mouse', 'latest');
    expect([...blobs.keys()].sort()).toEqual([
      'application/vnd.docker.container.image.v1+json',
      'license',
      'model',
      'params',
      'template',
    ]);
    expect(blobs.get('model')?.equals(gguf)).toBe(true);
    expect(JSON.parse(String(blobs.get('application/vnd.docker.container.image.v1+json')))).toMatchObject({
      model_format: 'gguf',
      os: 'linux',
    });
  });

  it('pulls a model that only others have: it is fetched once, while the parts are asked for', async () => {
    const [source, registry] = [await openTestRegistry(), await openTestRegistry()];
    const gguf = await tinyGguf();
    const model = await addModel(source, { 'tiny.gguf': gguf }, 'far');
    const { remote, pulls } = remoteOf(source, registry);
    const { bridge } = await bridgeOf({ registry, remote });
    expect((await ollamaPull(bridge.url, 'library/far', 'latest')).get('model')?.equals(gguf)).toBe(true);
    expect(pulls).toEqual([model.digest]);
  });

  it('chooses among the models of one repository by the quantization', async () => {
    const [source, { registry, bridge }] = [await openTestRegistry(), await bridgeOf()];
    const gguf = await tinyGguf();
    for (const [quantization, extra] of [
      ['Q4_K_M', randomBytes(8)],
      ['Q8_0', randomBytes(8)],
    ] as const) {
      const model = await addModel(source, { [`mouse-${quantization}.gguf`]: gguf, 'notes.txt': extra });
      const hub = { repo: 'Lab/Mouse-GGUF', commit: 'c'.repeat(40) };
      await receiveInto(registry, { from: source, model, entry: { hub, notes: quantization } });
    }
    const digests = new Set<string>();
    for (const tag of ['q4_k_m', 'Q8_0', 'latest']) {
      const answer = await ask(`${bridge.url}/v2/Lab/Mouse-GGUF/manifests/${tag}`);
      expect([tag, answer.status]).toEqual([tag, 200]);
      digests.add(String(answer.headers['docker-content-digest']));
    }
    expect((await ask(`${bridge.url}/v2/Lab/Mouse-GGUF/manifests/Q5`)).json()).toMatchObject({
      errors: [{ code: 'MANIFEST_UNKNOWN' }],
    });
  });

  it('finds a manifest by its digest, and says in the words of such registries what is missing', async () => {
    const { registry, bridge } = await bridgeOf();
    await addModel(registry, { 'model.gguf': await tinyGguf(), note: 'x' }, 'mouse');
    await addModel(registry, { 'weights.pt': 'x' }, 'rat');
    const v2 = await ask(`${bridge.url}/v2/`);
    expect([v2.status, v2.headers['docker-distribution-api-version']]).toEqual([200, 'registry/2.0']);
    const manifest = await ask(`${bridge.url}/v2/library/mouse/manifests/latest`);
    const digest = String(manifest.headers['docker-content-digest']);
    expect(digest).toBe(`sha256:${sha256(manifest.body)}`);
    expect(manifest.headers['content-type']).toBe(ACCEPT);
    expect((await ask(`${bridge.url}/v2/library/mouse/manifests/${digest}`)).body.equals(manifest.body)).toBe(true);
    const code = async (path: string) => {
      const answer = await ask(`${bridge.url}/v2/${path}`);
      const { errors }: { readonly errors: readonly { readonly code: string }[] } = answer.json();
      return [answer.status, errors[0]?.code];
    };
    expect(await code('library/cat/manifests/latest')).toEqual([404, 'NAME_UNKNOWN']);
    expect(await code(`library/mouse/manifests/sha256:${'0'.repeat(64)}`)).toEqual([404, 'MANIFEST_UNKNOWN']);
    expect(await code(`library/mouse/blobs/sha256:${'0'.repeat(64)}`)).toEqual([404, 'BLOB_UNKNOWN']);
    expect(await code('library/mouse/blobs/md5:1')).toEqual([400, 'DIGEST_INVALID']);
    expect(await code('library/rat/manifests/latest')).toEqual([403, 'DENIED']);
    expect(await code('_catalog')).toEqual([404, 'UNSUPPORTED']);
  });
});
