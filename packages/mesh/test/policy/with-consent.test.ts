import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { Digest, SessionToken } from '@model-rtc/protocol';
import { meshNode } from '../../../../test/support/mesh-node.ts';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import {
  consentDecisions,
  createMesh,
  decideConsent,
  isNoConsent,
  type Mesh,
  type MeshModel,
  type MeshNodeInfo,
  readDecisions,
  withConsent,
} from '../../src/index.ts';
import { nodeInfos } from '../../src/node/node-infos.ts';
import { HintBook } from '../../src/select/hints.ts';

const [ANNA, BEN, CLEO] = ['a', 'b', 'c'].map((letter) => letter.repeat(64)) as [string, string, string];
const DIGEST = 'd'.repeat(64) as Digest;

function node(key: string, name: string, more: Partial<MeshNodeInfo> = {}): MeshNodeInfo {
  return meshNode(name, { key, ...more });
}

/** A mesh whose nodes, which a test changes, all have one model. */
function meshOf(nodes: MeshNodeInfo[]): Mesh {
  const model = { digest: DIGEST, name: 'mouse' } as MeshModel;
  return {
    ...{ name: 'lab', id: 'id', selfKey: 'self', members: async () => [], nodes: async () => nodes },
    models: async () => [],
    find: async () => ({
      ...{ digest: DIGEST, names: ['mouse'], model },
      holders: nodes.map((one) => ({ node: one, isWhole: true, model })),
    }),
    session: async (key) => ({ keyId: key }) as unknown as SessionToken,
    refresh: async () => {},
    onChange: () => () => {},
    noteOutcome: async () => {},
    [Symbol.asyncDispose]: async () => {},
  };
}

describe('a mesh with consent', () => {
  it('gives nodes with consent alone, and says whom it left out', async () => {
    const nodes = [
      node(ANNA, 'anna', { hasConsent: true }),
      node(BEN, 'ben'),
      node(CLEO, 'cleo', { isPresent: false }),
    ];
    const mesh = withConsent(meshOf(nodes));
    expect((await mesh.find('mouse')).holders.map(({ node: { name } }) => name)).toEqual(['anna']);
    expect(mesh.leftOut().map(({ name }) => name)).toEqual(['ben']);
    await expect(mesh.session(BEN)).rejects.toMatchObject({ code: 'refused' });
    expect(await mesh.session(ANNA)).toMatchObject({ keyId: ANNA });
    nodes[1] = node(BEN, 'ben', { hasConsent: true });
    expect((await mesh.find('mouse')).holders).toHaveLength(2);
    expect(mesh.leftOut()).toEqual([]);
  });

  it('refuses a model that nobody with consent has, and says how to agree', async () => {
    const nodes = [node('f'.repeat(64), 'self', { isSelf: true }), node(ANNA, 'anna'), node(BEN, 'ben')];
    const refused = await withConsent(meshOf(nodes))
      .find('mouse')
      .catch((error) => error);
    expect(isNoConsent(refused)).toBe(true);
    expect(refused.message).toContain('anna (aaaaaaaa) and ben (bbbbbbbb)');
    expect(refused.message).toContain('model-rtc mesh consent anna ben.');
    const many = Array.from({ length: 40 }, (_, i) => node(`${i}`.padStart(64, '0'), `node-${i}`));
    await expect(withConsent(meshOf(many)).find('mouse')).rejects.toThrow(/node-4 \(\w+\) and 35 more .* NODE \.\.\./);
  });

  it('takes in those that appear later where everyone was agreed to who has the model', async () => {
    const nodes = [node(ANNA, 'anna', { hasConsent: true })];
    const agreed: string[] = [];
    const mesh = withConsent(meshOf(nodes), async (added) => {
      agreed.push(...added.map(({ name }) => name));
      nodes[1] = node(BEN, 'ben', { hasConsent: true });
    });
    expect((await mesh.find('mouse')).holders).toHaveLength(1);
    nodes[1] = node(BEN, 'ben');
    expect((await mesh.find('mouse')).holders).toHaveLength(2);
    expect(agreed).toEqual(['ben']);
    expect(mesh.leftOut()).toEqual([]);
  });

  it('does not propose nodes that do not count here', async () => {
    const mesh = withConsent(meshOf([node(ANNA, 'anna', { isTrusted: false })]));
    expect((await mesh.find('mouse')).holders).toEqual([]);
    expect(mesh.leftOut()).toEqual([]);
  });
});

describe('consents of a mesh', () => {
  const nodes = [
    { key: ANNA, name: 'anna' },
    { key: BEN, name: 'ben' },
  ];

  async function madeMesh() {
    const root = await temporaryFolder();
    const { id } = await createMesh({ root, name: 'lab', nodeName: 'self', signalingUrls: [] });
    const path = join(root, 'mesh', `lab-${id.slice(0, 8)}`, 'consents.json');
    return { root, path, agreed: async () => (await consentDecisions(root, 'lab')).consents.map(({ name }) => name) };
  }

  it('are kept, taken back, and each is in the audit', async () => {
    const { root, path, agreed } = await madeMesh();
    await decideConsent('given', { root, mesh: 'lab', nodes, by: 'mesh consent' });
    expect(await agreed()).toEqual(['anna', 'ben']);
    await decideConsent('withdrawn', { root, mesh: 'lab', nodes: nodes.slice(0, 1), by: 'mesh consent' });
    expect(await agreed()).toEqual(['ben']);
    await decideConsent('declined', { root, mesh: 'lab', nodes: nodes.slice(1), by: 'pull-model' });
    expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ consents: [], declined: [{ key: BEN }] });
    expect((await readDecisions(root)).map(({ event, what }) => [event, what])).toEqual([
      ['consent', 'did not agree to fetch models from ben (bbbbbbbb) of the mesh lab'],
      ['consent', 'took back the consent to fetch models from anna (aaaaaaaa) of the mesh lab'],
      ['consent', 'agreed to fetch models from ben (bbbbbbbb) of the mesh lab'],
      ['consent', 'agreed to fetch models from anna (aaaaaaaa) of the mesh lab'],
    ]);
  });

  it('do not come from a damaged file', async () => {
    const { root, path, agreed } = await madeMesh();
    await decideConsent('given', { root, mesh: 'lab', nodes, by: 'mesh consent' });
    await writeFile(path, '{"consents": [{"key": "all"}], "declined": []}');
    expect(await agreed()).toEqual([]);
  });

  it('are of a key: a node that comes back with another one has none', () => {
    const members = [
      { key: BEN, name: 'anna', scopes: ['read' as const], joinedAt: new Date() },
      { key: CLEO, name: 'self', scopes: ['read' as const], joinedAt: new Date() },
    ];
    const unknown = () => undefined;
    const view = { members: () => members, catalogOf: unknown, aliveAtMs: unknown, problemOf: unknown, ownKey: CLEO };
    const infos = nodeInfos({
      ...{ view, ownName: 'self', hasWorker: true, scores: { nodes: {} }, distrusted: new Set<string>() },
      ...{ hasConsent: (key: string) => key === ANNA, reach: new Map(), hints: new HintBook(), nowMs: 0 },
    });
    expect(infos.map(({ name, hasConsent }) => [name, hasConsent])).toEqual([
      ['self', true],
      ['anna', false],
    ]);
  });
});
