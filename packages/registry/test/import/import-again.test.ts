import { lstat, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type Alias, type Digest, listModelsParams } from '@model-rtc/protocol';
import { rejection } from '../../../../test/support/rejection.ts';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import type { Registry, RegistryEntry } from '../../src/index.ts';
import { installFiles, plainImportSteps, writeFiles } from '../helpers/models.ts';
import { openTestRegistry } from '../helpers/registry.ts';

const FILES = { 'best.ckpt': 'weights of a model', 'sub/config.yaml': 'a: 1' };
const mouse = 'mouse' as Alias;
const rat = 'rat' as Alias;

async function original(name = 'run 1', files: Record<string, string> = FILES): Promise<string> {
  return await writeFiles(join(await temporaryFolder(), name), files);
}

/** A registry with one imported model, and the same files once more elsewhere. */
async function imported(): Promise<{ registry: Registry; first: RegistryEntry; again: string }> {
  const registry = await openTestRegistry();
  const { entry } = await registry.importModel(await original(), { alias: mouse, tags: ['old'], notes: 'first' });
  return { registry, first: entry, again: await original('elsewhere') };
}

describe('importing a model that is here already', () => {
  it('under another alias is refused, with both names, when nobody said what is to become of it', async () => {
    const { registry, first, again } = await imported();
    const error = await rejection(registry.importModel(again, { alias: rat }));
    expect(error).toMatchObject({ code: 'refused', details: { id: first.id, alias: 'mouse', wanted: 'rat' } });
    expect((await registry.resolve('mouse')).entry.id).toBe(first.id);
  });

  it('adds what is said of it, unless that would rename it', async () => {
    const { registry, first, again } = await imported();
    const { entry, outcome } = await registry.importModel(again, { tags: ['new'], name: 'The mouse' });
    expect(outcome).toBe('already_there');
    expect(entry).toMatchObject({
      id: first.id,
      alias: 'mouse',
      tags: ['old', 'new'],
      notes: 'first',
      name: 'The mouse',
    });
    const rebuilt = await openTestRegistry({ home: registry.paths.root });
    expect((await rebuilt.resolve('mouse')).entry.tags).toEqual(['old', 'new']);
  });

  it('with skip leaves it exactly as it is', async () => {
    const { registry, first, again } = await imported();
    const options = { alias: rat, tags: ['new'], notes: 'second', ifExists: 'skip' } as const;
    const { entry, outcome, suggestedAlias } = await registry.importModel(again, options);
    expect({ entry, outcome, suggestedAlias }).toEqual({ entry: first, outcome: 'already_there' });
  });

  it('with rename keeps its files and gives it the alias and what else is said', async () => {
    const { registry, first, again } = await imported();
    const { entry, outcome } = await registry.importModel(again, { alias: rat, notes: 'second', ifExists: 'rename' });
    expect(outcome).toBe('already_there');
    expect(entry).toMatchObject({ id: first.id, alias: 'rat', notes: 'second', originalPath: first.originalPath });
    expect(entry.formerAliases).toMatchObject([{ alias: 'mouse' }]);
  });

  it('with rename and no alias calls it after the folder, or the nearest free name', async () => {
    const { registry, again } = await imported();
    expect((await registry.importModel(again, { ifExists: 'rename' })).entry.alias).toBe('elsewhere');
    await installFiles(registry, { a: 'b' }, { alias: 'third' as Alias });
    const third = await original('third');
    expect((await registry.importModel(third, { ifExists: 'rename' })).entry.alias).toBe('third-2');
  });

  it('with overwrite replaces its files and entry, and keeps its id, alias and tags', async () => {
    const { registry, first, again } = await imported();
    const { entry, outcome } = await registry.importModel(again, {
      copy: true,
      notes: 'second',
      ifExists: 'overwrite',
    });
    expect(outcome).toBe('imported');
    expect(entry).toMatchObject({ id: first.id, alias: 'mouse', tags: ['old'], notes: 'second', linked: false });
    expect((await lstat(join(entry.localPath, 'best.ckpt'))).isFile()).toBe(true);
    expect(await readFile(join(first.originalPath as string, 'best.ckpt'), 'utf8')).toBe(FILES['best.ckpt']);
    expect((await registry.list(listModelsParams.parse({}))).total).toBe(1);
  });

  it('takes a taken alias as the conflict is to be settled', async () => {
    const { registry, first, again } = await imported();
    const other = await installFiles(registry, { a: 'b' }, { alias: rat });
    const options = { alias: rat, ifExists: 'rename', aliasConflict: 'overwrite' } as const;
    expect((await registry.importModel(again, options)).entry).toMatchObject({ id: first.id, alias: 'rat' });
    expect((await registry.resolve(other.id)).entry.alias).toBeUndefined();
  });
});

describe('what is said of a model at its import', () => {
  it('is in its entry, with the parent by digest and by name', async () => {
    const registry = await openTestRegistry();
    const parent = await installFiles(registry, { a: 'b' }, { alias: mouse });
    const said = { name: 'Mouse, tuned', tags: ['a', 'b', 'a'], notes: 'froze the encoder', parent: 'mouse' };
    const { entry } = await registry.importModel(await original(), said);
    expect(entry).toMatchObject({
      name: 'Mouse, tuned',
      tags: ['a', 'b'],
      notes: 'froze the encoder',
      lineage: { parents: [parent.digest], fineTunedFrom: 'mouse' },
    });
    expect((await registry.lineage(entry.id)).ancestors).toMatchObject([{ entry: { id: parent.id } }]);
  });

  it('goes with it to the new content when its originals change', async () => {
    const registry = await openTestRegistry();
    await installFiles(registry, { a: 'b' }, { alias: mouse });
    const path = await original();
    const { entry } = await registry.importModel(path, { name: 'Mouse, tuned', parent: 'mouse' });
    await writeFile(join(path, 'best.ckpt'), 'other weights');
    const fresh = (await registry.refresh(entry.digest as Digest)).entry;
    expect(fresh).toMatchObject({ name: 'Mouse, tuned', lineage: { fineTunedFrom: 'mouse' } });
  });

  it('is checked before anything is hashed', async () => {
    const hashFiles = async (): Promise<never> => {
      throw new Error('it was hashed');
    };
    const registry = await openTestRegistry({ importSteps: { ...plainImportSteps, hashFiles } });
    const path = await original();
    for (const said of [
      { tags: [''] },
      { tags: ['x'.repeat(65)] },
      { tags: ['two words'] },
      { tags: Array.from({ length: 65 }, (_, i) => `tag${i}`) },
      { name: '' },
      { name: 'x'.repeat(257) },
      { name: 'line\nbreak' },
      { notes: 'x'.repeat(1001) },
    ]) {
      expect((await rejection(registry.importModel(path, said))).code).toBe('bad_argument');
    }
    expect((await rejection(registry.importModel(path, { parent: 'nobody' }))).code).toBe('not_found_locally');
  });

  it('cannot be that it is its own parent', async () => {
    const registry = await openTestRegistry();
    const path = await original();
    await registry.importModel(path, { alias: mouse });
    const error = await rejection(registry.importModel(path, { parent: 'mouse' }));
    expect(error).toMatchObject({ code: 'bad_argument', message: expect.stringContaining('--parent') });
  });
});
