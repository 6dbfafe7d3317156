import { readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type Alias, type Digest, manifestDigest } from '@model-rtc/protocol';
import { rejection } from '../../../../test/support/rejection.ts';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { entryOf, installFiles, manifestOf, writeFiles } from '../helpers/models.ts';
import { openTestRegistry } from '../helpers/registry.ts';

const FILES = { 'best.ckpt': 'weights', 'sub/config.yaml': 'a: 1' };
const DIGEST = manifestDigest(manifestOf(FILES));

describe('installing a model', () => {
  it('moves the verified folder into models/ under its type and id, and empties staging', async () => {
    const registry = await openTestRegistry({ now: () => new Date('2026-01-02T03:04:05Z') });
    const entry = await installFiles(registry, FILES, { alias: 'mouse' as Alias });
    expect(entry).toMatchObject({
      id: DIGEST.slice(0, 8),
      digest: DIGEST,
      alias: 'mouse',
      source: 'worker-pull',
      linked: false,
      displayStatus: 'completed',
      downloadedAt: '2026-01-02T03:04:05.000Z',
      localPath: join(registry.paths.models, `centroid_${DIGEST.slice(0, 8)}`),
    });
    expect(await readFile(join(entry.localPath, 'sub/config.yaml'), 'utf8')).toBe('a: 1');
    expect(await readdir(registry.paths.staging)).toEqual([]);
    expect(await registry.manifest(DIGEST)).toEqual(JSON.parse(JSON.stringify(manifestOf(FILES))));
  });

  it('writes an index that a person can read', async () => {
    const registry = await openTestRegistry();
    const { id } = await installFiles(registry, FILES, { alias: 'mouse' as Alias });
    const text = await readFile(registry.paths.registryFile, 'utf8');
    expect(text).toContain('\n  "models": {\n');
    expect(JSON.parse(text)).toMatchObject({ version: 2, aliases: { mouse: id }, interrupted: [] });
  });

  it('takes no control characters over from another machine, nor that a model with a digest is in training', async () => {
    const registry = await openTestRegistry();
    const hostile = '\u001b[31mred\u009b\u202e';
    const entry = await installFiles(registry, FILES, {
      entry: {
        ...{ status: 'training', name: hostile, framework: '\u0007', license: hostile, notes: `one\ntwo${hostile}` },
        ...{ tags: [hostile, 'kept', '\u0007'], metrics: { [hostile]: hostile, loss: 1 } },
        lineage: { fineTunedFrom: hostile, parents: [hostile, '\u0007'] },
        ...{ warnings: ['\u0007'], hub: { repo: 'org/mouse', commit: '1f'.repeat(20), endpoint: hostile } },
      },
    });
    expect(entry).toMatchObject({ status: 'completed', displayStatus: 'completed', notes: 'one\ntwo [31mred  ' });
    expect(entry).toMatchObject({ name: '[31mred', tags: ['[31mred', 'kept'], lineage: { parents: ['[31mred'] } });
    expect(entry).toMatchObject({ hub: { repo: 'org/mouse', commit: '1f'.repeat(20), endpoint: '[31mred' } });
    expect([entry.framework, entry.warnings]).toEqual([undefined, undefined]);
    const stored = await readFile(registry.paths.registryFile, 'utf8');
    const note = await readFile(join(entry.localPath, '.model-rtc/entry.json'), 'utf8');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be stored
    for (const text of [stored, note]) expect(text).not.toMatch(/\\u00|[\u007f-\u009f\u202e]|\u001b|training/);
  });

  it('makes no file executable, whatever the manifest says', async () => {
    const registry = await openTestRegistry();
    const manifest = manifestOf({ 'run.sh': '#!', data: 'x' }, { 'run.sh': 0o700, data: 0o600 });
    const { localPath } = await installFiles(registry, { 'run.sh': '#!', data: 'x' }, { manifest });
    const umask = process.umask();
    expect((await stat(join(localPath, 'run.sh'))).mode & 0o777).toBe(0o666 & ~umask);
    expect((await stat(join(localPath, 'data'))).mode & 0o777).toBe(0o666 & ~umask);
  });

  it('of a digest that is here keeps the files with skip, and names a model that had no name', async () => {
    const registry = await openTestRegistry();
    const first = await installFiles(registry, FILES);
    const { ino } = await stat(join(first.localPath, 'best.ckpt'));
    const second = await installFiles(registry, FILES, { alias: 'mouse' as Alias, entry: { notes: 'other' } });
    expect(second).toMatchObject({ id: first.id, alias: 'mouse' });
    expect(second.notes).toBeUndefined();
    expect((await stat(join(first.localPath, 'best.ckpt'))).ino).toBe(ino);
    expect(await readdir(registry.paths.staging)).toEqual([]);
    const error = await rejection(installFiles(registry, FILES, { alias: 'rat' as Alias }));
    expect(error.code).toBe('refused');
    expect(error.message).toContain('"mouse"');
  });

  it('of a digest that is here replaces files and entry with overwrite, and keeps alias, tags and folder', async () => {
    const registry = await openTestRegistry();
    const first = await installFiles(registry, FILES, { alias: 'mouse' as Alias, entry: { tags: ['good'] } });
    const { ino } = await stat(join(first.localPath, 'best.ckpt'));
    const second = await installFiles(registry, FILES, { ifExists: 'overwrite', entry: { notes: 'new' } });
    expect(second).toMatchObject({ id: first.id, alias: 'mouse', notes: 'new', tags: ['good'] });
    expect(second.localPath).toBe(first.localPath);
    expect((await stat(join(first.localPath, 'best.ckpt'))).ino).not.toBe(ino);
    expect(await readdir(registry.paths.staging)).toEqual([]);
  });

  it('heals a damaged model of the same digest, with skip too', async () => {
    const registry = await openTestRegistry();
    const { localPath } = await installFiles(registry, FILES);
    await rm(join(localPath, 'best.ckpt'));
    await installFiles(registry, FILES);
    expect(await registry.check(DIGEST)).toEqual({ valid: true, problems: [] });
  });

  it('refuses an alias that another model has, and leaves the staged files for another try', async () => {
    const registry = await openTestRegistry();
    const owner = await installFiles(registry, FILES, { alias: 'mouse' as Alias });
    const error = await rejection(installFiles(registry, { a: 'other' }, { alias: 'mouse' as Alias }));
    expect(error).toMatchObject({
      code: 'alias_taken',
      details: { owner: { id: owner.id }, suggestions: ['mouse-2', 'mouse-3', 'mouse-4'] },
    });
    expect(await readdir(registry.paths.staging)).toHaveLength(1);
    expect(await readdir(registry.paths.models)).toHaveLength(2);
  });

  it('gives a longer id to a model whose digest starts like that of another', async () => {
    const registry = await openTestRegistry();
    const { id } = await installFiles(registry, FILES);
    const index = JSON.parse(await readFile(registry.paths.registryFile, 'utf8'));
    const clash = `${DIGEST.slice(0, 8)}${'0'.repeat(56)}`;
    index.models[id].digest = clash;
    index.models[id].folder = `other_${id}`;
    delete index.aliases;
    await rm(join(registry.paths.models, `centroid_${id}`), { recursive: true });
    await writeFile(registry.paths.registryFile, JSON.stringify(index));
    const second = await installFiles(registry, FILES);
    expect(second.id).toBe(DIGEST.slice(0, 12));
    expect((await registry.resolve(id)).entry.digest).toBe(clash);
    expect((await registry.resolve(second.id)).entry.digest).toBe(DIGEST);
  });

  it('takes what the other side says of a model, but not its id, alias, sizes or paths outside the model', async () => {
    const registry = await openTestRegistry();
    const entry = await installFiles(registry, FILES, {
      entry: {
        id: 'ffffffff',
        alias: 'theirs' as Alias,
        digest: 'f'.repeat(64) as Digest,
        size: 1,
        checkpointPath: '../../etc/passwd',
        configPath: 'sub/config.yaml',
        metrics: { val_loss: 0.1 },
      },
    });
    expect(entry).toMatchObject({ id: DIGEST.slice(0, 8), digest: DIGEST, size: 11, metrics: { val_loss: 0.1 } });
    expect(entry.alias).toBeUndefined();
    expect(entry.checkpointPath).toBeUndefined();
    expect(entry.configPath).toBe('sub/config.yaml');
  });
});

describe('a staged folder', () => {
  async function stage(files: Record<string, string>) {
    const registry = await openTestRegistry();
    const manifest = manifestOf(FILES);
    const filesFolder = await writeFiles(join(registry.paths.staging, 'x'), files);
    const options = { manifest, entry: entryOf(manifest), source: 'worker-pull', ifExists: 'skip' } as const;
    return { registry, filesFolder, install: () => registry.install({ filesFolder, ...options }) };
  }

  it('with a file too many, too few, or of another size is refused', async () => {
    for (const files of [{ ...FILES, extra: '' }, { 'best.ckpt': 'weights' }, { ...FILES, 'best.ckpt': 'w' }]) {
      const { registry, install } = await stage(files);
      expect((await rejection(install())).code).toMatch(/verification_failed|storage/);
      expect((await readdir(registry.paths.models)).filter((name) => name.startsWith('centroid'))).toEqual([]);
    }
  });

  it('with a link in place of a file or folder is refused', async () => {
    const { filesFolder, install } = await stage({ 'sub/config.yaml': 'a: 1' });
    await symlink('/etc/hostname', join(filesFolder, 'best.ckpt'));
    expect((await rejection(install())).code).toBe('verification_failed');
  });

  it('outside staging is refused', async () => {
    const { registry } = await stage(FILES);
    const filesFolder = await writeFiles(join(await temporaryFolder(), 'x'), FILES);
    const manifest = manifestOf(FILES);
    const entry = entryOf(manifest);
    const error = await rejection(
      registry.install({ filesFolder, manifest, entry, source: 'worker-pull', ifExists: 'skip' }),
    );
    expect(error.code).toBe('bad_argument');
  });

  it('of a manifest with a path outside the model is refused', async () => {
    const { registry, filesFolder } = await stage(FILES);
    const manifest = manifestOf({ '../evil': 'x' });
    const error = await rejection(
      registry.install({ filesFolder, manifest, entry: entryOf(manifest), source: 'worker-pull', ifExists: 'skip' }),
    );
    expect(error.code).toBe('invalid_model');
  });
});
