import { describe, expect, it } from '@jest/globals';
import type { Mesh, MeshHolder, MeshModelHolders, MeshNodeInfo } from '@model-rtc/mesh';
import { type Digest, type Manifest, ModelRtcError } from '@model-rtc/protocol';
import { meshNode } from '../../../../test/support/mesh-node.ts';
import { meshModels } from '../../src/index.ts';

const DIGESTS = ['a', 'b', 'c'].map((letter) => letter.repeat(64)) as Digest[];

const node = (name: string, more: Partial<MeshNodeInfo> = {}) => meshNode(name, { hasConsent: true, ...more });

function held(
  digest: Digest,
  name: string,
  nodes: readonly MeshNodeInfo[],
  partial: readonly string[] = [],
): MeshModelHolders {
  const facts = { digest, modelId: digest.slice(0, 8), name, type: 'llama', sizeBytes: 7, capabilities: [], tags: [] };
  const model = { ...facts, source: 'hub' as const, sourceRef: `hf:lab/mouse@${'d'.repeat(40)}` };
  const holders = nodes.map((one): MeshHolder => ({ node: one, isWhole: !partial.includes(one.name), model }));
  return { digest, names: [name], model, holders };
}

/** A mesh with these models. */
function meshOf(name: string, all: readonly MeshModelHolders[]): Mesh {
  const never = () => Promise.reject(new Error('nobody asks for this'));
  return {
    ...{ name, id: name, selfKey: 'self', members: never, nodes: never, refresh: never },
    ...{ session: never, noteOutcome: never },
    models: async () => all,
    async find(ref) {
      const found = all.filter(({ digest, names }) => digest.startsWith(ref) || names.includes(ref));
      if (found.length > 1) throw new ModelRtcError('ambiguous', 'Two models have this name.');
      if (found[0] === undefined) throw new ModelRtcError('not_found', 'No model has this name.');
      return found[0];
    },
    onChange: () => () => {},
    [Symbol.asyncDispose]: async () => {},
  };
}

function scene(...meshes: readonly Mesh[]) {
  const asked: string[][] = [];
  const ask = (of: readonly Mesh[]) => asked.push(of.map(({ name }) => name));
  const remote = meshModels({
    meshes: async () => meshes,
    async manifestFrom(having) {
      ask(having);
      return {} as Manifest;
    },
    pullFrom: async (having) => void ask(having),
  });
  return { remote, asked };
}

const signal = new AbortController().signal;
const [A, B, C] = DIGESTS as [Digest, Digest, Digest];

describe('the models of meshes', () => {
  it('are listed once, whichever mesh has them, and found by name', async () => {
    const { remote } = scene(
      meshOf('lab', [held(A, 'mouse', [node('gpu')])]),
      meshOf('home', [held(A, 'mouse', [node('gpu')]), held(B, 'rat', [node('nas')])]),
    );
    expect((await remote.list()).map(({ digest }) => digest)).toEqual([A, B]);
    expect(await remote.find('rat')).toMatchObject({ digest: B, name: 'rat', source: 'hub' });
    expect(await remote.find('cat')).toBeUndefined();
  });

  it('are ambiguous where two have one name', async () => {
    const { remote } = scene(meshOf('lab', [held(A, 'mouse', [node('gpu')]), held(B, 'mouse', [node('nas')])]));
    await expect(remote.find('mouse')).rejects.toMatchObject({ code: 'ambiguous' });
  });

  it('are ambiguous where two meshes have one name for different content, and name both', async () => {
    const [lab, home] = [
      meshOf('lab', [held(A, 'mouse', [node('gpu')])]),
      meshOf('home', [held(B, 'mouse', [node('nas')])]),
    ];
    for (const { remote } of [scene(lab, home), scene(home, lab)]) {
      const message = expect.stringMatching(/aaaaaaaaaaaa \(lab\)/);
      await expect(remote.find('mouse')).rejects.toMatchObject({ code: 'ambiguous', message });
      expect(await remote.find(B)).toMatchObject({ digest: B });
    }
  });

  it('are found with the holders of all meshes', async () => {
    const { remote } = scene(
      meshOf('lab', [held(A, 'mouse', [node('gpu')])]),
      meshOf('home', [held(A, 'mouse', [node('nas')])]),
    );
    expect((await remote.find('mouse'))?.holders).toHaveLength(2);
  });

  it('are asked for in every mesh where someone who is there and trusted has them', async () => {
    const meshes = [
      meshOf('lab', [held(A, 'mouse', [node('gone', { isPresent: false }), node('gpu')])]),
      meshOf('empty', []),
      meshOf('absent', [held(A, 'mouse', [node('gone', { isPresent: false })])]),
      meshOf('doubtful', [held(A, 'mouse', [node('liar', { isTrusted: false }), node('self', { isSelf: true })])]),
      meshOf('home', [held(A, 'mouse', [node('partial')], ['partial'])]),
    ];
    const { remote, asked } = scene(...meshes);
    await remote.manifest(A, { signal });
    await remote.pull(A, { signal });
    expect(asked).toEqual([
      ['lab', 'home'],
      ['lab', 'home'],
    ]);
  });

  it('are listed, and refused with the command that agrees, where nobody with consent has them', async () => {
    const [agreed, added] = [node('gpu', { isPresent: false }), node('new', { hasConsent: false })];
    const { remote, asked } = scene(
      meshOf('lab', [held(A, 'mouse', [added]), held(B, 'rat', [agreed, added])]),
      meshOf('home', [held(C, 'vole', [added]), held(A, 'mouse', [node('nas')])]),
    );
    expect(await remote.find('vole')).toMatchObject({ digest: C });
    for (const digest of [B, C])
      await expect(remote.manifest(digest, { signal })).rejects.toMatchObject({
        code: 'refused',
        message: expect.stringContaining('model-rtc mesh consent new'),
      });
    await remote.pull(A, { signal });
    expect(asked).toEqual([['home']]);
  });

  it('cannot be fetched when none who has them is there, and nobody is waited for', async () => {
    const { remote, asked } = scene(meshOf('lab', [held(A, 'mouse', [node('gone', { isPresent: false })])]));
    await expect(remote.pull(A, { signal })).rejects.toMatchObject({ code: 'worker_offline' });
    await expect(remote.manifest(C, { signal })).rejects.toMatchObject({ code: 'worker_offline' });
    expect(asked).toEqual([]);
  });
});
