import { mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type Alias, type Digest, listModelsParams } from '@model-rtc/protocol';
import { rejection } from '../../../../test/support/rejection.ts';
import { installFiles } from '../helpers/models.ts';
import { openTestRegistry, warningLog } from '../helpers/registry.ts';

const all = listModelsParams.parse({});
type Json = Record<string, unknown>;

async function editJson(path: string, edit: (value: Json & { entry: Json; files: Json[] }) => unknown): Promise<void> {
  const value = JSON.parse(await readFile(path, 'utf8'));
  edit(value);
  await writeFile(path, JSON.stringify(value));
}

/** A registry whose index was lost and whose only model's notes were meddled with. */
async function reopened(note: 'entry.json' | 'manifest.json', edit: Parameters<typeof editJson>[1]) {
  const before = await openTestRegistry();
  const { localPath } = await installFiles(before, { 'best.ckpt': 'w' }, { alias: 'mouse' as Alias });
  await rm(before.paths.registryFile);
  await editJson(join(localPath, '.model-rtc', note), edit);
  const log = warningLog();
  return { log, registry: await openTestRegistry({ home: before.paths.root, log }) };
}

describe('a model folder that the index does not know', () => {
  it.each<[string, 'entry.json' | 'manifest.json', Parameters<typeof editJson>[1]]>([
    ['an alias that is none', 'entry.json', ({ entry }) => Object.assign(entry, { alias: '../../x' })],
    ['a digest that is none', 'entry.json', ({ entry }) => Object.assign(entry, { digest: 'abc' })],
    ['another model’s digest', 'entry.json', ({ entry }) => Object.assign(entry, { digest: 'a'.repeat(64) })],
    ['a size that is text', 'entry.json', ({ entry }) => Object.assign(entry, { size: '12' })],
    ['no entry', 'entry.json', (value) => Object.assign(value, { entry: null })],
    ['a newer version', 'entry.json', (value) => Object.assign(value, { version: 2 })],
    ['a path outside the model', 'manifest.json', ({ files }) => Object.assign(files[0] as Json, { path: '../evil' })],
    ['another file', 'manifest.json', ({ files }) => Object.assign(files[0] as Json, { path: 'other' })],
    ['no files', 'manifest.json', (value) => Object.assign(value, { files: [] })],
  ])('with %s in its notes is left alone', async (_, note, edit) => {
    const { registry, log } = await reopened(note, edit);
    expect((await registry.list(all)).total).toBe(0);
    expect(log.warnings.length).toBeGreaterThan(0);
    await installFiles(registry, { a: 'b' });
    expect((await registry.list(all)).total).toBe(1);
  });

  it('is taken in under its own digest’s id, whatever id it claims', async () => {
    const { registry } = await reopened('entry.json', ({ entry }) => Object.assign(entry, { id: 'latest' }));
    const { models } = await registry.list(all);
    expect(models.map(({ id, digest }) => String(digest).startsWith(id))).toEqual([true]);
  });

  it('is taken in without its alias when another model has it', async () => {
    const registry = await openTestRegistry();
    const kept = await installFiles(registry, { a: 'one' }, { alias: 'mouse' as Alias });
    const lost = await installFiles(registry, { a: 'two' });
    await editJson(join(lost.localPath, '.model-rtc', 'entry.json'), ({ entry }) =>
      Object.assign(entry, { alias: 'mouse' }),
    );
    await editJson(registry.paths.registryFile, (value) => {
      delete (value.models as Json)[lost.id];
    });
    const again = await openTestRegistry({ home: registry.paths.root });
    expect((await again.resolve('mouse')).entry.id).toBe(kept.id);
    expect((await again.resolve(lost.id)).entry.alias).toBeUndefined();
  });

  it('is left alone when it is a link, or has no model’s name', async () => {
    const registry = await openTestRegistry();
    const { localPath } = await installFiles(registry, { a: 'one' });
    const elsewhere = join(registry.paths.root, 'elsewhere');
    await rename(localPath, elsewhere);
    await symlink(elsewhere, localPath);
    await mkdir(join(registry.paths.models, 'Some Folder'));
    await rm(registry.paths.registryFile);
    const again = await openTestRegistry({ home: registry.paths.root });
    expect((await again.list(all)).total).toBe(0);
  });
});

describe('a registered model', () => {
  it('whose manifest or file notes are damaged says so, and is repaired by installing it again', async () => {
    for (const note of ['manifest.json', 'files.json']) {
      const registry = await openTestRegistry();
      const { localPath, digest } = await installFiles(registry, { a: 'one' });
      const path = join(localPath, '.model-rtc', note);
      await writeFile(path, '{"version": 1');
      const error = await rejection(registry.openModel(digest as Digest));
      expect(error).toMatchObject({ code: 'storage', message: expect.stringContaining(path) });
      await installFiles(registry, { a: 'one' });
      await (await registry.openModel(digest as Digest)).close();
    }
  });

  it('that is still training has no manifest to give', async () => {
    const registry = await openTestRegistry();
    const { id } = await installFiles(registry, { a: 'one' });
    await editJson(registry.paths.registryFile, (value) => {
      const models = value.models as Record<string, Json>;
      const entry = models[id] as Json;
      delete entry.digest;
      entry.status = 'training';
    });
    const { models } = await registry.list(listModelsParams.parse({ filters: { status: 'training' } }));
    expect(models).toMatchObject([{ id, displayStatus: 'training' }]);
  });
});
