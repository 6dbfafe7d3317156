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
    [{ hub: { repo: 'Qwen/Qwen2.5-0.5B', commit: '1f'.repeat(20), revision: 'refs/pr/1', endpoint: 'http://mirror' } }],
    [{ hub: { repo: 'gpt2', commit: '1f'.repeat(20) } }],
    [{ parameters: 494_032_768, warnings: ['A sentence.'], components: { weights: 'present', tokenizer: 'missing' } }],
    [{ components: {} }],
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
    [{ parameters: 0.5 }],
    [{ parameters: -1 }],
    [{ parameters: 2 ** 53 }],
    [{ warnings: [] }],
    [{ warnings: [''] }],
    [{ warnings: ['x'.repeat(1025)] }],
    [{ warnings: Array.from({ length: 65 }, () => 'x') }],
    [{ components: { weights: 'maybe' } }],
    [{ name: '' }],
    [{ name: 'x'.repeat(257) }],
    [{ codeFiles: ['best.ckpt'] }],
    [{ codeFiles: [{ path: 'x', suspicious: [], unexamined: 'yes' }] }],
    [{ codeFiles: Array.from({ length: 257 }, () => ({ path: 'x', suspicious: [] })) }],
    [{ codeFiles: [{ path: 'x', suspicious: Array.from({ length: 33 }, () => 'os.system') }] }],
  ])('refuses %j', (change) => {
    expect(problemOf(change)).toBe(false);
  });

  it.each([
    '../x',
    'a/../b',
    'a/b/c',
    '/a',
    'a/',
    'a--b/c',
    '.a/b',
    'a/b.',
    'a/-b',
    'a b/c',
    'a/x\u202e',
    '',
    `a/${'x'.repeat(97)}`,
  ])('refuses %j as a repository of a hub', (repo) =>
    expect(problemOf({ hub: { repo, commit: '1f'.repeat(20) } })).toBe(false),
  );

  it.each(['../main', '-x', '', 'a\nb', 'a b', 'x'.repeat(256)])('refuses %j as a revision of a hub', (revision) => {
    expect(problemOf({ hub: { repo: 'a/b', commit: '1f'.repeat(20), revision } })).toBe(false);
  });

  it.each(['1F'.repeat(20), 'main', ''])('refuses %j as a commit of a hub', (commit) => {
    expect(problemOf({ hub: { repo: 'a/b', commit } })).toBe(false);
  });
});
