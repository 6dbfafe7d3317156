import { describe, expect, it } from '@jest/globals';
import { type Catalog, type CatalogModel, type CatalogPage, catalogSchema } from '@model-rtc/protocol';
import type { Registry } from '@model-rtc/registry';
import { gatherCatalog, parseCatalog, planOf } from '../src/index.ts';
import { importBytes, openLab, seededBytes } from './support/lab.ts';

const PLAN = { id: 'Qwen/Qwen2.5-0.5B', name: 'Qwen 0.5B', repo: 'Qwen/Qwen2.5-0.5B', architecture: 'qwen2' };

async function atHome(registry: Registry): Promise<Catalog> {
  const hardware = new Set(['cpu'] as const);
  return catalogSchema.parse(await gatherCatalog((params) => registry.catalogPage({ ...params, hardware })));
}

describe('the catalog of a worker', () => {
  it('has the same bytes for a client as for the owner, whatever names there are', async () => {
    const { client, there } = await openLab({ capabilities: ['catalog'] });
    await importBytes(there, seededBytes(1234, 1), {
      alias: 'mouse',
      name: 'a "name" \\ with € and <b>',
    });
    await importBytes(there, seededBytes(999, 2), { copy: false });
    await client.catalog.register({ ...PLAN, revision: 'main' });
    await there.registerModel({ id: 'org/owned', name: 'owned', repo: 'org/owned' });
    const catalog = await client.catalog.read();
    expect(JSON.stringify(catalog)).toBe(JSON.stringify(await atHome(there)));
    expect(catalog.models).toHaveLength(4);
    expect(JSON.stringify(catalog)).not.toContain(there.paths.root);
  });

  it('is registered in and taken out of over a session, as far as sessions registered it', async () => {
    const { client, there } = await openLab({ capabilities: ['catalog'] });
    expect(await client.catalog.register(PLAN)).toMatchObject({ id: PLAN.id, downloaded: false });
    await expect(client.catalog.register(PLAN)).rejects.toMatchObject({ code: 'bad_argument' });
    await there.registerModel({ id: 'org/owned', name: 'owned', repo: 'org/owned' });
    await expect(client.catalog.unregister('org/owned')).rejects.toMatchObject({ code: 'refused' });
    expect(await client.catalog.unregister(PLAN.id)).toMatchObject({ id: PLAN.id });
    await expect(client.catalog.unregister(PLAN.id)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('needs the scope write to be changed, and read to be read', async () => {
    const reader = await openLab({ capabilities: ['catalog'], authority: { scopes: ['read'] } });
    await expect(reader.client.catalog.register(PLAN)).rejects.toMatchObject({ code: 'scope_missing' });
    await expect(reader.client.catalog.unregister('x')).rejects.toMatchObject({ code: 'scope_missing' });
    const writer = await openLab({ capabilities: ['catalog'], authority: { scopes: ['write'] } });
    await expect(writer.client.catalog.read()).rejects.toMatchObject({ code: 'scope_missing' });
  });

  it('is not asked of an older worker', async () => {
    const { client } = await openLab({ capabilities: ['jobs'] });
    const error = await client.catalog.read().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'protocol_mismatch',
      message: expect.stringContaining('Upgrade model-rtc there'),
    });
  });
});

describe('the pages of a catalog', () => {
  const page = (ids: string[], more: Partial<CatalogPage> = {}): CatalogPage => ({
    ...{ version: 1, pool_id: 'ab'.repeat(32), updated_at: '2026-01-01T00:00:00.000Z', total: 2 },
    models: ids.map((id) => ({ id })) as CatalogModel[],
    ...more,
  });

  it('are asked for again from the start when the catalog changed meanwhile', async () => {
    const answers = [
      page(['a'], { nextCursor: 'a' }),
      page(['b'], { updated_at: '2026-01-02T00:00:00.000Z' }),
      page(['a'], { updated_at: '2026-01-02T00:00:00.000Z', nextCursor: 'a' }),
      page(['c'], { updated_at: '2026-01-02T00:00:00.000Z' }),
    ];
    const { models, updated_at } = await gatherCatalog(async () => answers.shift() as CatalogPage);
    expect([models.map(({ id }) => id), updated_at]).toEqual([['a', 'c'], '2026-01-02T00:00:00.000Z']);
  });

  it('that never end, or never stay, are given up', async () => {
    await expect(gatherCatalog(async () => page([], { nextCursor: 'x' }))).rejects.toMatchObject({
      code: 'malformed_message',
    });
    let day = 10;
    const changing = async () => page(['a'], { updated_at: `2026-01-${++day}T00:00:00.000Z`, nextCursor: 'a' });
    await expect(gatherCatalog(changing)).rejects.toMatchObject({ code: 'busy' });
  });
});

describe('a catalog in a file', () => {
  const catalog = { version: 1, pool_id: 'cd'.repeat(32), updated_at: '2026-01-01T00:00:00.000Z', models: [] };

  it('is read as it was written, and what this version does not know is passed over', () => {
    expect(parseCatalog(JSON.stringify({ ...catalog, more: 1 }), 'x.json')).toEqual(catalog);
  });

  it('of an older version is read through each step', () => {
    const migrations = new Map([
      [0, ({ entries, ...rest }: Record<string, unknown>) => ({ ...rest, models: entries })],
    ]);
    const older = JSON.stringify({ ...catalog, version: 0, models: undefined, entries: [] });
    expect(parseCatalog(older, 'x.json', migrations)).toEqual(catalog);
  });

  it('of a newer version is refused', () => {
    expect(() => parseCatalog(JSON.stringify({ ...catalog, version: 2 }), 'x.json')).toThrow(
      /x\.json was written by a newer/,
    );
  });

  it.each(['', 'null', '[]', '{}', '{"version":"1"}', '{"version":1}', '{"version":-1}', '{"version":0.5}'])(
    '%j is none',
    (text) => {
      expect(() => parseCatalog(text, 'x.json')).toThrow('x.json is no catalog');
    },
  );

  it('plans a model under its id, and under the id of its pool where its registry gave it', () => {
    const model: CatalogModel = {
      ...{ id: 'org/m', name: 'a\u001b[2Jb', path: null, format: null, size_gb: null, architecture: 'qwen2' },
      ...{ downloaded: false, backends: [], metadata: { repo: 'org/m', revision: 'v1' } },
    };
    expect(planOf(model, catalog.pool_id)).toEqual({
      ...{ id: 'org/m', name: 'a\ufffd[2Jb', repo: 'org/m', revision: 'v1', architecture: 'qwen2' },
    });
    expect(planOf({ ...model, id: '4f1c22ab' }, catalog.pool_id).id).toBe('cdcdcdcd/4f1c22ab');
  });
});
