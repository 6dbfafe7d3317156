import { rm } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import type { Alias } from '@model-rtc/protocol';
import { rejection } from '../../../../test/support/rejection.ts';
import type { Registry } from '../../src/index.ts';
import { installFiles } from '../helpers/models.ts';
import { openTestRegistry } from '../helpers/registry.ts';

const MOUSE = 'mouse' as Alias;

/** A registry whose clock goes on by a day at each look. */
async function openWithDays(): Promise<Registry> {
  let days = 0;
  return await openTestRegistry({ now: () => new Date(Date.UTC(2026, 0, ++days)) });
}

/** Models that had an alias one after the other, the first one first. */
async function versions(registry: Registry, count: number, alias = MOUSE): Promise<string[]> {
  const ids: string[] = [];
  for (let version = 0; version < count; version++) {
    const { id } = await installFiles(registry, { weights: `${alias} ${version}` });
    await registry.tag(id, alias, { overwrite: true });
    ids.push(id);
  }
  return ids;
}

describe('the history of an alias', () => {
  it('says which models had it and when, newest first', async () => {
    const registry = await openWithDays();
    const [first, second, third] = await versions(registry, 3);
    const { alias, records } = await registry.history('mouse');
    expect(alias).toBe('mouse');
    expect(records.map(({ entry }) => entry.id)).toEqual([third, second, first]);
    expect(records.map(({ until }) => until === undefined)).toEqual([true, false, false]);
    expect(records[1]?.until).toBe(records[0]?.since);
    expect(records[2]?.until).toBe(records[1]?.since);
  });

  it('is that of the alias that a model has or had last, when the model is named', async () => {
    const registry = await openWithDays();
    const [first, second] = await versions(registry, 2);
    for (const ref of [first, second]) expect((await registry.history(ref as string)).alias).toBe('mouse');
  });

  it('is there for an alias that no model has any more', async () => {
    const registry = await openWithDays();
    const [only] = await versions(registry, 1);
    await registry.untag('mouse');
    const { records } = await registry.history('mouse');
    expect(records).toMatchObject([{ entry: { id: only }, until: expect.any(String) }]);
  });

  it('lists a model as often as it had the alias', async () => {
    const registry = await openWithDays();
    const [first, second] = await versions(registry, 2);
    await registry.rollback('mouse');
    const { records } = await registry.history('mouse');
    expect(records.map(({ entry }) => entry.id)).toEqual([first, second, first]);
  });

  it('is not there for a model that was never named, nor for nobody', async () => {
    const registry = await openWithDays();
    const { id } = await installFiles(registry, { a: '1' });
    expect(await rejection(registry.history(id))).toMatchObject({
      code: 'not_found_locally',
      message: expect.stringContaining('tag-model'),
    });
    expect((await rejection(registry.history('nobody'))).code).toBe('not_found_locally');
  });
});

describe('rolling an alias back', () => {
  it('gives it to the model that had it before, and forth again the second time', async () => {
    const registry = await openWithDays();
    const [, second, third] = await versions(registry, 3);
    expect(await registry.rollback('mouse')).toMatchObject({
      entry: { id: second, alias: 'mouse' },
      from: { id: third },
    });
    expect((await registry.resolve('mouse')).entry.id).toBe(second);
    expect((await registry.resolve(third as string)).entry.alias).toBeUndefined();
    expect((await registry.rollback('mouse')).entry.id).toBe(third);
  });

  it('goes to any model that had it once, and to no other', async () => {
    const registry = await openWithDays();
    const [first] = await versions(registry, 3);
    const stranger = await installFiles(registry, { a: 'stranger' });
    expect((await registry.rollback('mouse', first)).entry.id).toBe(first);
    expect((await rejection(registry.rollback('mouse', stranger.id))).code).toBe('refused');
    expect((await registry.resolve('mouse')).entry.id).toBe(first);
  });

  it('does nothing when the named model has it already', async () => {
    const registry = await openWithDays();
    const [, second] = await versions(registry, 2);
    expect(await registry.rollback('mouse', second)).toMatchObject({ entry: { id: second }, from: undefined });
    expect((await registry.history('mouse')).records).toHaveLength(2);
  });

  it('takes no other name away unless it is told which model to take', async () => {
    const registry = await openWithDays();
    const [first] = await versions(registry, 2);
    await registry.tag(first as string, 'stable' as Alias);
    const error = await rejection(registry.rollback('mouse'));
    expect(error).toMatchObject({ code: 'refused', message: expect.stringContaining(`--to ${first}`) });
    expect((await registry.resolve('stable')).entry.id).toBe(first);
    expect((await registry.rollback('mouse', 'stable')).entry).toMatchObject({ id: first, alias: 'mouse' });
  });

  it('gives an alias that was taken away back', async () => {
    const registry = await openWithDays();
    const [only] = await versions(registry, 1);
    await registry.untag('mouse');
    expect(await registry.rollback('mouse')).toMatchObject({ entry: { id: only, alias: 'mouse' }, from: undefined });
  });

  it('is refused when there is nothing to go back to', async () => {
    const registry = await openWithDays();
    const [first] = await versions(registry, 1);
    expect((await rejection(registry.rollback('mouse'))).code).toBe('not_found_locally');
    expect((await rejection(registry.rollback('rat'))).code).toBe('not_found_locally');
    expect((await registry.resolve('mouse')).entry.id).toBe(first);
  });

  it('finds what it needs when the index was lost and made again from the folders', async () => {
    const registry = await openWithDays();
    const [first, second] = await versions(registry, 2);
    await rm(registry.paths.registryFile);
    const again = await openTestRegistry({ home: registry.paths.root });
    expect((await again.resolve('mouse')).entry.id).toBe(second);
    expect((await again.rollback('mouse')).entry.id).toBe(first);
  });
});
