import { execFileSync } from 'node:child_process';
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { walkFolder, withoutLogs } from '../../src/import/walk-folder.ts';
import { failureOf, writeFiles } from './folders.ts';

async function pathsIn(folder: string): Promise<string[]> {
  return (await walkFolder(folder)).files.map(({ path }) => path);
}

describe('walkFolder', () => {
  it('finds files in folders, sorted by the bytes of their paths', async () => {
    const folder = await writeFiles(await temporaryFolder(), { 'b/a': '', a: '', 'b.x': '', ä: '', C: '', 'b/Z': '' });
    expect(await pathsIn(folder)).toEqual(['C', 'a', 'b.x', 'b/Z', 'b/a', 'ä']);
  });

  it('gives size, mode and time of each file', async () => {
    const folder = await writeFiles(await temporaryFolder(), { 'run.sh': 'abc' });
    await chmod(join(folder, 'run.sh'), 0o755);
    const [file] = (await walkFolder(folder)).files;
    expect(file).toMatchObject({ size: 3, mode: 0o755, absolutePath: join(folder, 'run.sh') });
    expect(typeof file?.mtimeNs).toBe('bigint');
  });

  it('leaves out what is no part of a model, and says why', async () => {
    const folder = await writeFiles(await temporaryFolder(), {
      'model.pt': '',
      'train.log': '',
      'x.tmp': '',
      'x.part': '',
      'y.lock': '',
      'backup~': '',
      '.DS_Store': '',
      'Thumbs.db': '',
      'events.out.tfevents.1': '',
      'Logs/a': '',
      'tmp/a': '',
      'wandb/a': '',
      'lightning_logs/a': '',
      'viz/a.png': '',
      '.git/config': '',
      '.cache/x': '',
      '.model-rtc/entry.json': '',
      'sub/__pycache__/a.pyc': '',
    });
    const { files, skipped } = withoutLogs(await walkFolder(folder));
    expect(files.map(({ path }) => path)).toEqual(['model.pt']);
    expect(skipped).toHaveLength(17);
    expect(skipped.find(({ path }) => path === 'tmp')?.reason).toBe('temporary files');
    expect(skipped.find(({ path }) => path === 'sub/__pycache__')?.reason).toBe('a cache');
  });

  it('takes odd names, and gives decomposed ones in NFC', async () => {
    const names = ['with space', 'co:lon', 'naïve 日本語', '"quoted"', 'Å'.normalize('NFD')];
    const folder = await writeFiles(await temporaryFolder(), Object.fromEntries(names.map((name) => [name, 'x'])));
    const paths = await pathsIn(folder);
    expect(paths.sort()).toEqual(names.map((name) => name.normalize('NFC')).sort());
  });

  it.each([
    ['a trailing dot', 'weights.'],
    ['a backslash', 'a\\b'],
    ['a control character', 'a\nb'],
    ['a reserved device name', 'aux.json'],
  ])('refuses a name with %s and names the file', async (_, name) => {
    const folder = await writeFiles(await temporaryFolder(), { [name]: 'x' });
    const failure = await failureOf(walkFolder(folder));
    expect(failure).toMatchObject({ code: 'invalid_model', message: expect.stringContaining(join(folder, name)) });
  });

  it('refuses two names that another machine would take for one', async () => {
    const folder = await writeFiles(await temporaryFolder(), { 'Model.pt': '', 'model.pt': '' });
    expect((await failureOf(walkFolder(folder))).message).toMatch(/model\.pt" is there twice/);
  });

  it('refuses a name that is not UTF-8', async () => {
    const folder = await temporaryFolder();
    await writeFile(Buffer.concat([Buffer.from(`${folder}/bad-`), Buffer.of(0xff, 0xfe)]), 'x');
    expect((await failureOf(walkFolder(folder))).message).toContain('is not valid UTF-8');
  });
});

describe('walkFolder on links and other things', () => {
  it('follows links to files and folders, also out of the folder', async () => {
    const root = await temporaryFolder();
    await writeFiles(root, { 'blobs/abc': 'weights', 'extra/a.txt': 'a', 'model/config.json': '{}' });
    await symlink('../blobs/abc', join(root, 'model/model.pt'));
    await symlink('../extra', join(root, 'model/extra'));
    const { files } = await walkFolder(join(root, 'model'));
    expect(files.map(({ path, size }) => [path, size])).toEqual([
      ['config.json', 2],
      ['extra/a.txt', 1],
      ['model.pt', 7],
    ]);
  });

  it('says which link is broken', async () => {
    const folder = await temporaryFolder();
    await symlink('nowhere', join(folder, 'model.pt'));
    const failure = await failureOf(walkFolder(folder));
    expect(failure).toMatchObject({ code: 'invalid_model', message: expect.stringMatching(/model\.pt is broken/) });
  });

  it('says which link leads back to a folder around it, or to itself', async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, 'a/b'), { recursive: true });
    await symlink('../..', join(folder, 'a/b/up'));
    expect((await failureOf(walkFolder(folder))).message).toMatch(/b\/up leads back to a folder/);
    const other = await temporaryFolder();
    await symlink('self', join(other, 'self'));
    expect((await failureOf(walkFolder(other))).message).toMatch(/self leads back to itself/);
  });

  it('does not mind a broken link among what it leaves out', async () => {
    const folder = await writeFiles(await temporaryFolder(), { 'model.pt': '' });
    await symlink('nowhere', join(folder, 'logs'));
    expect(await pathsIn(folder)).toEqual(['model.pt']);
  });

  it('leaves out a pipe without waiting for it', async () => {
    const folder = await writeFiles(await temporaryFolder(), { 'model.pt': '' });
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    const { files, skipped } = await walkFolder(folder);
    expect(files).toHaveLength(1);
    expect(skipped).toEqual([{ path: 'pipe', reason: 'a pipe' }]);
  });
});
