import { describe, expect, it } from '@jest/globals';
import type { Alias } from '@model-rtc/protocol';
import { installFiles } from '../helpers/models.ts';
import { openTestRegistry } from '../helpers/registry.ts';

const wanted = { name: 'qwen2.5-0.5b', alias: 'qwen2-5-0-5b' as Alias };
const additions = { name: wanted.name, takesName: false };

describe('full names', () => {
  it('are taken by a model of the name, of its alias, or whose alias or id is the name', async () => {
    const registry = await openTestRegistry();
    expect(await registry.namesTaken(wanted)).toBeUndefined();
    const named = await installFiles(registry, { a: '1' }, { additions });
    const aliased = await installFiles(registry, { a: '2' }, { alias: wanted.alias });
    const taken = await registry.namesTaken(wanted);
    expect(taken?.owners.map(({ id }) => id).sort()).toEqual([named.id, aliased.id].sort());
    expect(taken?.free).toEqual({ name: 'qwen2.5-0.5b-2', alias: 'qwen2-5-0-5b-2' });
    expect(await registry.namesTaken({ name: aliased.id, alias: 'other' as Alias })).toBeDefined();
  });

  it('offers the first pair that is free in both parts', async () => {
    const registry = await openTestRegistry();
    await installFiles(registry, { a: '1' }, { additions });
    await installFiles(registry, { a: '2' }, { alias: 'qwen2-5-0-5b-2' as Alias });
    expect((await registry.namesTaken(wanted))?.free.name).toBe('qwen2.5-0.5b-3');
  });

  it('go to a new model at its installation, from all that have it', async () => {
    const registry = await openTestRegistry();
    const older = await installFiles(registry, { a: '1' }, { additions, alias: wanted.alias });
    const newer = await installFiles(
      registry,
      { a: '2' },
      { additions: { ...additions, takesName: true }, alias: wanted.alias, aliasConflict: 'overwrite' },
    );
    expect((await registry.resolve(wanted.name)).entry.id).toBe(newer.id);
    const before = (await registry.resolve(older.id)).entry;
    expect([before.name, before.alias]).toEqual([undefined, undefined]);
  });

  it('go to a model that is here already when it is given the name', async () => {
    const registry = await openTestRegistry();
    await installFiles(registry, { a: '1' }, { additions });
    const other = await installFiles(registry, { a: '2' });
    await registry.update(other.id, { name: wanted.name, takesName: true });
    expect((await registry.resolve(wanted.name)).entry.id).toBe(other.id);
    await expect(registry.update(other.id, { name: 'a\nb' })).rejects.toMatchObject({ code: 'bad_argument' });
  });
});
