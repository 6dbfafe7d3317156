import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { rejection } from '../../../../test/support/rejection.ts';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { type Files, sha256, writeFiles } from '../helpers/models.ts';
import { openTestRegistry } from '../helpers/registry.ts';

async function job(files: Files) {
  const folder = await temporaryFolder();
  const [output, notes] = [join(folder, 'output'), join(folder, 'results')];
  await mkdir(output);
  await writeFiles(output, files);
  const registry = await openTestRegistry({ importSteps: undefined });
  return { output, notes, registry, keep: () => registry.keepResults(output, notes) };
}

describe("a job's results", () => {
  it('are a single file, whatever it is called', async () => {
    const { keep, notes, registry } = await job({ 'result.slp': 'poses' });
    expect(await keep()).toMatchObject({ form: 'file', fileCount: 1, bytes: 5, leftOut: [] });
    const { manifest, form, reader } = await registry.openResults(notes);
    expect([form, manifest?.files.map(({ path }) => path)]).toEqual(['file', ['result.slp']]);
    expect(Buffer.from((await reader?.readChunk(sha256('poses'))) ?? []).toString()).toBe('poses');
    await reader?.close();
  });

  it('are the folder called result, without its name', async () => {
    const { keep, notes, registry } = await job({ 'result/a.csv': 'a', 'result/deep/b.csv': '' });
    expect(await keep()).toMatchObject({ form: 'folder', fileCount: 2 });
    const { manifest, reader } = await registry.openResults(notes);
    expect(manifest?.files.map(({ path }) => path)).toEqual(['a.csv', 'deep/b.csv']);
    await reader?.close();
  });

  it('are all that is there when that is more', async () => {
    const { keep } = await job({ 'result/a.csv': 'a', 'result.log': 'b' });
    expect(await keep()).toMatchObject({ form: 'folder', fileCount: 2 });
  });

  it('can be an empty folder, or nothing at all', async () => {
    const { keep, notes, output, registry } = await job({});
    expect(await keep()).toBeUndefined();
    expect(await rejection(registry.openResults(notes))).toMatchObject({ code: 'not_found' });
    await mkdir(join(output, 'result', 'frames'), { recursive: true });
    expect(await keep()).toMatchObject({ form: 'folder', fileCount: 0, bytes: 0, digest: sha256('') });
    const opened = await registry.openResults(notes);
    expect(opened).toMatchObject({ form: 'folder', manifest: undefined, reader: undefined, emptyFolders: ['frames'] });
  });

  it('leave out what cannot travel, and name it', async () => {
    const { keep, notes, output, registry } = await job({
      'result/a.csv': 'a',
      'result/A.csv': 'b',
      'result/aux': 'c',
    });
    await symlink('/etc/passwd', join(output, 'result', 'secret'));
    await symlink('/etc', join(output, 'result', 'etc'));
    expect(await keep()).toMatchObject({
      fileCount: 1,
      leftOut: [
        { path: 'a.csv', reason: expect.stringContaining('upper and lower case') },
        { path: 'aux', reason: expect.stringContaining('reserved device name') },
        { path: 'etc', reason: 'a link that leads out of the folder' },
        { path: 'secret', reason: 'a link that leads out of the folder' },
      ],
    });
    const { manifest, reader } = await registry.openResults(notes);
    expect(manifest?.files.map(({ path }) => path)).toEqual(['A.csv']);
    await reader?.close();
  });

  it('are not sent when somebody changed them, or their notes', async () => {
    const { keep, notes, output, registry } = await job({ 'result.csv': 'before' });
    await keep();
    await writeFile(join(output, 'result.csv'), 'behind');
    const { reader } = await registry.openResults(notes);
    expect(await rejection(reader?.readChunk(sha256('before')) as Promise<unknown>)).toMatchObject({
      code: 'source_changed',
    });
    await reader?.close();
    for (const name of await readdir(notes)) {
      const whole = await readFile(join(notes, name));
      await writeFile(join(notes, name), '{}');
      expect(await rejection(registry.openResults(notes))).toMatchObject({ code: 'storage' });
      await writeFile(join(notes, name), whole);
    }
  });
});
