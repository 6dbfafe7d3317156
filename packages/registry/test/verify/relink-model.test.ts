import { lstat, mkdir, readdir, readFile, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { Alias, Digest } from '@model-rtc/protocol';
import { rejection } from '../../../../test/support/rejection.ts';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { installFiles, writeFiles } from '../helpers/models.ts';
import { openTestRegistry } from '../helpers/registry.ts';

const FILES = { 'best.ckpt': 'weights of a mouse', 'sub/config.yaml': 'a: 1' };

async function imported() {
  const registry = await openTestRegistry();
  const folder = await temporaryFolder();
  const originals = await writeFiles(join(folder, 'before'), FILES);
  const { entry } = await registry.importModel(originals, { alias: 'mouse' as Alias });
  await registry.importModel(await writeFiles(join(folder, 'other'), { w: 'other' }), { alias: 'rat' as Alias });
  return { registry, entry, digest: entry.digest as Digest, originals, elsewhere: join(folder, 'after') };
}

describe('pointing a linked model at another place', () => {
  it('heals it when its originals were moved, and keeps all else that is known of it', async () => {
    const { registry, entry, digest, originals, elsewhere } = await imported();
    await rename(originals, elsewhere);
    await writeFiles(elsewhere, { 'logs/new.log': 'beside the model' });
    const phases = new Set<string>();
    const healed = await registry.relink('mouse', elsewhere, { onProgress: ({ phase }) => phases.add(phase) });
    const { originalPath: _, ...kept } = entry;
    expect(healed.entry).toEqual({ ...kept, originalPath: elsewhere });
    expect(await readlink(join(entry.localPath, 'best.ckpt'))).toBe(join(elsewhere, 'best.ckpt'));
    expect(await registry.check(digest)).toEqual({ valid: true, problems: [] });
    expect((await registry.verify('mouse')).state).toBe('sound');
    expect(phases).toEqual(new Set(['verify']));
    expect(await readdir(registry.paths.staging)).toEqual([]);
  });

  it('refuses files that are not the model’s, and changes nothing', async () => {
    const { registry, entry, originals, elsewhere } = await imported();
    const before = await readlink(join(entry.localPath, 'best.ckpt'));
    for (const [files, said] of [
      [{ ...FILES, 'best.ckpt': 'weights of a m0use' }, 'best.ckpt'],
      [{ ...FILES, 'best.ckpt': 'short' }, '5 bytes'],
      [{ 'best.ckpt': FILES['best.ckpt'] }, 'sub/config.yaml'],
    ] as const) {
      await rm(elsewhere, { recursive: true, force: true });
      await writeFiles(elsewhere, files);
      const error = await rejection(registry.relink('mouse', elsewhere));
      expect(error).toMatchObject({ code: 'verification_failed', message: expect.stringContaining(said) });
    }
    expect(await readlink(join(entry.localPath, 'best.ckpt'))).toBe(before);
    expect((await registry.resolve('mouse')).entry.originalPath).toBe(originals);
    expect(await readdir(registry.paths.staging)).toEqual([]);
  });

  it('takes a single file under another name for a model of one file', async () => {
    const { registry, elsewhere } = await imported();
    await writeFiles(elsewhere, { 'renamed.bin': 'other' });
    const { entry } = await registry.relink('rat', join(elsewhere, 'renamed.bin'));
    expect(await readFile(join(entry.localPath, 'w'), 'utf8')).toBe('other');
    expect((await registry.verify('rat')).state).toBe('sound');
  });

  it('refuses a path where nothing is, and one in the registry itself', async () => {
    const { registry, entry, elsewhere } = await imported();
    expect((await rejection(registry.relink('mouse', elsewhere))).code).toBe('not_found_locally');
    expect((await rejection(registry.relink('mouse', entry.localPath))).code).toBe('bad_argument');
    await symlink(entry.localPath, elsewhere);
    expect((await rejection(registry.relink('mouse', elsewhere))).code).toBe('bad_argument');
  });

  it('makes a lost manifest again when the digest is the same', async () => {
    const { registry, entry, originals, elsewhere } = await imported();
    await rm(join(entry.localPath, '.model-rtc'), { recursive: true });
    await rename(originals, elsewhere);
    expect((await registry.verify('mouse')).state).toBe('damaged');
    expect((await rejection(registry.relink('mouse', join(originals, '..', 'other')))).code).toBe(
      'verification_failed',
    );
    await registry.relink('mouse', elsewhere);
    expect((await registry.verify('mouse')).state).toBe('sound');
  });
});

describe('pointing a model of the registry’s own at another place', () => {
  it('copies the files from there, and leaves that place alone', async () => {
    const registry = await openTestRegistry();
    const entry = await installFiles(registry, FILES, { alias: 'mouse' as Alias, entry: { notes: 'mine' } });
    await rm(join(entry.localPath, 'best.ckpt'));
    const elsewhere = await writeFiles(join(await temporaryFolder(), 'usb'), FILES);
    const healed = (await registry.relink('mouse', elsewhere)).entry;
    expect(healed).toMatchObject({ id: entry.id, alias: 'mouse', notes: 'mine', linked: false, source: entry.source });
    await rm(elsewhere, { recursive: true });
    expect((await lstat(join(healed.localPath, 'best.ckpt'))).isFile()).toBe(true);
    expect((await registry.verify('mouse')).state).toBe('sound');
  });

  it('does not touch a file behind a link that took the place of the registry’s own', async () => {
    const registry = await openTestRegistry();
    const entry = await installFiles(registry, FILES, { alias: 'mouse' as Alias });
    const folder = await temporaryFolder();
    const precious = join(folder, 'precious');
    await writeFile(precious, 'do not touch');
    await rm(join(entry.localPath, 'best.ckpt'));
    await symlink(precious, join(entry.localPath, 'best.ckpt'));
    await mkdir(join(folder, 'usb'));
    await registry.relink('mouse', await writeFiles(join(folder, 'usb'), FILES));
    expect(await readFile(precious, 'utf8')).toBe('do not touch');
    expect((await registry.verify('mouse')).state).toBe('sound');
  });
});
