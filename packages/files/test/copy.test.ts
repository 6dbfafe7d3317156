import { link, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { breakHardLinks, cloneFile } from '@model-rtc/files';
import { temporaryFolder } from '../../../test/support/temporary-folder.ts';

describe('breakHardLinks', () => {
  it('gives a file with a second name bytes of its own, with its mode and time', async () => {
    const root = await temporaryFolder();
    const [kept, other] = [join(root, 'kept'), join(root, 'other')];
    await writeFile(other, 'weights', { mode: 0o640 });
    await link(other, kept);
    const { mtimeMs } = await stat(other);
    await breakHardLinks(kept);
    const found = await stat(kept);
    expect([found.nlink, found.mode & 0o777, Math.round(found.mtimeMs)]).toEqual([1, 0o640, Math.round(mtimeMs)]);
    await writeFile(kept, 'changed');
    expect(await readFile(other, 'utf8')).toBe('weights');
    expect((await readdir(root)).sort()).toEqual(['kept', 'other']);
  });

  it('leaves a file with one name as it is', async () => {
    const path = join(await temporaryFolder(), 'config');
    await writeFile(path, 'own');
    const { ino } = await stat(path);
    await breakHardLinks(path);
    expect((await stat(path)).ino).toBe(ino);
  });
});

describe('cloneFile', () => {
  it('never touches a file that is there already', async () => {
    const root = await temporaryFolder();
    await writeFile(join(root, 'from'), 'new');
    await writeFile(join(root, 'to'), 'old');
    expect(await cloneFile(join(root, 'from'), join(root, 'to'))).toBe(false);
    expect(await readFile(join(root, 'to'), 'utf8')).toBe('old');
  });
});
