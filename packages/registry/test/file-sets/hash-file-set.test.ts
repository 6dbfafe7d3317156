import { execFileSync } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { rejection } from '../../../../test/support/rejection.ts';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { type Files, sha256, writeFiles } from '../helpers/models.ts';
import { openTestRegistry } from '../helpers/registry.ts';

async function hashed(files: Files) {
  const folder = await writeFiles(join(await temporaryFolder(), 'data'), files);
  const registry = await openTestRegistry({ importSteps: undefined });
  return { folder, registry, hash: () => registry.hashFileSet(folder) };
}

describe('hashing data', () => {
  it('takes everything in a folder, hidden and empty files too', async () => {
    const { hash, registry } = await hashed({
      'a.txt': 'a',
      '.hidden': 'h',
      'node_modules/x.pt': 'x',
      'deep/empty': '',
    });
    const set = await hash();
    expect(set).toMatchObject({ form: 'folder', name: 'data', bytes: 3, leftOut: [], emptyFolders: [] });
    expect(set.manifest?.files.map(({ path }) => path)).toEqual([
      '.hidden',
      'a.txt',
      'deep/empty',
      'node_modules/x.pt',
    ]);
    await using reader = registry.openFileSet(set);
    expect(Buffer.from(await reader.readChunk(sha256('x'))).toString()).toBe('x');
  });

  it('takes a file under its own name, which is part of the digest', async () => {
    const { folder, registry } = await hashed({ 'a.mp4': 'same', 'b.mp4': 'same' });
    const [a, b] = await Promise.all(['a.mp4', 'b.mp4'].map((name) => registry.hashFileSet(join(folder, name))));
    expect(a).toMatchObject({ form: 'file', name: 'a.mp4', folder });
    expect(a?.manifest?.files.map(({ path }) => path)).toEqual(['a.mp4']);
    expect(a?.digest).not.toBe(b?.digest);
  });

  it('knows what is in folders without files', async () => {
    const { folder, hash } = await hashed({ a: 'a' });
    await mkdir(join(folder, 'empty', 'below'), { recursive: true });
    expect((await hash()).emptyFolders).toEqual(['empty/below']);
  });

  it('takes a link for the file of the folder that it leads to, and reads that', async () => {
    const { folder, hash, registry } = await hashed({ 'runs/1.csv': 'first' });
    await symlink('runs/1.csv', join(folder, 'latest.csv'));
    const set = await hash();
    expect(set.manifest?.files.map(({ path }) => path)).toEqual(['latest.csv', 'runs/1.csv']);
    expect(set.stats.map(({ path }) => path)).toEqual([join('runs', '1.csv'), join('runs', '1.csv')]);
    await using reader = registry.openFileSet(set);
    expect(Buffer.from(await reader.readChunk(sha256('first'))).toString()).toBe('first');
  });

  it('refuses links that lead out, and says where', async () => {
    const { folder, hash } = await hashed({ a: 'a' });
    await symlink('/etc/passwd', join(folder, 'passwd'));
    await symlink('..', join(folder, 'up'));
    const error = await rejection(hash());
    expect(error).toMatchObject({ code: 'refused' });
    expect(error.message).toMatch(/2 links lead out of .*passwd \(to \/etc\/passwd\), up \(to .*Replace such links/);
  });

  it.each([
    ['a link that leads nowhere', 'broken', async (path: string) => symlink('gone', path)],
    ['a name with a backslash', 'back\\slash', async (path: string) => writeFile(path, '')],
    ['a name with a line end', 'line\nend', async (path: string) => writeFile(path, '')],
    ['a name that Windows has for a device', 'con.txt', async (path: string) => writeFile(path, '')],
    ['a name that ends with a dot', 'dot.', async (path: string) => writeFile(path, '')],
    ['a name that differs in case alone', 'z', async (path: string) => writeFile(path, '')],
  ])('refuses %s, and names it', async (_, name, make) => {
    const { folder, hash } = await hashed({ Z: 'a' });
    await make(join(folder, name));
    const error = await rejection(hash());
    expect(error).toMatchObject({ code: 'bad_argument' });
    expect(error.message).toContain(JSON.stringify(name).slice(1, -1));
  });

  it('refuses a name that is not UTF-8', async () => {
    const { folder, hash } = await hashed({ a: 'a' });
    execFileSync('python3', ['-c', 'import sys; open(sys.argv[1].encode() + b"/\\xff", "w")', folder]);
    expect((await rejection(hash())).message).toMatch(/not valid UTF-8/);
  });

  it('leaves out pipes and links to folders, and says so', async () => {
    const { folder, hash } = await hashed({ 'sub/a': 'a' });
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    await symlink('sub', join(folder, 'loop'));
    expect((await hash()).leftOut).toMatchObject([
      { path: 'loop', reason: 'a link to a folder' },
      { path: 'pipe', reason: 'a pipe' },
    ]);
  });

  it('takes names of other scripts, whatever form their accents have on the disk', async () => {
    const { hash, registry } = await hashed({ ['mäuse/Käfig 1.csv'.normalize('NFD')]: 'x', '実験.mp4': 'y' });
    const set = await hash();
    expect(set.manifest?.files.map(({ path }) => path)).toEqual(['mäuse/Käfig 1.csv', '実験.mp4']);
    await using reader = registry.openFileSet(set);
    expect(Buffer.from(await reader.readChunk(sha256('x'))).toString()).toBe('x');
  });

  it('says what is wrong with a path without data', async () => {
    const { folder, registry } = await hashed({ a: 'a' });
    await mkdir(join(folder, 'empty'));
    const errorAt = async (path: string) => await rejection(registry.hashFileSet(path));
    expect(await errorAt(join(folder, 'gone'))).toMatchObject({ code: 'not_found_locally' });
    expect((await errorAt(join(folder, 'empty'))).message).toMatch(/holds no files/);
    expect((await errorAt('/dev/null')).message).toMatch(/neither a file nor a folder/);
  });

  it('does not send a file that changed since it was hashed', async () => {
    const { folder, hash, registry } = await hashed({ a: 'before' });
    const set = await hash();
    await writeFile(join(folder, 'a'), 'behind');
    await using reader = registry.openFileSet(set);
    expect(await rejection(reader.readChunk(sha256('before')))).toMatchObject({ code: 'source_changed' });
  });
});
