import { rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type Alias, type Digest, listModelsParams, type ModelEntry, modelEntrySchema } from '@model-rtc/protocol';
import { rejection } from '../../../../test/support/rejection.ts';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { freeAliases } from '../../src/entry/aliases.ts';
import { makeIndex } from '../../src/entry/registry-index.ts';
import { resolveRef } from '../../src/entry/resolve.ts';
import type { StoredEntry } from '../../src/entry/types.ts';
import { toModelEntry } from '../../src/index.ts';
import { modelMatcher, sortModels } from '../../src/list/list-order.ts';
import { pageOf } from '../../src/list/model-list.ts';
import { installFiles, sha256, writeFiles } from '../helpers/models.ts';
import { openTestRegistry } from '../helpers/registry.ts';

function stored(n: number, more: Partial<ModelEntry> = {}): StoredEntry {
  const digest = sha256(String(n));
  const id = digest.slice(0, 12);
  const entry = {
    id,
    digest,
    modelType: 'centroid',
    source: 'hub',
    status: 'completed',
    size: n,
    fileCount: 1,
    ...more,
  };
  return { ...modelEntrySchema.parse(entry), folder: `centroid_${id}`, linked: false, formerAliases: [] };
}

const MODELS = '/data/models';

describe('a reference', () => {
  const digestA = `abcdef12${'0'.repeat(56)}` as Digest;
  const digestB = `abcdef99${'0'.repeat(56)}` as Digest;
  const a = { ...stored(1), id: 'abcdef12', digest: digestA, folder: 'x_abcdef12', alias: 'good-mouse' as Alias };
  const named = { name: 'acme/tiny', originalPath: '/runs/1' };
  const b = { ...stored(2), id: 'abcdef99', digest: digestB, folder: 'x_abcdef99', ...named };
  const index = makeIndex([a, b]);

  it.each([
    ['abcdef12', 'id', a],
    ['ABCDEF12', 'id', a],
    ['good-mouse', 'alias', a],
    ['abcdef120', 'digest', a],
    [digestB, 'digest', b],
    ['acme/tiny', 'name', b],
    ['/data/models/x_abcdef12', 'path', a],
    ['/runs/../runs/1/', 'path', b],
  ] as const)('%s is taken as an %s', async (ref, resolvedBy, entry) => {
    expect(await resolveRef(index, ref, MODELS)).toEqual({ stored: entry, resolvedBy });
  });

  it('that several models fit lists them', async () => {
    expect(await rejection(resolveRef(index, 'abcdef', MODELS))).toMatchObject({
      code: 'ambiguous',
      message: expect.stringMatching(/abcdef12 \(good-mouse\), abcdef99/),
      details: { candidates: [{ id: 'abcdef12' }, { id: 'abcdef99' }] },
    });
  });

  it('that no model fits suggests the closest aliases', async () => {
    const error = await rejection(resolveRef(index, 'god-mouse', MODELS));
    expect(error).toMatchObject({ code: 'not_found_locally', details: { suggestions: ['good-mouse'] } });
    for (const ref of ['mesh:good-mouse', 'hf:org/mouse'])
      expect((await rejection(resolveRef(index, ref, MODELS))).message).toMatch(`client pull-model ${ref}`);
    for (const ref of ['abcde', 'GOOD-MOUSE-V9-and-more', '', '\0', '../x', 'x'.repeat(4096)]) {
      expect((await rejection(resolveRef(index, ref, MODELS))).code).toBe('not_found_locally');
    }
  });

  it('may be the path of a link to the original', async () => {
    const registry = await openTestRegistry();
    const folder = await temporaryFolder();
    const path = await writeFiles(join(folder, 'run'), { a: 'b' });
    await symlink(path, join(folder, 'current'));
    const { entry } = await registry.importModel(path);
    const found = await registry.resolve(join(folder, 'current'));
    expect(found).toMatchObject({ resolvedBy: 'path', entry: { id: entry.id } });
  });
});

describe('an alias', () => {
  it('that is taken has three free suggestions, even when it is as long as one may be', () => {
    const long = 'a'.repeat(64) as Alias;
    const index = makeIndex([stored(1, { alias: long }), stored(2, { alias: `${'a'.repeat(62)}-2` as Alias })]);
    expect(freeAliases(index, long)).toEqual([3, 4, 5].map((n) => `${'a'.repeat(62)}-${n}`));
  });

  it('names one model, and a model has one', async () => {
    const registry = await openTestRegistry();
    const first = await installFiles(registry, { a: '1' }, { alias: 'one' as Alias });
    const second = await installFiles(registry, { a: '2' });
    expect(await registry.tag(second.id, 'two' as Alias)).toMatchObject({ alias: 'two' });
    expect(await registry.tag('two', 'three' as Alias)).toMatchObject({ id: second.id, alias: 'three' });
    expect((await rejection(registry.resolve('two'))).code).toBe('not_found_locally');
    expect((await rejection(registry.tag('three', 'one' as Alias))).code).toBe('alias_taken');
    expect((await rejection(registry.tag('three', 'all' as Alias))).code).toBe('bad_argument');
    await registry.tag('three', 'one' as Alias, { overwrite: true });
    expect((await registry.find(first.digest as Digest))?.alias).toBeUndefined();
    expect((await registry.resolve('one')).entry.id).toBe(second.id);
  });

  it('is in the model folder too, so that a lost index has it again', async () => {
    const registry = await openTestRegistry();
    const first = await installFiles(registry, { a: '1' }, { alias: 'one' as Alias });
    const second = await installFiles(registry, { a: '2' });
    await registry.tag(second.id, 'one' as Alias, { overwrite: true });
    await rm(registry.paths.registryFile);
    expect((await registry.resolve('one')).entry.id).toBe(second.id);
    expect((await registry.resolve(first.id)).entry.alias).toBeUndefined();
  });

  it('can be asked about before anything is moved', async () => {
    const registry = await openTestRegistry();
    const { digest } = await installFiles(registry, { a: '1' }, { alias: 'one' as Alias });
    await registry.checkAlias('two' as Alias);
    await registry.checkAlias('one' as Alias, digest as Digest);
    expect((await rejection(registry.checkAlias('one' as Alias))).code).toBe('alias_taken');
  });
});

describe('a list', () => {
  const entries = [
    stored(30, {
      alias: 'b' as Alias,
      metrics: { train_loss: 0.1, best_val_loss: 0.5 },
      completedAt: '2026-01-01T00:00:00Z',
    }),
    stored(10, { alias: 'A' as Alias, metrics: { val_loss: 0.2 }, completedAt: '2026-01-03T00:00:00Z', tags: ['x'] }),
    stored(20, { modelType: 'bottomup', status: 'failed', completedAt: '2026-01-02T00:00:00Z' }),
  ];
  const index = makeIndex(entries);
  const listPage = (of: typeof index, given: object) => {
    const params = listModelsParams.parse(given);
    const matches = modelMatcher(params.filters);
    return pageOf(
      sortModels(of.byId.values(), params.sort).filter(({ entry }) => matches(entry)),
      params,
    );
  };
  const sizes = (params: object) => listPage(index, params).models.map(({ size }) => size);

  it.each([
    ['date', [10, 20, 30]],
    ['name', [10, 30, 20]],
    [
      'type',
      [20, ...[entries[0], entries[1]].sort((x, y) => (String(x?.id) < String(y?.id) ? -1 : 1)).map((e) => e?.size)],
    ],
    ['loss', [10, 30, 20]],
    ['size', [30, 20, 10]],
  ] as const)('is sorted by %s', (sort, expected) => {
    expect(sizes({ sort })).toEqual(expected);
  });

  it('holds only what the filters let through', () => {
    const filtered = (filters: object) => sizes({ filters, sort: 'size' });
    expect(filtered({ status: 'failed' })).toEqual([20]);
    expect(filtered({ type: 'centroid' })).toEqual([30, 10]);
    expect(filtered({ tag: 'x' })).toEqual([10]);
    expect(filtered({ alias: 'b' })).toEqual([30]);
    expect(filtered({ alias: '*' })).toEqual([30, 10]);
    expect(filtered({ alias: '*b*b' })).toEqual([]);
    expect(filtered({ alias: 'A*', tag: 'x', status: 'completed' })).toEqual([10]);
  });

  it('of 10,000 models comes in pages that hold each once, in order, also while models come and go', () => {
    const many = Array.from({ length: 10_000 }, (_, i) =>
      stored(i % 100 === 0 ? 0 : i, { id: `m${i}`, digest: sha256(`m${i}`) }),
    );
    const unlike = many.map((entry, i) => ({ ...entry, folder: `x_m${i}` }));
    const whole = makeIndex(unlike);
    const seen: string[] = [];
    let cursor: string | undefined;
    let pages = 0;
    do {
      const page = listPage(whole, { sort: 'size', cursor });
      expect(page.total).toBe(10_000);
      seen.push(...page.models.map(({ id }) => id));
      cursor = page.nextCursor;
      pages++;
    } while (cursor !== undefined);
    expect(pages).toBe(50);
    expect(new Set(seen).size).toBe(10_000);
    const first = listPage(whole, { sort: 'size' });
    const fewer = makeIndex(unlike.filter(({ id }) => !first.models.some((model) => model.id === id)));
    const second = listPage(fewer, { sort: 'size', cursor: first.nextCursor });
    expect(second.models.map(({ id }) => id)).toEqual(seen.slice(200, 400));
  });

  it.each([
    '',
    'x',
    '!!!',
    Buffer.from('["size",null,"a"]').toString('base64url'),
    Buffer.from('["size","a","a"]').toString('base64url'),
  ])('refuses %j as a cursor', (cursor) => {
    expect(() => listPage(index, { sort: 'size', cursor })).toThrow(/List from the start/);
  });

  it('shows what is wrong with a model’s main file', async () => {
    const registry = await openTestRegistry();
    const path = await writeFiles(join(await temporaryFolder(), 'run'), { 'best.ckpt': 'x' });
    const { entry } = await registry.importModel(path);
    const owned = await installFiles(registry, { 'best.ckpt': 'y' }, { entry: { checkpointPath: 'best.ckpt' } });
    await rm(join(path, 'best.ckpt'));
    await rm(join(owned.localPath, 'best.ckpt'));
    const { models } = await registry.list(listModelsParams.parse({}));
    const statuses = Object.fromEntries(models.map(({ id, displayStatus }) => [id, displayStatus]));
    expect(statuses).toEqual({ [entry.id]: 'broken_symlink', [owned.id]: 'checkpoint_missing' });
  });

  it('tells other machines nothing of this one', async () => {
    const registry = await openTestRegistry();
    const { digest } = await installFiles(registry, { a: 'b' });
    const entry = await registry.find(digest as Digest);
    if (entry === undefined) throw new Error('the model is gone');
    expect(Object.keys(toModelEntry(entry))).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/localPath|originalPath|linked|folder/)]),
    );
  });
});

describe('10,000 registered models', () => {
  it('are read, listed and found by each name', async () => {
    const registry = await openTestRegistry();
    const models = Object.fromEntries(
      Array.from({ length: 10_000 }, (_, i) => {
        const entry = { ...stored(i), alias: `model-${i}` };
        return [entry.id, entry];
      }),
    );
    await writeFile(registry.paths.registryFile, JSON.stringify({ version: 1, models, aliases: {}, interrupted: [] }));
    const page = await registry.list(listModelsParams.parse({ limit: 5 }));
    expect(page).toMatchObject({ total: 10_000, models: { length: 5 } });
    const { entry } = await registry.resolve('model-9999');
    expect((await registry.resolve(entry.id)).resolvedBy).toBe('id');
    expect((await registry.resolve(String(entry.digest).slice(0, 20))).resolvedBy).toBe('digest');
    await registry.tag('model-9999', 'renamed' as Alias);
    expect((await registry.resolve('renamed')).entry.id).toBe(entry.id);
  });
});
