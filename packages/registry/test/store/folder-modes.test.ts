import { chmod, lstat, mkdir, readdir, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { rejection } from '../../../../test/support/rejection.ts';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { openRegistry } from '../../src/index.ts';
import { installFiles } from '../helpers/models.ts';
import { openTestRegistry } from '../helpers/registry.ts';

const bits = async (path: string): Promise<string> => ((await stat(path)).mode & 0o7777).toString(8);

describe('the data folder', () => {
  it('is for its user alone, and so is all that is in it', async () => {
    const home = join(await temporaryFolder(), 'new');
    const registry = await openTestRegistry({ home });
    await installFiles(registry, { a: '1' });
    await registry.recordSeen({ key: 'ab'.repeat(32), name: 'lab' }, []);
    const { root, models, staging, keys, workers, registryFile } = registry.paths;
    for (const folder of [root, models, staging, keys, workers]) expect(await bits(folder)).toBe('700');
    expect(await bits(registryFile)).toBe('600');
  });

  it('that an earlier version left readable for all is put right, but not what a link leads to', async () => {
    const home = await temporaryFolder();
    const elsewhere = await temporaryFolder();
    const { registryFile, models, staging } = (await openTestRegistry({ home })).paths;
    await chmod(elsewhere, 0o755);
    for (const path of [home, models, staging]) await chmod(path, 0o755);
    await chmod(registryFile, 0o644);
    await symlink(elsewhere, join(home, 'kept'));
    await openTestRegistry({ home });
    expect(await Promise.all([models, staging, registryFile, elsewhere].map(bits))).toEqual([
      ...['700', '700', '600', '755'],
    ]);
  });

  it('that is set up for a group is open to it, models that come over a network too', async () => {
    const home = await temporaryFolder();
    await openTestRegistry({ home });
    await chmod(home, 0o2770);
    const registry = await openTestRegistry({ home });
    const { localPath } = await installFiles(registry, { 'sub/a': '1' });
    const { models, keys, registryFile } = registry.paths;
    const folders = await Promise.all([models, localPath, join(localPath, 'sub')].map(bits));
    expect(folders).toEqual(['2770', '2770', '2770']);
    expect(await bits(registryFile)).toMatch(/^6[46]0$/);
    expect(await bits(keys)).toBe('700');
  });

  it.each(['/proc/nobody/model-rtc', '/dev/null/model-rtc'])('cannot be %s, which is said at once', async (home) => {
    expect(await rejection(openRegistry({ home }))).toMatchObject({
      code: 'storage',
      message: expect.stringContaining('MODEL_RTC_HOME'),
    });
  });
});

describe('what a killed writer left beside a file', () => {
  /** No process has this number. */
  const DEAD = 2 ** 22 + 1;

  it('is removed when the registry is next opened, and what a living one writes is not', async () => {
    const home = await temporaryFolder();
    const { models } = (await openTestRegistry({ home })).paths;
    const left = `registry.json.${DEAD}-0123456789ab.tmp`;
    await writeFile(join(models, left), '{');
    await openTestRegistry({ home });
    expect(await readdir(models)).toEqual(['registry.json']);
    const living = `registry.json.${process.pid}-0123456789ab.tmp`;
    await writeFile(join(models, living), '{');
    await openTestRegistry({ home });
    expect(await readdir(models)).toContain(living);
  });

  it('goes with the next note of a model and the next sync', async () => {
    const registry = await openTestRegistry();
    const { id, localPath } = await installFiles(registry, { a: '1' });
    const worker = { key: 'ab'.repeat(32), name: 'lab' };
    await registry.recordSeen(worker, []);
    const [file] = (await readdir(registry.paths.workers)).filter((name) => name.endsWith('.json'));
    const note = join(localPath, '.model-rtc', `entry.json.${DEAD}-0123456789ab.tmp`);
    const seen = join(registry.paths.workers, `${file}.${DEAD}-0123456789ab.tmp`);
    for (const path of [note, seen]) await writeFile(path, '{');
    await registry.update(id, { notes: 'x' });
    await registry.recordSeen({ ...worker, name: 'lab-2' }, []);
    for (const path of [note, seen]) expect((await rejection(lstat(path))).code).toBe('ENOENT');
  });
});

it('a file at the place of a folder is named', async () => {
  const home = join(await temporaryFolder(), 'home');
  await mkdir(home);
  await writeFile(join(home, 'models'), '');
  expect((await rejection(openRegistry({ home }))).code).toBe('storage');
});
