import type { Digest } from '@model-rtc/protocol';
import { meshNode } from '../../../../test/support/mesh-node.ts';
import type { Mesh, MeshModel, MeshModelHolders, MeshNodeInfo, PrefetchRule } from '../../src/index.ts';

export function rule(fields: Partial<PrefetchRule> = {}): PrefetchRule {
  return { id: '00aa', priority: 'low', maxModels: 100, addedAt: '2026-11-01T10:00:00.000Z', ...fields };
}

export function node(name: string, more: Partial<MeshNodeInfo> = {}): MeshNodeInfo {
  return meshNode(name, { key: name.padEnd(64, '0'), hasConsent: true, ...more });
}

let made = 0;

/** A model that one other node has. */
export function model({
  names = ['mouse'],
  holder = node('anna'),
  isWhole = true,
  ...fields
}: Partial<MeshModel> & {
  readonly names?: readonly string[];
  readonly holder?: MeshNodeInfo;
  readonly isWhole?: boolean;
} = {}): MeshModelHolders {
  const digest = (fields.digest ?? (made++).toString(16).padStart(64, '0')) as Digest;
  const announced = {
    name: names[0],
    type: 'gguf',
    tags: [],
    sizeBytes: 1000,
    ...fields,
    digest,
  } as unknown as MeshModel;
  return { digest, names, model: announced, holders: [{ node: holder, isWhole, model: announced }] };
}

/** A mesh of models, which a test changes. */
export function meshOf(id: string, models: MeshModelHolders[]): Mesh {
  return {
    ...{ name: 'lab', id, selfKey: 'self', members: async () => [] },
    nodes: async () => models.flatMap(({ holders }) => holders.map((holder) => holder.node)),
    models: async () => models,
    find: async (ref) => models.find(({ digest }) => digest === ref) as MeshModelHolders,
    session: async () => {
      throw new Error('Nobody connects.');
    },
    refresh: async () => {},
    onChange: () => () => {},
    noteOutcome: async () => {},
    [Symbol.asyncDispose]: async () => {},
  };
}
