import { copyFile, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type Alias, manifestDigest } from '@model-rtc/protocol';
import { unpackTar } from 'modern-tar';
import { rejection } from '../../../../test/support/rejection.ts';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import type { Registry } from '../../src/index.ts';
import { installFiles, makeExecutable, manifestOf, writeFiles } from '../helpers/models.ts';
import { openTestRegistry } from '../helpers/registry.ts';
import { ENTRY, exportMouse, FILES, readFiles } from './support.ts';

/** Nothing was registered and nothing is left of an attempt. */
async function expectUntouched(registry: Registry): Promise<void> {
  expect((await registry.list({ filters: {}, sort: 'date', limit: 10 })).total).toBe(0);
  expect(await readdir(registry.paths.staging)).toEqual([]);
  expect((await readdir(registry.paths.models)).filter((name) => !name.startsWith('registry.'))).toEqual([]);
}

describe('an archive', () => {
  it('takes a model with its metadata and alias to another registry', async () => {
    const { archive } = await exportMouse();
    const to = await openTestRegistry({ now: () => new Date('2026-05-06T07:08:09Z') });
    const phases = new Set<string>();
    const { entry, outcome, manifest } = await to.importArchive(archive, {
      onProgress: ({ phase, doneBytes, totalBytes }) => doneBytes === totalBytes && phases.add(phase),
    });
    expect(outcome).toBe('imported');
    expect(entry).toMatchObject({ ...ENTRY, source: 'local-import', linked: false, displayStatus: 'completed' });
    expect(entry.importedAt).toBe('2026-05-06T07:08:09.000Z');
    expect(entry.downloadedAt).toBeUndefined();
    expect(entry.digest).toBe(manifestDigest(manifestOf(FILES)));
    expect(manifestDigest(manifest)).toBe(entry.digest);
    expect(await readFiles(entry.localPath)).toEqual(FILES);
    expect((await stat(join(entry.localPath, 'run.sh'))).mode & 0o111).toBe(0);
    expect(phases).toEqual(new Set(['copy', 'verify']));
    expect((await to.check(manifestDigest(manifest))).valid).toBe(true);
    expect(await readdir(to.paths.staging)).toEqual([]);
  });

  it('takes the times of the files along', async () => {
    const { from } = await exportMouse();
    const folder = await temporaryFolder();
    await writeFiles(folder, { 'model/best.pt': 'weights' });
    const written = new Date('2024-02-03T04:05:06.000Z');
    await utimes(join(folder, 'model', 'best.pt'), written, written);
    const { entry } = await from.importModel(join(folder, 'model'), { alias: 'dated' as Alias });
    const archive = join(folder, 'dated.tar');
    await from.exportModel(entry.id, archive);
    const arrived = await (await openTestRegistry()).importArchive(archive);
    expect((await stat(join(arrived.entry.localPath, 'best.pt'))).mtime).toEqual(written);
  });

  it('is told from other files by its first block or its name', async () => {
    const { from, archive } = await exportMouse();
    const folder = await temporaryFolder();
    await writeFiles(folder, {
      'plain.bin': 'x'.repeat(2000),
      'short.tar': 'x',
      'folder.tar/a.pt': 'x',
      'best.pth.tar': 'x',
    });
    await copyFile(archive, join(folder, 'mouse.backup'));
    for (const path of ['mouse.backup', 'short.tar']) expect(await from.isArchive(join(folder, path))).toBe(true);
    for (const other of ['plain.bin', 'folder.tar', 'missing.tar', 'best.pth.tar'])
      expect(await from.isArchive(join(folder, other))).toBe(false);
  });

  it('has the notes first, then the files in one folder named for the model, owned by nobody', async () => {
    const { archive } = await exportMouse();
    const members = await unpackTar(await readFile(archive), { strict: true });
    expect(members.map(({ header }) => header.name)).toEqual([
      'mouse/.model-rtc/manifest.json',
      'mouse/.model-rtc/entry.json',
      ...Object.keys(FILES).map((path) => `mouse/${path}`),
    ]);
    for (const { header } of members) expect(header).toMatchObject({ type: 'file', uid: 0, gid: 0 });
    expect(members.at(-1)?.header.mode).toBe(0o644);
  });

  it('is the same, byte for byte, when it is written again', async () => {
    const { from, archive } = await exportMouse();
    const again = await from.exportModel('mouse', `${archive}.2`);
    expect((await readFile(again.path)).equals(await readFile(archive))).toBe(true);
    expect(again.bytes).toBe((await stat(archive)).size);
  });

  it('holds the bytes of a linked model, not its links', async () => {
    const from = await openTestRegistry();
    const folder = await writeFiles(await temporaryFolder(), { 'a.ckpt': 'aaaa', 'b/c.yaml': 'c: 1' });
    await makeExecutable(join(folder, 'a.ckpt'));
    const { entry } = await from.importModel(folder, { alias: 'linked' as Alias });
    expect(entry.linked).toBe(true);
    const { path } = await from.exportModel(entry.id, join(await temporaryFolder(), 'linked.tar'));
    const to = await openTestRegistry();
    expect((await readFile(path, 'latin1')).includes(folder)).toBe(false);
    const imported = await to.importArchive(path);
    expect(imported.entry).toMatchObject({ digest: entry.digest, alias: 'linked', linked: false });
    expect(imported.entry.originalPath).toBeUndefined();
  });

  it('makes a model with what the importer says of it in place of what the archive says', async () => {
    const { archive } = await exportMouse();
    const to = await openTestRegistry();
    const options = { alias: 'rat' as Alias, name: 'Rat', tags: ['mine'], notes: 'Mine.', modelType: 'centroid_2' };
    const { entry } = await to.importArchive(archive, options);
    expect(entry).toMatchObject({ ...options, tags: ['lab', 'mine'] });
  });
});

describe('an archive for someone who wants safe models only', () => {
  const refused = { code: 'refused', exitCode: 8 };

  it('is refused by the names of its files before anything is unpacked, and when the model is here', async () => {
    const { archive, from } = await exportMouse();
    const to = await openTestRegistry();
    let unpacked = 0;
    const attempt = to.importArchive(archive, { safeOnly: true, onProgress: () => unpacked++ });
    expect(await rejection(attempt)).toMatchObject({ ...refused, message: expect.stringContaining('best.ckpt') });
    expect(unpacked).toBe(0);
    await expectUntouched(to);
    expect(await rejection(from.importArchive(archive, { safeOnly: true }))).toMatchObject(refused);
  });

  it('is refused for what its files hold, whatever they are called and whatever it says of them', async () => {
    // What pickle.dumps(os.system) gives with protocol 0.
    const { archive } = await exportMouse({ 'weights.dat': 'cposix\nsystem\np0\n.' }, { ...ENTRY, codeFiles: [] });
    const to = await openTestRegistry();
    expect(await rejection(to.importArchive(archive, { safeOnly: true }))).toMatchObject(refused);
    await expectUntouched(to);
    const { entry } = await to.importArchive(archive);
    expect(entry.codeFiles).toEqual([{ path: 'weights.dat', suspicious: ['posix.system'] }]);
  });

  it('comes in when no file of it runs code', async () => {
    const { archive } = await exportMouse({ 'config.json': '{}' });
    const to = await openTestRegistry();
    expect((await to.importArchive(archive, { safeOnly: true })).entry.codeFiles).toEqual([]);
  });
});

describe('importing an archive of a model that is here', () => {
  it('copies nothing and says so', async () => {
    const { from, archive } = await exportMouse();
    const { outcome, entry } = await from.importArchive(archive);
    expect(outcome).toBe('already_there');
    expect(entry.alias).toBe('mouse');
  });

  it('suggests the archive’s alias when it has none, or one near it that is free', async () => {
    const { archive } = await exportMouse();
    const to = await openTestRegistry();
    await installFiles(to, FILES);
    expect(await to.importArchive(archive)).toMatchObject({ suggestedAlias: 'mouse' });
    await installFiles(to, { a: 'other' }, { alias: 'mouse' as Alias });
    const { entry, suggestedAlias } = await to.importArchive(archive);
    expect([entry.alias, suggestedAlias]).toEqual([undefined, 'mouse-2']);
    expect((await to.importArchive(archive, { ifExists: 'rename' })).entry.alias).toBe('mouse-2');
  });

  it('adds what is said of it now, and renames it only when told to', async () => {
    const { archive, from } = await exportMouse();
    const { entry } = await from.importArchive(archive, { tags: ['again'], notes: 'Seen on a stick.' });
    expect(entry).toMatchObject({ alias: 'mouse', tags: ['lab', 'again'], notes: 'Seen on a stick.' });
    const alias = 'rat' as Alias;
    expect(await rejection(from.importArchive(archive, { alias }))).toMatchObject({ code: 'refused' });
    expect((await from.importArchive(archive, { alias, ifExists: 'rename' })).entry.alias).toBe('rat');
    expect(await readdir(from.paths.staging)).toEqual([]);
  });

  it('replaces a damaged one, which keeps its own alias', async () => {
    const { archive } = await exportMouse();
    const to = await openTestRegistry();
    const { localPath } = await installFiles(to, FILES, { alias: 'mine' as Alias });
    await writeFile(join(localPath, 'best.ckpt'), 'damage of its own');
    const { outcome, entry } = await to.importArchive(archive);
    expect([outcome, entry.alias]).toEqual(['imported', 'mine']);
    expect(await readFiles(entry.localPath)).toEqual(FILES);
  });
});

describe('an archive whose alias is taken here', () => {
  async function withTaken(): Promise<{ to: Registry; archive: string }> {
    const { archive } = await exportMouse();
    const to = await openTestRegistry();
    await installFiles(to, { a: 'other' }, { alias: 'mouse' as Alias });
    return { to, archive };
  }

  it('is refused before anything is copied, unless told what to do', async () => {
    const { to, archive } = await withTaken();
    let copied = 0;
    const refused = await rejection(to.importArchive(archive, { onProgress: () => copied++ }));
    expect(refused).toMatchObject({ code: 'alias_taken', details: { suggestions: ['mouse-2', 'mouse-3', 'mouse-4'] } });
    expect(copied).toBe(0);
    expect(await readdir(to.paths.staging)).toEqual([]);
  });

  it('comes in without it, with one near it, or takes it over, as told', async () => {
    for (const [aliasConflict, alias] of [
      ['keep', undefined],
      ['rename', 'mouse-2'],
      ['overwrite', 'mouse'],
    ] as const) {
      const { to, archive } = await withTaken();
      expect((await to.importArchive(archive, { aliasConflict })).entry.alias).toBe(alias);
    }
  });

  it('comes in under another alias', async () => {
    const { to, archive } = await withTaken();
    expect((await to.importArchive(archive, { alias: 'mouse-tar' as Alias })).entry.alias).toBe('mouse-tar');
  });
});

describe('importing', () => {
  it('leaves nothing when it is cancelled', async () => {
    const { archive } = await exportMouse();
    const to = await openTestRegistry();
    const controller = new AbortController();
    const stopped = to.importArchive(archive, { signal: controller.signal, onProgress: () => controller.abort() });
    expect(await rejection(stopped)).toMatchObject({ code: 'cancelled', exitCode: 130 });
    await expectUntouched(to);
  });

  it('says what is missing when there is no such file', async () => {
    const to = await openTestRegistry();
    expect(await rejection(to.importArchive('/nowhere/x.tar'))).toMatchObject({ code: 'not_found_locally' });
  });
});
