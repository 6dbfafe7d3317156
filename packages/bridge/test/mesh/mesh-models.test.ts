import { describe, expect, it } from '@jest/globals';
import type { Mesh, MeshHolder, MeshModelHolders, MeshNodeInfo } from '@model-rtc/mesh';
import { type Digest, ModelRtcError, type SessionToken } from '@model-rtc/protocol';
import { type HolderSession, meshModels } from '../../src/index.ts';

const DIGESTS = ['a', 'b', 'c'].map((letter) => letter.repeat(64)) as Digest[];

function node(name: string, more: Partial<MeshNodeInfo> = {}): MeshNodeInfo {
  return {
    ...{
      key: name,
      name,
      role: 'worker',
      tags: [],
      properties: {},
      urls: [],
      fetching: [],
      sequence: 1,
      modelCount: 1,
    },
    ...{ heardAt: new Date(), isPresent: true, isSelf: false, isTrusted: true, reliability: 1, ...more },
  };
}

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

/** A mesh with these models. Nodes called `away` cannot be reached. */
function meshOf(all: readonly MeshModelHolders[]): Mesh {
  const never = () => Promise.reject(new Error('nobody asks for this'));
  return {
    ...{ name: 'lab', id: 'id', selfKey: 'self', members: never, nodes: never, refresh: never, noteOutcome: never },
    models: async () => all,
    async find(ref) {
      const found = all.filter(({ digest, names }) => digest.startsWith(ref) || names.includes(ref));
      if (found.length > 1) throw new ModelRtcError('ambiguous', 'Two models have this name.');
      if (found[0] === undefined) throw new ModelRtcError('not_found', 'No model has this name.');
      return found[0];
    },
    async session(key) {
      if (key === 'away') throw new ModelRtcError('worker_offline', 'No address of it is known.');
      return { keyId: key } as unknown as SessionToken;
    },
    onChange: () => () => {},
    [Symbol.asyncDispose]: async () => {},
  };
}

function scene(...meshes: readonly Mesh[]) {
  const asked: string[][] = [];
  const names = (holders: readonly HolderSession[]) => holders.map(({ name }) => name);
  const remote = meshModels({
    meshes: async () => meshes,
    async manifestFrom(holder) {
      asked.push(names([holder]));
      throw new ModelRtcError('network', `${holder.name} does not answer.`);
    },
    pullFrom: async (holders) => void asked.push(names(holders)),
  });
  return { remote, asked };
}

const signal = new AbortController().signal;
const [A, B, C] = DIGESTS as [Digest, Digest, Digest];

describe('the models of meshes', () => {
  it('are listed once, whichever mesh has them, and found by name', async () => {
    const { remote } = scene(
      meshOf([held(A, 'mouse', [node('gpu')])]),
      meshOf([held(A, 'mouse', [node('gpu')]), held(B, 'rat', [node('nas')])]),
    );
    expect((await remote.list()).map(({ digest }) => digest)).toEqual([A, B]);
    expect(await remote.find('rat')).toMatchObject({ digest: B, name: 'rat', source: 'hub' });
    expect(await remote.find('cat')).toBeUndefined();
  });

  it('are ambiguous where two have one name', async () => {
    const { remote } = scene(meshOf([held(A, 'mouse', [node('gpu')]), held(B, 'mouse', [node('nas')])]));
    await expect(remote.find('mouse')).rejects.toMatchObject({ code: 'ambiguous' });
  });

  it('are fetched from all who are there and trusted, whole and reliable ones first', async () => {
    const nodes = [
      ...[node('partial'), node('shaky', { reliability: 0.2 }), node('gpu'), node('away')],
      ...[node('gone', { isPresent: false }), node('liar', { isTrusted: false }), node('self', { isSelf: true })],
    ];
    const { remote, asked } = scene(meshOf([held(A, 'mouse', nodes, ['partial'])]));
    await remote.pull(A, { signal });
    expect(asked).toEqual([['gpu', 'shaky', 'partial']]);
  });

  it('cannot be fetched when none who has them is there', async () => {
    const { remote, asked } = scene(meshOf([held(A, 'mouse', [node('away')])]));
    await expect(remote.pull(A, { signal })).rejects.toMatchObject({ code: 'worker_offline' });
    await expect(remote.pull(C, { signal })).rejects.toMatchObject({ code: 'worker_offline' });
    expect(asked).toEqual([]);
  });

  it('have their files asked of a few, one after the other', async () => {
    const nodes = ['one', 'two', 'three', 'four'].map((name) => node(name));
    const { remote, asked } = scene(meshOf([held(A, 'mouse', nodes)]));
    await expect(remote.manifest(A, { signal })).rejects.toThrow('one does not answer.');
    expect(asked).toEqual([['one'], ['two'], ['three']]);
  });
});
