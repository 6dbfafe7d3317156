import { describe, expect, it } from '@jest/globals';
import type { Digest } from '@model-rtc/protocol';
import { meshNode as node } from '../../../../test/support/mesh-node.ts';
import { findModel, mergeModels } from '../../src/node/merge-models.ts';
import type { MeshModel } from '../../src/types.ts';

function model(digest: string, alias: string, more: Partial<MeshModel> = {}): MeshModel {
  const source = 'hub' as const;
  return {
    ...{
      digest: digest.repeat(64) as Digest,
      modelId: digest.repeat(8),
      name: `The ${alias}`,
      alias: alias as MeshModel['alias'],
    },
    ...{ type: 'gguf', sizeBytes: 1, capabilities: [], source, tags: [], ...more },
  };
}

const A = node('anna');
const B = node('ben');

describe('the models of a mesh', () => {
  it('are one for each content, with everyone who has it', () => {
    const models = { anna: [model('a', 'mouse')], ben: [model('a', 'rodent'), model('b', 'mouse')] };
    const merged = mergeModels([A, B], (key) => models[key as keyof typeof models], {});
    expect(merged.map(({ names, holders }) => [names, holders.map(({ node: { name } }) => name)])).toEqual([
      [
        ['The mouse', 'The rodent', 'mouse', 'rodent'],
        ['anna', 'ben'],
      ],
      [['The mouse', 'mouse'], ['ben']],
    ]);
    expect(() => findModel(merged, 'mouse', 'lab')).toThrow(/2 different models/);
    expect(findModel(merged, 'bbbbbb', 'lab').digest).toBe('b'.repeat(64));
    expect(findModel(merged, 'rodent', 'lab').digest).toBe('a'.repeat(64));
    expect(() => findModel(merged, 'bbbbb', 'lab')).toThrow(/Nobody/);
  });

  it('leave out nodes that are absent or distrusted', () => {
    const modelsOf = () => [model('a', 'mouse')];
    expect(mergeModels([node('x', { isPresent: false })], modelsOf, {})).toEqual([]);
    expect(mergeModels([node('x', { isPresent: false })], modelsOf, { includeAbsent: true })).toHaveLength(1);
    expect(mergeModels([node('x', { isTrusted: false })], modelsOf, { includeAbsent: true })).toEqual([]);
  });

  it('name a node that is still fetching one, where somebody has it whole', () => {
    const digest = 'a'.repeat(64) as Digest;
    const modelsOf = (key: string) => (key === 'anna' ? [model('a', 'mouse')] : []);
    const [found] = mergeModels([A, node('ben', { fetching: [digest, 'c'.repeat(64) as Digest] })], modelsOf, {});
    expect(found?.holders.map(({ node: { name }, isWhole }) => [name, isWhole])).toEqual([
      ['anna', true],
      ['ben', false],
    ]);
  });

  it('are found by what holders say of them', () => {
    const models = { anna: [model('a', 'mouse', { tags: ['lab'] })], ben: [model('b', 'rat', { type: 'qwen2' })] };
    const merged = (filter: object) =>
      mergeModels([A, B], (key) => models[key as keyof typeof models], filter).map(({ names }) => names[1]);
    expect(merged({ type: 'qwen2' })).toEqual(['rat']);
    expect(merged({ tag: 'lab' })).toEqual(['mouse']);
    expect(merged({ source: 'local-import' })).toEqual([]);
  });
});
