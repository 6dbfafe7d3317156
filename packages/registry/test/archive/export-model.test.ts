import { readdir, readFile, stat, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { rejection } from '../../../../test/support/rejection.ts';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { writeFiles } from '../helpers/models.ts';
import { openTestRegistry } from '../helpers/registry.ts';
import { writeNnRun } from '../runs/training-runs.ts';
import { exportMouse } from './support.ts';

describe('exporting', () => {
  it('leaves a file that is there, unless it may be overwritten', async () => {
    const { from, archive } = await exportMouse();
    await writeFile(archive, 'precious');
    expect(await rejection(from.exportModel('mouse', archive))).toMatchObject({ code: 'refused', exitCode: 8 });
    expect(await readFile(archive, 'utf8')).toBe('precious');
    await from.exportModel('mouse', archive, { overwrite: true });
    expect(await from.isArchive(archive)).toBe(true);
    expect(await readdir(join(archive, '..'))).toEqual(['mouse.tar']);
  });

  it('replaces a link and not what it points to', async () => {
    const { from, archive } = await exportMouse();
    const precious = join(await temporaryFolder(), 'precious');
    await writeFile(precious, 'precious');
    const link = `${archive}.link`;
    await symlink(precious, link);
    await from.exportModel('mouse', link, { overwrite: true });
    expect(await readFile(precious, 'utf8')).toBe('precious');
    expect((await stat(link)).size).toBe((await stat(archive)).size);
  });

  it('refuses places that no archive may have', async () => {
    const { from, archive } = await exportMouse();
    const folder = join(archive, '..');
    for (const [place, words] of [
      [folder, /is a folder/],
      [join(folder, 'nowhere', 'x.tar'), /no folder/],
      ['/dev/null', /not a plain file/],
      [join(from.paths.models, 'x.tar'), /registry's own folder/],
      [from.paths.configFile, /registry's own folder/],
    ] as const) {
      const refused = await rejection(from.exportModel('mouse', place, { overwrite: true }));
      expect(refused).toMatchObject({ code: 'bad_argument', message: expect.stringMatching(words) });
    }
  });

  it('never takes the place of a file of the model', async () => {
    const from = await openTestRegistry();
    const folder = await writeFiles(await temporaryFolder(), { 'a.ckpt': 'aaaa' });
    const { entry } = await from.importModel(folder);
    const original = join(folder, 'a.ckpt');
    const refused = await rejection(from.exportModel(entry.id, original, { overwrite: true }));
    expect(refused).toMatchObject({ code: 'bad_argument' });
    expect(await readFile(original, 'utf8')).toBe('aaaa');
  });

  it('finds damage, and leaves no archive', async () => {
    const { from } = await exportMouse();
    const { entry } = await from.resolve('mouse');
    const folder = await temporaryFolder();
    const file = join(entry.localPath, 'best.ckpt');
    const { atime, mtime } = await stat(file);
    await writeFile(file, 'the best_weights');
    await utimes(file, atime, mtime);
    expect(await rejection(from.exportModel('mouse', join(folder, 'x.tar')))).toMatchObject({ exitCode: 6 });
    await truncate(file, 3);
    const short = await rejection(from.exportModel('mouse', join(folder, 'x.tar')));
    expect(short).toMatchObject({ code: 'source_changed', message: expect.stringContaining('repair-model') });
    expect(await readdir(folder)).toEqual([]);
  });

  it('refuses a training that is not done', async () => {
    const from = await openTestRegistry({ importSteps: undefined });
    const folder = await temporaryFolder();
    const path = await writeNnRun(folder, { losses: [0.5] });
    const { id } = await from.recordRun({ path, status: 'interrupted', foundIn: folder });
    const refused = await rejection(from.exportModel(id, join(folder, 'x.tar')));
    expect(refused).toMatchObject({ code: 'refused', message: expect.stringContaining('interrupted') });
  });

  it('leaves nothing when it is cancelled', async () => {
    const { from } = await exportMouse();
    const folder = await temporaryFolder();
    const controller = new AbortController();
    const stopped = from.exportModel('mouse', join(folder, 'x.tar'), {
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    expect(await rejection(stopped)).toMatchObject({ code: 'cancelled', exitCode: 130 });
    expect(await readdir(folder)).toEqual([]);
  });
});
