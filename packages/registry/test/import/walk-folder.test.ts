import { execFileSync } from 'node:child_process';
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { createFileChoice } from '../../src/import/file-choice.ts';
import { withoutLogs } from '../../src/import/left-out-logs.ts';
import { linkRulesFor } from '../../src/import/link-rules.ts';
import { type FoundFiles, walkFolder } from '../../src/import/walk-folder.ts';
import { failureOf, writeFiles } from './folders.ts';

interface WalkOptions {
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly follow?: boolean;
}

/** Fails with what no model can have. */
async function walk(folder: string, { include, exclude, follow = false }: WalkOptions = {}): Promise<FoundFiles> {
  const choice = createFileChoice(include, exclude);
  const found = await walkFolder(folder, { choice, links: await linkRulesFor(folder, { follow }) });
  if (found.problem !== undefined) throw found.problem.error;
  return found;
}

async function pathsIn(folder: string, options?: WalkOptions): Promise<string[]> {
  return (await walk(folder, options)).files.map(({ path }) => path);
}

describe('walkFolder', () => {
  it('finds files in folders, sorted by the bytes of their paths', async () => {
    const folder = await writeFiles(await temporaryFolder(), { 'b/a': '', a: '', 'b.x': '', ä: '', C: '', 'b/Z': '' });
    expect(await pathsIn(folder)).toEqual(['C', 'a', 'b.x', 'b/Z', 'b/a', 'ä']);
  });

  it('gives size, mode and time of each file', async () => {
    const folder = await writeFiles(await temporaryFolder(), { 'run.sh': 'abc' });
    await chmod(join(folder, 'run.sh'), 0o755);
    const [file] = (await walk(folder)).files;
    expect(file).toMatchObject({ size: 3, mode: 0o755, absolutePath: join(folder, 'run.sh') });
    expect(typeof file?.mtimeNs).toBe('bigint');
  });

  it('leaves out what is no part of a model, and says why', async () => {
    const folder = await writeFiles(await temporaryFolder(), {
      'model.pt': '',
      'train.log': 'log',
      'x.tmp': '',
      'x.part': '',
      'y.lock': '',
      'backup~': '',
      '.DS_Store': '',
      'Thumbs.db': '',
      'events.out.tfevents.1': '',
      'Logs/a': '',
      'tmp/a': '',
      'wandb/a': 'abc',
      'wandb/run/b': 'de',
      'lightning_logs/a': '',
      'viz/a.png': '',
      '.git/config': '',
      '.cache/x': '',
      '.model-rtc/entry.json': '',
      'sub/__pycache__/a.pyc': '',
    });
    const { files, skipped } = withoutLogs(await walk(folder), createFileChoice());
    expect(files.map(({ path }) => path)).toEqual(['model.pt']);
    expect(skipped).toHaveLength(17);
    expect(skipped.find(({ path }) => path === 'tmp')?.reason).toBe('temporary files');
    expect(skipped.find(({ path }) => path === 'sub/__pycache__')?.reason).toBe('a cache');
    expect(skipped.find(({ path }) => path === 'wandb')).toEqual({
      ...{ path: 'wandb', reason: 'training logs' },
      ...{ bytes: 5, files: 2 },
    });
    expect(skipped.find(({ path }) => path === 'train.log')?.bytes).toBe(3);
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
    const failure = await failureOf(walk(folder));
    expect(failure).toMatchObject({ code: 'invalid_model', message: expect.stringContaining(join(folder, name)) });
  });

  it('refuses two names that another machine would take for one', async () => {
    const folder = await writeFiles(await temporaryFolder(), { 'Model.pt': '', 'model.pt': '' });
    expect((await failureOf(walk(folder))).message).toMatch(/model\.pt" is there twice/);
  });

  it('refuses a name that is not UTF-8', async () => {
    const folder = await temporaryFolder();
    await writeFile(Buffer.concat([Buffer.from(`${folder}/bad-`), Buffer.of(0xff, 0xfe)]), 'x');
    expect((await failureOf(walk(folder))).message).toContain('is not valid UTF-8');
  });
});

describe('walkFolder on links and other things', () => {
  async function linked(): Promise<string> {
    const root = await temporaryFolder();
    await writeFiles(root, { 'elsewhere/secret.txt': 'secret', 'model/config.json': '{}', 'model/runs/a.pt': 'a' });
    await symlink('config.json', join(root, 'model/copy.json'));
    await symlink('runs', join(root, 'model/latest'));
    return join(root, 'model');
  }

  it('follows links to files in the folder, and names links to folders as left out', async () => {
    const { files, skipped, followed } = await walk(await linked());
    expect(files.map(({ path }) => path)).toEqual(['config.json', 'copy.json', 'runs/a.pt']);
    expect(skipped).toEqual([{ path: 'latest', reason: 'a link to a folder' }]);
    expect(followed).toEqual([]);
  });

  it.each(['elsewhere/secret.txt', 'elsewhere'])(
    'refuses a link to %s, out of the folder, and says where to',
    async (to) => {
      const folder = await linked();
      await symlink(join('..', to), join(folder, 'out.json'));
      const failure = await failureOf(walk(folder));
      expect(failure).toMatchObject({ code: 'refused', message: expect.stringContaining('--follow-links') });
      expect(failure.message).toContain(`out.json (to ${join(folder, '..', to)})`);
      expect(await pathsIn(folder, { exclude: ['out.json'] })).toHaveLength(3);
    },
  );

  it('follows all links when it is told to, and lists those that lead out or to folders', async () => {
    const folder = await linked();
    await symlink('../elsewhere', join(folder, 'out'));
    const { files, followed } = await walk(folder, { follow: true });
    expect(files.map(({ path }) => path)).toEqual([
      'config.json',
      'copy.json',
      'latest/a.pt',
      'out/secret.txt',
      'runs/a.pt',
    ]);
    expect(followed.map(({ path }) => path)).toEqual(['latest', 'out']);
  });

  it('follows links of a snapshot into the repository of the cache, and no further', async () => {
    const repository = join(await temporaryFolder(), 'models--org--tiny');
    const snapshot = join(repository, 'snapshots', 'a'.repeat(40));
    await writeFiles(repository, { 'blobs/abc': 'weights', '../models--other--x/blobs/def': 'other' });
    await mkdir(snapshot, { recursive: true });
    await symlink('../../blobs/abc', join(snapshot, 'model.pt'));
    expect(await pathsIn(snapshot)).toEqual(['model.pt']);
    await symlink('../../../models--other--x/blobs/def', join(snapshot, 'other.pt'));
    expect((await failureOf(walk(snapshot))).code).toBe('refused');
  });

  it('says which link is broken', async () => {
    const folder = await temporaryFolder();
    await symlink('nowhere', join(folder, 'model.pt'));
    const failure = await failureOf(walk(folder));
    expect(failure).toMatchObject({ code: 'invalid_model', message: expect.stringMatching(/model\.pt is broken/) });
  });

  it('says which link leads back to a folder around it, or to itself', async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, 'a/b'), { recursive: true });
    await symlink('../..', join(folder, 'a/b/up'));
    expect((await failureOf(walk(folder, { follow: true }))).message).toMatch(/b\/up leads back to a folder/);
    expect(await pathsIn(folder)).toEqual([]);
    const other = await temporaryFolder();
    await symlink('self', join(other, 'self'));
    expect((await failureOf(walk(other))).message).toMatch(/self leads back to itself/);
  });

  it('does not mind a broken link among what it leaves out', async () => {
    const folder = await writeFiles(await temporaryFolder(), { 'model.pt': '' });
    await symlink('nowhere', join(folder, 'logs'));
    expect(await pathsIn(folder)).toEqual(['model.pt']);
  });

  it('leaves out a pipe without waiting for it', async () => {
    const folder = await writeFiles(await temporaryFolder(), { 'model.pt': '' });
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    const { files, skipped } = await walk(folder);
    expect(files).toHaveLength(1);
    expect(skipped).toEqual([{ path: 'pipe', reason: 'a pipe' }]);
  });
});
