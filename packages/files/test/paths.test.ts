import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { exists, isInside, listFolder, listTree } from '@model-rtc/files';
import { temporaryFolder } from '../../../test/support/temporary-folder.ts';

describe('isInside', () => {
  it.each([
    ['/a/b', '/a/b', true],
    ['/a/b/c', '/a/b', true],
    ['/a/bc', '/a/b', false],
    ['/a', '/a/b', false],
    ['/a', '/', true],
  ])('says of %s in %s: %s', (path, folder, answer) => {
    expect(isInside(path, folder)).toBe(answer);
  });
});

describe('listTree', () => {
  it('gives everything at any depth, folders before their content, and does not follow links', async () => {
    const root = await temporaryFolder();
    await mkdir(join(root, 'deep', 'deeper'), { recursive: true });
    await writeFile(join(root, 'deep', 'deeper', 'weights'), '');
    await symlink(root, join(root, 'deep', 'link'));
    const items = await listTree(root);
    expect(items.map(({ inside }) => inside).sort()).toEqual([
      'deep',
      'deep/deeper',
      'deep/deeper/weights',
      'deep/link',
    ]);
    expect(items.map(({ inside }) => inside).indexOf('deep')).toBe(0);
    expect(items.find(({ inside }) => inside === 'deep/link')?.entry.isSymbolicLink()).toBe(true);
  });

  it('leaves out what is to be skipped, with everything below it', async () => {
    const root = await temporaryFolder();
    await mkdir(join(root, 'own', 'deep'), { recursive: true });
    await mkdir(join(root, 'other', 'own'), { recursive: true });
    const items = await listTree(root, (inside) => inside === 'own');
    expect(items.map(({ inside }) => inside)).toEqual(['other', 'other/own']);
  });

  it('finds nothing in a folder that is not there', async () => {
    expect(await listTree(join(await temporaryFolder(), 'gone'))).toEqual([]);
    expect(await listFolder(join(await temporaryFolder(), 'gone'))).toEqual([]);
  });
});

describe('exists', () => {
  it('counts a broken link, and not a path below a file', async () => {
    const root = await temporaryFolder();
    await writeFile(join(root, 'file'), '');
    await symlink('nowhere', join(root, 'link'));
    expect(await exists(join(root, 'link'))).toBe(true);
    expect(await exists(join(root, 'file', 'below'))).toBe(false);
    expect(await exists(join(root, 'gone'))).toBe(false);
  });
});
