import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { Alias } from '@model-rtc/protocol';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import type { Registry } from '../../src/index.ts';
import { installFiles, writeFiles } from '../helpers/models.ts';
import { openTestRegistry } from '../helpers/registry.ts';

type Said = NonNullable<Parameters<typeof installFiles>[2]>['entry'];

async function made(registry: Registry, name: string, entry: Said = {}): Promise<string> {
  return (await installFiles(registry, { weights: name }, { alias: name as Alias, entry })).digest as string;
}

/** A lineage with names in place of entries. */
async function lineageOf(registry: Registry, ref: string) {
  const { parents, ancestors, children } = await registry.lineage(ref);
  return {
    parents: parents.map(({ name, entry }) => entry?.alias ?? `(${name})`),
    ancestors: ancestors.map(({ name, entry }) => entry?.alias ?? `(${name})`),
    children: children.map(({ alias }) => alias).sort(),
  };
}

describe('lineage', () => {
  it('follows parents up to the first that is not here, and finds children', async () => {
    const registry = await openTestRegistry();
    const base = await made(registry, 'base', { lineage: { fineTunedFrom: 'hub/base-7b' } });
    const middle = await made(registry, 'middle', {
      lineage: { parents: [base], fineTunedFrom: 'a-name-it-had-once' },
    });
    await made(registry, 'leaf', { lineage: { parents: [middle] } });
    await made(registry, 'twin', { lineage: { fineTunedFrom: 'middle' } });
    expect(await lineageOf(registry, 'leaf')).toEqual({
      parents: ['middle'],
      ancestors: ['middle', 'base', '(hub/base-7b)'],
      children: [],
    });
    expect(await lineageOf(registry, 'middle')).toMatchObject({ children: ['leaf', 'twin'] });
    expect(await lineageOf(registry, 'base')).toMatchObject({ parents: ['(hub/base-7b)'], children: ['middle'] });
  });

  it('has all parents of a merge, and follows the first', async () => {
    const registry = await openTestRegistry();
    await made(registry, 'left', { lineage: { fineTunedFrom: 'root' } });
    await made(registry, 'right');
    await made(registry, 'merged', { lineage: { fineTunedFrom: 'left', parents: ['left', 'right', 'hub/third'] } });
    expect(await lineageOf(registry, 'merged')).toEqual({
      parents: ['left', 'right', '(hub/third)'],
      ancestors: ['left', '(root)'],
      children: [],
    });
    expect(await lineageOf(registry, 'right')).toMatchObject({ children: ['merged'] });
  });

  it('knows a parent by its repository on a hub, the version that came last', async () => {
    const days = ['2026-01-01', '2026-01-03', '2026-01-02'].map((day) => new Date(`${day}T00:00:00Z`));
    const registry = await openTestRegistry({ now: () => days[0] as Date });
    for (const [i, name] of ['first', 'last', 'between'].entries()) {
      const hub = { repo: 'org/Model-7B', commit: String(i).repeat(40) };
      await made(registry, name, { hub });
      days.shift();
    }
    days.push(new Date());
    await made(registry, 'tuned', { lineage: { fineTunedFrom: 'org/Model-7B' } });
    expect(await lineageOf(registry, 'tuned')).toMatchObject({ parents: ['last'] });
    expect(await lineageOf(registry, 'last')).toMatchObject({ children: ['tuned'] });
  });

  it('knows a parent by its full name, and by a path inside of what was imported', async () => {
    const registry = await openTestRegistry();
    const run = await writeFiles(join(await temporaryFolder(), 'run'), { 'best.ckpt': 'w' });
    await registry.importModel(run, { alias: 'base' as Alias });
    await made(registry, 'hub', { name: 'org/Model-7B' });
    await made(registry, 'tuned', { lineage: { fineTunedFrom: join(run, 'best.ckpt') } });
    await made(registry, 'adapter', { lineage: { fineTunedFrom: 'org/Model-7B' } });
    expect(await lineageOf(registry, 'tuned')).toMatchObject({ parents: ['base'] });
    expect(await lineageOf(registry, 'adapter')).toMatchObject({ parents: ['hub'] });
  });

  it('ends where models name each other or themselves', async () => {
    const registry = await openTestRegistry();
    await made(registry, 'one', { lineage: { fineTunedFrom: 'two' } });
    await made(registry, 'two', { lineage: { fineTunedFrom: 'one' } });
    await made(registry, 'self', { lineage: { fineTunedFrom: 'self' } });
    expect(await lineageOf(registry, 'one')).toEqual({ parents: ['two'], ancestors: ['two'], children: ['two'] });
    expect(await lineageOf(registry, 'self')).toEqual({ parents: [], ancestors: [], children: [] });
  });
});
