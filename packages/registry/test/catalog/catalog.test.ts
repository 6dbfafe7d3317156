import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type Backend, type CatalogPage, catalogModelSchema, type ModelEntry } from '@model-rtc/protocol';
import { rejection } from '../../../../test/support/rejection.ts';
import type { Registry } from '../../src/index.ts';
import { installFiles } from '../helpers/models.ts';
import { openTestRegistry, warningLog } from '../helpers/registry.ts';

const CPU: ReadonlySet<Backend> = new Set(['cpu']);
const PLAN = { id: 'Qwen/Qwen2.5-0.5B', name: 'Qwen 0.5B', repo: 'Qwen/Qwen2.5-0.5B', architecture: 'qwen2' };
const hub = { repo: 'Qwen/Qwen2.5-0.5B', commit: '1f'.repeat(20) };

async function catalogOf(registry: Registry, hardware = CPU): Promise<CatalogPage> {
  return await registry.catalogPage({ limit: 200, hardware });
}

async function idsOf(registry: Registry): Promise<[string, boolean][]> {
  return (await catalogOf(registry)).models.map(({ id, downloaded }) => [id, downloaded]);
}

async function installModel(registry: Registry, content: string, entry: Partial<ModelEntry> = {}) {
  return await installFiles(
    registry,
    { 'model.safetensors': content },
    { entry: { checkpointPath: 'model.safetensors', ...entry } },
  );
}

describe('the catalog', () => {
  it('shows what is here, with its folder in the data folder, and what is planned', async () => {
    const registry = await openTestRegistry();
    const { id, digest, localPath } = await installModel(registry, 'weights', { modelType: 'llama', license: 'mit' });
    await registry.registerModel({ ...PLAN, revision: 'main' });
    const { models, total } = await catalogOf(registry, new Set<Backend>(['cpu', 'cuda']));
    expect(total).toBe(2);
    expect(models.find((model) => model.id === id)).toMatchObject({
      ...{ name: id, format: 'safetensors', size_gb: 7e-9, architecture: 'llama', downloaded: true },
      backends: ['cpu', 'cuda'],
      metadata: { registry_id: id, digest, license: 'mit', status: 'completed', files: 1 },
    });
    expect(models.find((model) => model.id === PLAN.id)).toEqual({
      ...{ id: PLAN.id, name: PLAN.name, path: null, format: null, size_gb: null, architecture: 'qwen2' },
      ...{ downloaded: false, backends: [] },
      metadata: { repo: PLAN.repo, revision: 'main', added_at: expect.any(String) },
    });
    const path = models.find((model) => model.id === id)?.path;
    expect(join(registry.paths.root, String(path))).toBe(localPath);
    for (const model of models) expect(JSON.stringify(catalogModelSchema.parse(model))).toBe(JSON.stringify(model));
  });

  it('lists a model that came from the repository of a plan under the id of the plan', async () => {
    const registry = await openTestRegistry();
    await registry.registerModel(PLAN);
    const other = await installModel(registry, 'other', { hub: { ...hub, repo: 'Qwen/Other' } });
    await installModel(registry, 'old', { hub });
    expect(await idsOf(registry)).toEqual(
      [
        [other.id, true],
        [PLAN.id, true],
      ].sort(),
    );
  });

  it('keeps the model that was fetched for a plan under its id, whatever else fits it', async () => {
    const registry = await openTestRegistry();
    await registry.registerModel(PLAN);
    const fetched = await installModel(registry, 'fetched');
    const fits = await installModel(registry, 'fits', { hub });
    const item = await registry.recordFetched(PLAN.id, fetched);
    expect([item.id, item.entry?.id]).toEqual([PLAN.id, fetched.id]);
    expect(await idsOf(registry)).toEqual(
      [
        [fits.id, true],
        [PLAN.id, true],
      ].sort(),
    );
  });

  it('gives every model once, page by page, while models come and go', async () => {
    const registry = await openTestRegistry();
    for (const n of [1, 2, 3, 4, 5])
      await registry.registerModel({ id: `org/m${n}`, name: `m${n}`, repo: `org/m${n}` });
    const first = await registry.catalogPage({ limit: 2, hardware: CPU });
    expect(first.models.map(({ id }) => id)).toEqual(['org/m1', 'org/m2']);
    await registry.unregisterModel('org/m2');
    await registry.registerModel({ id: 'org/m0', name: 'm0', repo: 'org/m0' });
    const second = await registry.catalogPage({ limit: 3, cursor: first.nextCursor, hardware: CPU });
    expect(second.models.map(({ id }) => id)).toEqual(['org/m3', 'org/m4', 'org/m5']);
    expect(second.nextCursor).toBeUndefined();
    expect((await rejection(registry.catalogPage({ limit: 2, cursor: '%', hardware: CPU }))).code).toBe('bad_argument');
  });

  it('is the same as long as nothing changes, in every process', async () => {
    const home = (await openTestRegistry()).paths.root;
    const [one, two] = [await openTestRegistry({ home }), await openTestRegistry({ home })];
    await one.registerModel(PLAN);
    const before = await catalogOf(one);
    expect(await catalogOf(two)).toEqual(before);
    await two.unregisterModel(PLAN.id);
    const after = await catalogOf(one);
    expect(after.models).toEqual([]);
    expect(after.pool_id).toBe(before.pool_id);
    expect(after.updated_at >= before.updated_at).toBe(true);
  });
});

describe('registering', () => {
  it('refuses an id that is taken, or a repository that is there under another id', async () => {
    const registry = await openTestRegistry();
    await registry.registerModel(PLAN);
    const again = await rejection(registry.registerModel({ ...PLAN, repo: 'a/b' }));
    expect([again.code, again.message]).toEqual([
      'bad_argument',
      expect.stringContaining(`"${PLAN.id}" is in the catalog already`),
    ]);
    const same = await rejection(registry.registerModel({ ...PLAN, id: 'mine', repo: 'qwen/qwen2.5-0.5b' }));
    expect(same.message).toContain(`as "${PLAN.id}"`);
    await registry.registerModel({ ...PLAN, id: 'pinned', revision: 'v1' });
    expect(await idsOf(registry)).toEqual([
      [PLAN.id, false],
      ['pinned', false],
    ]);
  });

  it.each([
    '../x',
    'a/../b',
    'a//b',
    '/a',
    'a/',
    '-x',
    'a b',
    'a\u001b[31m',
    'a\nb',
    'a;b',
    '$(x)',
    "a'b",
    'x'.repeat(257),
    '',
    '4f1c22ab',
    'local:x',
  ])('refuses the id %j', async (id) => {
    const registry = await openTestRegistry();
    expect((await rejection(registry.registerModel({ ...PLAN, id }))).code).toBe('bad_argument');
    expect(await readdir(registry.paths.root)).not.toContain('catalog.json');
  });

  it.each([
    { name: 'a\u001b]0;x' },
    { name: 'a\nb' },
    { architecture: '\u202eevil' },
    { repo: '../../etc' },
    { revision: 'a..b' },
  ])('refuses %j', async (bad) => {
    const registry = await openTestRegistry();
    expect((await rejection(registry.registerModel({ ...PLAN, ...bad }))).code).toBe('bad_argument');
  });

  it('loses none of many that register at once', async () => {
    const home = (await openTestRegistry()).paths.root;
    const registries = await Promise.all([1, 2, 3].map(() => openTestRegistry({ home })));
    await Promise.all(
      registries.flatMap((registry, r) =>
        [1, 2, 3, 4].map((n) => registry.registerModel({ id: `org/m${r}-${n}`, name: 'm', repo: `org/m${r}-${n}` })),
      ),
    );
    expect(await idsOf(await openTestRegistry({ home }))).toHaveLength(12);
    expect((await stat(join(home, 'catalog.json'))).mode & 0o777).toBe(0o600);
  });

  it('registers of many those that are free, and names the others', async () => {
    const registry = await openTestRegistry();
    await registry.registerModel(PLAN);
    const here = await installModel(registry, 'here');
    const plan = { name: 'm', repo: 'org/m' };
    const taken = await registry.registerModels([
      ...[PLAN, { ...plan, id: 'new' }, { ...plan, id: 'new-too' }],
      { id: 'copy', name: 'copy', digest: here.digest },
    ]);
    expect(taken).toEqual([PLAN.id, 'new-too', 'copy']);
    expect((await idsOf(registry)).map(([id]) => id).sort()).toEqual([PLAN.id, 'new', here.id].sort());
  });
});

describe('unregistering', () => {
  it('forgets a plan and keeps its model, which is then listed under its own id', async () => {
    const registry = await openTestRegistry();
    await registry.registerModel(PLAN);
    const { id } = await installModel(registry, 'weights', { hub });
    const { item, freedBytes } = await registry.unregisterModel(PLAN.id);
    expect([item.entry?.id, freedBytes]).toEqual([id, undefined]);
    expect(await idsOf(registry)).toEqual([[id, true]]);
  });

  it('deletes the model of an id with a slash, with its files, and nothing beside it', async () => {
    const registry = await openTestRegistry();
    await registry.registerModel(PLAN);
    const [gone, stays] = [await installModel(registry, 'gone', { hub }), await installModel(registry, 'stays')];
    const { freedBytes } = await registry.unregisterModel(PLAN.id, { withFiles: true });
    expect(freedBytes).toBeGreaterThan(0);
    expect(await idsOf(registry)).toEqual([[stays.id, true]]);
    await expect(stat(gone.localPath)).rejects.toThrow('ENOENT');
    expect(await readFile(join(stays.localPath, 'model.safetensors'), 'utf8')).toBe('stays');
  });

  it('refuses a model that was not registered, unless its files go too', async () => {
    const registry = await openTestRegistry();
    const { id } = await installModel(registry, 'weights');
    const error = await rejection(registry.unregisterModel(id));
    expect([error.code, error.message]).toEqual(['bad_argument', expect.stringContaining('--with-files')]);
    await registry.unregisterModel(id, { withFiles: true });
    expect(await idsOf(registry)).toEqual([]);
    expect((await rejection(registry.unregisterModel(id))).code).toBe('not_found_locally');
  });

  it('lets a session remove only what was registered over a session', async () => {
    const registry = await openTestRegistry();
    await registry.registerModel(PLAN);
    await registry.registerModel({ id: 'org/theirs', name: 'theirs', repo: 'org/theirs' }, 'session');
    const { id } = await installModel(registry, 'weights');
    expect((await rejection(registry.unregisterModel(PLAN.id, {}, 'session'))).code).toBe('refused');
    expect((await rejection(registry.unregisterModel(id, { withFiles: true }, 'session'))).code).toBe('refused');
    await registry.unregisterModel('org/theirs', {}, 'session');
    expect((await idsOf(registry)).map(([one]) => one).sort()).toEqual([PLAN.id, id].sort());
  });
});

describe('catalog.json', () => {
  it('is kept under another name when it is damaged, and never written over', async () => {
    const log = warningLog();
    const registry = await openTestRegistry({ log });
    await writeFile(registry.paths.catalogFile, '{"version":1,"planned":[{"id":"../x"}]}');
    expect(await idsOf(registry)).toEqual([]);
    expect(log.warnings).toEqual([expect.stringContaining('is damaged, so planned models are not shown')]);
    expect(await readFile(registry.paths.catalogFile, 'utf8')).toContain('../x');
    await registry.registerModel(PLAN);
    expect(await idsOf(registry)).toEqual([[PLAN.id, false]]);
    const kept = (await readdir(registry.paths.root)).filter((name) => name.startsWith('catalog.corrupted.'));
    expect(kept).toHaveLength(1);
    expect(await readFile(join(registry.paths.root, String(kept[0])), 'utf8')).toContain('../x');
    expect(log.warnings.join('\n')).toContain('catalog.corrupted.');
  });

  it('of a newer version is refused and stays as it is', async () => {
    const registry = await openTestRegistry();
    const text = '{"version":2,"planned":{}}';
    await writeFile(registry.paths.catalogFile, text);
    for (const asked of [catalogOf(registry), registry.registerModel(PLAN)]) {
      const error = await rejection(asked);
      expect([error.code, error.message]).toEqual(['refused', expect.stringContaining('newer model-rtc')]);
    }
    expect(await readFile(registry.paths.catalogFile, 'utf8')).toBe(text);
  });

  it('may go at any time: only plans go with it', async () => {
    const registry = await openTestRegistry();
    await registry.registerModel(PLAN);
    const { id } = await installModel(registry, 'weights', { hub });
    await rm(registry.paths.catalogFile);
    expect(await idsOf(registry)).toEqual([[id, true]]);
  });
});
