import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { Digest, Manifest, ModelPath } from '@model-rtc/protocol';
import { manifestDigest } from '@model-rtc/protocol';
import { afterTest } from '../../../../test/support/after-test.ts';
import { rejection } from '../../../../test/support/rejection.ts';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import type { PlaceOptions } from '../../src/index.ts';
import { type Files, manifestOf, writeFiles } from '../helpers/models.ts';
import { openTestRegistry } from '../helpers/registry.ts';

async function staged(files: Files, { form = 'folder', emptyFolders = [] as string[] } = {}) {
  const registry = await openTestRegistry({ importSteps: undefined });
  const manifest: Manifest | undefined = Object.keys(files).length === 0 ? undefined : manifestOf(files);
  const digest: Digest = manifestDigest(manifest ?? { files: [] });
  const filesFolder = join(registry.paths.staging, digest, 'files');
  if (manifest !== undefined) await writeFiles(filesFolder, files);
  const folder = await temporaryFolder();
  const wanted = {
    ...{ digest, manifest, form: form as PlaceOptions['form'], emptyFolders: emptyFolders as ModelPath[] },
    target: join(folder, 'out'),
  };
  const place = async (more: Partial<PlaceOptions> = {}) =>
    await registry.placeFileSet({
      ...wanted,
      filesFolder: manifest === undefined ? undefined : filesFolder,
      ...more,
    });
  return { registry, folder, wanted, place, target: wanted.target };
}

/** A folder in memory where the machine has one for that; on others the same disk has to do. */
async function onOtherDisk(): Promise<string> {
  const inMemory = await mkdtemp('/dev/shm/model-rtc-test-').catch(() => undefined);
  if (inMemory === undefined) return await temporaryFolder();
  afterTest(() => rm(inMemory, { recursive: true, force: true }));
  return inMemory;
}

describe('placing results', () => {
  it('gives a folder its name, with empty folders and plain modes', async () => {
    const { place, folder, target } = await staged({ 'a.csv': 'a', 'deep/b': '' }, { emptyFolders: ['none/here'] });
    await place();
    expect(await readdir(folder)).toEqual(['out']);
    expect((await readdir(target, { recursive: true })).sort()).toEqual([
      'a.csv',
      'deep',
      'deep/b',
      'none',
      'none/here',
    ]);
    expect((await stat(join(target, 'a.csv'))).mode & 0o777).toBe(0o666 & ~process.umask());
    expect((await stat(join(target, 'deep'))).mode & 0o777).toBe(0o777 & ~process.umask());
  });

  it('gives a file the name that was asked for, in a folder that is made for it', async () => {
    const { place, folder } = await staged({ 'result.slp': 'poses' }, { form: 'file' });
    await place({ target: join(folder, 'new', 'mouse.slp') });
    expect(await readFile(join(folder, 'new', 'mouse.slp'), 'utf8')).toBe('poses');
    expect(await readdir(join(folder, 'new'))).toEqual(['mouse.slp']);
  });

  it('makes a folder for results without files', async () => {
    const { place, target } = await staged({}, { emptyFolders: ['frames'] });
    await place();
    expect(await readdir(target)).toEqual(['frames']);
  });

  it.each(['file', 'folder'])('replaces nothing unless it may: %s', async (form) => {
    const { place, folder, target, registry, wanted } = await staged({ 'result.csv': 'new' }, { form });
    await writeFile(target, 'precious');
    expect(await rejection(registry.checkTarget(target, wanted))).toMatchObject({ code: 'refused' });
    const error = await rejection(place());
    expect(error).toMatchObject({ code: 'refused' });
    expect(error.message).toMatch(/exists already. .*--output.*--force/);
    expect(await readFile(target, 'utf8')).toBe('precious');
    expect(await registry.checkTarget(target, { ...wanted, overwrite: true })).toBe('free');
    await place({ overwrite: true });
    expect(await readFile(form === 'file' ? target : join(target, 'result.csv'), 'utf8')).toBe('new');
    expect(await readdir(folder)).toEqual(['out']);
  });

  it('replaces a folder as a whole, and a link but not what it leads to', async () => {
    const first = await staged({ 'result.csv': 'new' });
    await writeFiles(first.target, { 'old.csv': 'old', 'deep/old': 'old' });
    await first.place({ overwrite: true });
    expect(await readdir(first.target)).toEqual(['result.csv']);
    const second = await staged({ 'result.csv': 'new' }, { form: 'file' });
    const precious = join(second.folder, 'precious');
    await writeFile(precious, 'precious');
    await symlink(precious, second.target);
    await second.place({ overwrite: true });
    expect(await readFile(precious, 'utf8')).toBe('precious');
    expect(await readFile(second.target, 'utf8')).toBe('new');
  });

  it('knows results that are there already', async () => {
    const folder = await staged({ 'a.csv': 'a' }, { emptyFolders: ['frames'] });
    await folder.place();
    expect(await folder.registry.checkTarget(folder.target, folder.wanted)).toBe('same');
    await writeFile(join(folder.target, 'more'), '');
    expect(await rejection(folder.registry.checkTarget(folder.target, folder.wanted))).toMatchObject({
      code: 'refused',
    });
    const file = await staged({ 'result.csv': 'a' }, { form: 'file' });
    await file.place();
    expect(await file.registry.checkTarget(file.target, file.wanted)).toBe('same');
  });

  it('copies to another disk, whole before it has its name, and keeps nothing of what was staged', async () => {
    const elsewhere = await onOtherDisk();
    const { place, registry } = await staged({ 'a.csv': 'a', 'deep/b': 'b' }, { emptyFolders: ['none'] });
    await place({ target: join(elsewhere, 'out') });
    expect(await readdir(elsewhere)).toEqual(['out']);
    expect((await readdir(join(elsewhere, 'out'), { recursive: true })).sort()).toEqual([
      'a.csv',
      'deep',
      'deep/b',
      'none',
    ]);
    expect(await readdir(registry.paths.staging, { recursive: true })).not.toContain('a.csv');
    const file = await staged({ 'result.csv': 'a' }, { form: 'file' });
    await file.place({ target: join(elsewhere, 'mouse.csv') });
    expect(await readFile(join(elsewhere, 'mouse.csv'), 'utf8')).toBe('a');
    expect((await readdir(elsewhere)).sort()).toEqual(['mouse.csv', 'out']);
  });

  it('is not done inside of the data folder, or with files that were not staged', async () => {
    const { place, registry, wanted } = await staged({ 'a.csv': 'a' });
    const inside = join(registry.paths.models, 'out');
    expect(await rejection(place({ target: inside }))).toMatchObject({ code: 'bad_argument' });
    expect(await rejection(registry.checkTarget(inside, wanted))).toMatchObject({ code: 'bad_argument' });
    const elsewhere = await temporaryFolder();
    await mkdir(join(elsewhere, 'files'));
    expect(await rejection(place({ filesFolder: join(elsewhere, 'files') }))).toMatchObject({ code: 'bad_argument' });
  });
});
