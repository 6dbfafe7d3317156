import { describe, expect, it } from '@jest/globals';
import { modelEntrySchema } from '../src/index.ts';

const least = {
  id: 'abababab',
  modelType: 'gguf',
  source: 'local-import',
  status: 'completed',
  size: 0,
  fileCount: 0,
};
const problemOf = (change: object) => modelEntrySchema.safeParse({ ...least, ...change }).success;

describe('a model entry', () => {
  it('needs few fields and fills in the empty lists', () => {
    expect(modelEntrySchema.parse(least)).toEqual({
      ...least,
      metrics: {},
      hyperparameters: {},
      versions: {},
      tags: [],
    });
  });

  it('drops fields that it does not know, so that versions can mix', () => {
    expect(modelEntrySchema.parse({ ...least, shinyNewField: 1 })).not.toHaveProperty('shinyNewField');
  });

  it.each([
    [{ id: 'run-2026.01_x' }],
    [{ digest: 'ab'.repeat(32) }],
    [{ createdAt: '2026-01-02T03:04:05.678Z' }],
    [{ metrics: { loss: 0.5, best: null, name: 'x', done: true } }],
    [{ name: 'Mouse, top view', codeFiles: [{ path: 'best.ckpt', suspicious: ['os.system'] }] }],
    [{ codeFiles: [] }],
    [{ codeFiles: [{ path: 'x', suspicious: ['(why)'], unexamined: true }] }],
    [{ tags: ['a'], license: 'mit', lineage: { fineTunedFrom: 'x', parents: ['y'] } }],
  ])('takes %j', (change) => {
    expect(problemOf(change)).toBe(true);
  });

  it.each([
    [{ id: '../x' }],
    [{ id: '' }],
    [{ modelType: 'a/b' }],
    [{ modelType: 'Gguf' }],
    [{ modelType: '-x' }],
    [{ digest: 'AB'.repeat(32) }],
    [{ alias: 'latest' }],
    [{ source: 'somewhere' }],
    [{ status: 'done' }],
    [{ size: -1 }],
    [{ size: 1.5 }],
    [{ createdAt: 'yesterday' }],
    [{ metrics: { nested: { a: 1 } } }],
    [{ metrics: { loss: Number.POSITIVE_INFINITY } }],
    [{ tags: [''] }],
    [{ tags: Array.from({ length: 65 }, () => 'x') }],
    [{ notes: 'x'.repeat(65_537) }],
    [{ name: '' }],
    [{ name: 'x'.repeat(257) }],
    [{ codeFiles: ['best.ckpt'] }],
    [{ codeFiles: [{ path: 'x', suspicious: [], unexamined: 'yes' }] }],
    [{ codeFiles: Array.from({ length: 257 }, () => ({ path: 'x', suspicious: [] })) }],
    [{ codeFiles: [{ path: 'x', suspicious: Array.from({ length: 33 }, () => 'os.system') }] }],
  ])('refuses %j', (change) => {
    expect(problemOf(change)).toBe(false);
  });
});
