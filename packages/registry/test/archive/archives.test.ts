import { readdir, readFile, stat, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type Alias, type ModelEntry, manifestDigest } from '@model-rtc/protocol';
import { unpackTar } from 'modern-tar';
import type { Registry } from '../../src/index.ts';
import { type Files, installFiles, makeExecutable, manifestOf, rejection, writeFiles } from '../helpers/models.ts';
import { openTestRegistry } from '../helpers/registry.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const LONG = `weights/${'a'.repeat(120)}/${'b'.repeat(200)}.bin`;
const FILES: Files = {
  'best.ckpt': 'the best weights',
  'configs/größe ü.yaml': 'size: large\n',
  'empty.txt': '',
  [LONG]: 'x'.repeat(1500),
  'run.sh': '#!/bin/sh\n',
};
const ENTRY: Partial<ModelEntry> = {
  alias: 'mouse' as Alias,
  name: 'The mouse, first version',
  tags: ['lab'],
  notes: 'Trained on a Tuesday.',
  metrics: { best_val_loss: 0.25 },
  license: 'mit',
  createdAt: '2026-01-02T03:04:05.000Z',
};

interface Exported {
  readonly from: Registry;
  readonly archive: string;
}

async function exportMouse(files: Files = FILES, entry = ENTRY): Promise<Exported> {
  const from = await openTestRegistry();
  const manifest = manifestOf(files, { 'run.sh': 0o755 });
  await installFiles(from, files, { manifest, entry, alias: entry.alias });
  const archive = join(await temporaryFolder(), 'mouse.tar');
  await from.exportModel('mouse', archive);
  return { from, archive };
}

async function readFiles(folder: string, files: Files = FILES): Promise<Record<string, string>> {
  const read = Object.keys(files).map(async (path) => [path, await readFile(join(folder, path), 'utf8')]);
  return Object.fromEntries(await Promise.all(read));
}

/** Nothing was registered and nothing is left of an attempt. */
async function expectUntouched(registry: Registry): Promise<void> {
  expect((await registry.list({ filters: {}, sort: 'date', limit: 10 })).total).toBe(0);
  expect(await readdir(registry.paths.staging)).toEqual([]);
  expect((await readdir(registry.paths.models)).filter((name) => !name.startsWith('registry.'))).toEqual([]);
}

describe('an archive', () => {
  it('takes a model with its metadata and alias to another registry', async () => {
    const { archive } = await exportMouse();
    const to = await openTestRegistry({ clock: () => new Date('2026-05-06T07:08:09Z') });
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
    expect((await stat(join(entry.localPath, 'run.sh'))).mode & 0o111).not.toBe(0);
    expect(phases).toEqual(new Set(['copy', 'verify']));
    expect((await to.check(manifestDigest(manifest))).valid).toBe(true);
    expect(await readdir(to.paths.staging)).toEqual([]);
  });

  it('is told from other files by its first block', async () => {
    const { from, archive } = await exportMouse();
    const folder = await temporaryFolder();
    await writeFiles(folder, { 'plain.bin': 'x'.repeat(2000), 'short.tar': 'ustar' });
    expect(await from.isArchive(archive)).toBe(true);
    for (const other of ['plain.bin', 'short.tar', 'missing.tar', '.'])
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
    expect(members.at(-1)?.header.mode).toBe(0o755);
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
      ['/dev/null', /no plain file/],
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
