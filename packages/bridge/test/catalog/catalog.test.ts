import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { Digest } from '@model-rtc/protocol';
import type { RemoteModel, RemoteModels, RemoteNode } from '../../src/index.ts';
import { addModel, ask, bridgeOf, openTestRegistry } from '../support.ts';

const SELF = { key: 'a'.repeat(64), name: 'gpu-1', id: 'atmosphere-7' };
const OTHER = 'b'.repeat(64);

function node(key: string, more: Partial<RemoteNode> = {}): RemoteNode {
  return {
    ...{
      key,
      name: key.slice(0, 4),
      mesh: 'lab',
      role: 'worker',
      tags: ['lab'],
      properties: {},
      urls: ['ws://10.0.0.2:1'],
    },
    ...{
      fetching: [],
      sequence: 3,
      modelCount: 1,
      heardAt: new Date(0),
      isPresent: true,
      isSelf: false,
      isTrusted: true,
    },
    ...{ reliability: 1, ...more },
  };
}

const never = () => Promise.reject(new Error('nobody asks for this'));

function meshOf(models: readonly RemoteModel[], nodes: readonly RemoteNode[]): RemoteModels {
  return { list: async () => models, nodes: async () => nodes, find: never, manifest: never, pull: never };
}

interface Answered {
  readonly node_name: string;
  readonly nodes: readonly object[];
  readonly models: readonly { readonly digest: string; readonly holders: readonly object[] }[];
  readonly has_more: boolean;
  readonly last_digest: string;
}

const far = 'f'.repeat(64) as Digest;
const distant: RemoteModel = {
  ...{ digest: far, modelId: 'ffffffff', name: 'far', type: 'llama', format: 'gguf', sizeBytes: 7, sha256: far },
  ...{ version: '1.0', capabilities: ['chat'], baseModel: 'base', source: 'hub', sourceRef: 'hf:lab/far@1', tags: [] },
  holders: [{ key: OTHER, isWhole: true }],
};

describe('/v1/catalog', () => {
  it('tells the models of this machine without a mesh', async () => {
    const registry = await openTestRegistry();
    const model = await addModel(registry, { 'weights.bin': randomBytes(100) }, 'mouse');
    const { bridge } = await bridgeOf({ registry, self: SELF });
    const answer = await ask(`${bridge.url}/v1/catalog`);
    expect(answer.json()).toMatchObject({
      ...{
        object: 'model_catalog',
        node_id: 'atmosphere-7',
        node_key: SELF.key,
        node_name: 'gpu-1',
        ttl: 300,
        nodes: [],
      },
      timestamp: expect.stringMatching(/^20.*Z$/),
      transfer_endpoints: { download: `${bridge.url}/v1/models/download/` },
      models: [
        {
          ...{
            model_id: model.id,
            name: 'mouse',
            alias: 'mouse',
            size_bytes: 100,
            digest: model.digest,
            is_local: true,
          },
          ...{ source: 'local-import', holders: [{ node_key: SELF.key, is_whole: true }] },
          sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
          download_url: `${bridge.url}/v1/models/download/${model.digest}`,
        },
      ],
    });
    const head = await ask(`${bridge.url}/v1/catalog`, { method: 'HEAD' });
    expect([head.status, head.body.length]).toEqual([200, 0]);
  });

  it('tells the nodes of the mesh, what each says of its models, and who has them', async () => {
    const registry = await openTestRegistry();
    const model = await addModel(registry, { 'weights.bin': randomBytes(100) }, 'mouse');
    const shared = {
      ...distant,
      digest: model.digest,
      holders: [SELF.key, OTHER].map((key) => ({ key, isWhole: false })),
    };
    const nodes = [
      node(SELF.key, { isSelf: true, properties: { node_id: 'atmosphere-7' } }),
      node(OTHER, { bridgeUrl: 'http://10.0.0.2:14345', properties: { gpu_memory: 16 } }),
    ];
    const { bridge } = await bridgeOf({ registry, self: SELF, remote: meshOf([distant, shared], nodes) });
    const catalog: Answered = (await ask(`${bridge.url}/v1/catalog`)).json();
    expect(catalog.node_name).toBe('aaaa');
    expect(catalog.nodes).toMatchObject([
      { node_id: 'atmosphere-7', node_key: SELF.key, is_self: true },
      {
        ...{
          node_id: OTHER,
          node_name: 'bbbb',
          mesh: 'lab',
          role: 'worker',
          is_present: true,
          model_count: 1,
          ttl: 300,
        },
        ...{ properties: { gpu_memory: 16 }, tags: ['lab'], timestamp: '1970-01-01T00:00:00.000Z' },
        transfer_endpoints: { signaling: ['ws://10.0.0.2:1'], bridge: 'http://10.0.0.2:14345' },
      },
    ]);
    const byDigest = new Map(catalog.models.map((one) => [one.digest, one]));
    expect(byDigest.get(far)).toMatchObject({
      ...{
        model_id: 'ffffffff',
        name: 'far',
        type: 'llama',
        format: 'gguf',
        size_bytes: 7,
        sha256: far,
        version: '1.0',
      },
      ...{ capabilities: ['chat'], base_model: 'base', source: 'hub', source_ref: 'hf:lab/far@1', is_local: false },
      holders: [{ node_key: OTHER, is_whole: true }],
    });
    expect(byDigest.get(model.digest)?.holders).toEqual([
      { node_key: SELF.key, is_whole: true },
      { node_key: OTHER, is_whole: false },
    ]);
  });

  it('comes in pages, and only to those who may ask', async () => {
    const models = ['1', '2', '3'].map((digit): RemoteModel => ({ ...distant, digest: digit.repeat(64) as Digest }));
    const { bridge } = await bridgeOf({ remote: meshOf(models, []), token: 'secret-of-the-bridge-0123456789' });
    const headers = { authorization: 'Bearer secret-of-the-bridge-0123456789' };
    const first: Answered = (await ask(`${bridge.url}/v1/catalog?limit=2`, { headers })).json();
    expect([first.models.length, first.has_more]).toEqual([2, true]);
    const rest: Answered = (await ask(`${bridge.url}/v1/catalog?after=${first.last_digest}`, { headers })).json();
    expect([rest.models.map(({ digest }) => digest[0]), rest.has_more]).toEqual([['3'], false]);
    expect((await ask(`${bridge.url}/v1/catalog`)).status).toBe(401);
    expect((await ask(`${bridge.url}/v1/catalog?limit=-1`, { headers })).status).toBe(400);
    expect((await ask(`${bridge.url}/v1/catalog/x`, { headers })).status).toBe(404);
    expect((await ask(`${bridge.url}/v1/catalog`, { method: 'POST', headers })).status).toBe(405);
  });
});
