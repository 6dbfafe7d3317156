import { cp, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type Alias, type Digest, manifestDigest, type Release } from '@model-rtc/protocol';
import { releaseFolder } from '../../src/entry/releases.ts';
import { openRegistry, type Registry } from '../../src/index.ts';
import { installFiles, manifestOf } from '../helpers/models.ts';
import { openTestRegistry } from '../helpers/registry.ts';

const OLD = { 'model.bin': 'old' };
const NEW = { 'model.bin': 'new' };
const [oldDigest, newDigest] = [manifestDigest(manifestOf(OLD)), manifestDigest(manifestOf(NEW))];
const HASH = 'a'.repeat(64) as Digest;
const release = (version: string, more: Partial<Release> = {}): Release => ({
  ...{ group: 'whisper', model: 'tiny', version },
  ...more,
});

async function installAs(registry: Registry, files: Record<string, string>, releases: Release[], alias?: string) {
  return await installFiles(registry, files, {
    source: 'static-registry',
    entry: { releases },
    ...(alias === undefined ? {} : { alias: alias as Alias }),
  });
}

describe('a model of a static registry', () => {
  it('is found by its name there, and by that of the model where it has one version', async () => {
    const registry = await openTestRegistry();
    const { localPath } = await installAs(registry, OLD, [release('1', { manifest: HASH })]);
    expect(localPath).toBe(join(registry.paths.models, 'whisper-tiny_1'));
    for (const ref of ['whisper/tiny@1', 'whisper/tiny']) {
      expect((await registry.resolve(ref)).entry.digest).toBe(oldDigest);
    }
    expect((await registry.findRelease(release('1')))?.digest).toBe(oldDigest);
    expect((await registry.findByManifest(HASH))?.digest).toBe(oldDigest);
    await installAs(registry, NEW, [release('2')]);
    expect((await registry.resolve('whisper/tiny@2')).entry.digest).toBe(newDigest);
    await expect(registry.resolve('whisper/tiny')).rejects.toMatchObject({ code: 'ambiguous' });
    await expect(registry.resolve('whisper/tiny@3')).rejects.toMatchObject({ code: 'not_found_locally' });
  });

  it('gives its folder and alias to the new content of its version, and is gone', async () => {
    const registry = await openTestRegistry();
    const before = await installAs(registry, OLD, [release('1')], 'best');
    const after = await installAs(registry, NEW, [release('1')]);
    expect(after).toMatchObject({ localPath: before.localPath, alias: 'best', digest: newDigest });
    expect(await readFile(join(after.localPath, 'model.bin'), 'utf8')).toBe('new');
    expect(await registry.find(oldDigest)).toBeUndefined();
  });

  it('is whole, old or new, wherever a process is killed while the one takes the place of the other', async () => {
    const registry = await openTestRegistry();
    const { localPath } = await installAs(registry, OLD, [release('1')]);
    const index = await readFile(registry.paths.registryFile);
    const copy = join(registry.paths.root, 'copy');
    await cp(localPath, copy, { recursive: true });
    await installAs(registry, NEW, [release('1')]);
    // The folder was swapped and the index was not written; what was replaced still lies in staging.
    await rename(copy, join(registry.paths.staging, 'replaced-whisper-tiny_1'));
    await writeFile(registry.paths.registryFile, index);
    const next = await openRegistry({ home: registry.paths.root });
    const { entry } = await next.resolve('whisper/tiny@1');
    expect(entry.digest).toBe(newDigest);
    expect(await next.verify(newDigest)).toMatchObject({ state: 'sound' });
    expect(await next.find(oldDigest)).toBeUndefined();
    await next.close();
  });

  it('keeps its folder when it has another name left', async () => {
    const registry = await openTestRegistry();
    const before = await installAs(registry, OLD, [release('1'), release('2')]);
    const after = await installAs(registry, NEW, [release('1')]);
    expect(after.localPath).not.toBe(before.localPath);
    expect((await registry.resolve('whisper/tiny@2')).entry).toMatchObject({
      digest: oldDigest,
      localPath: before.localPath,
    });
    expect((await registry.resolve('whisper/tiny@1')).entry.digest).toBe(newDigest);
  });

  it('loses no name to what another agent says, and believes nobody about manifests', async () => {
    const registry = await openTestRegistry();
    await installAs(registry, OLD, [release('1', { manifest: HASH })]);
    const releases = [
      release('1', { manifest: 'b'.repeat(64) as Digest }),
      release('9', { manifest: HASH, registry: 'x' }),
    ];
    const entry = await installFiles(registry, NEW, { source: 'worker-pull', entry: { releases } });
    expect(entry.releases).toEqual([release('9')]);
    expect((await registry.findByManifest(HASH))?.digest).toBe(oldDigest);
  });

  it('gets and loses names without its files', async () => {
    const registry = await openTestRegistry();
    await installAs(registry, OLD, [release('1')]);
    await installFiles(registry, NEW);
    const named = await registry.changeReleases(newDigest, { add: [release('1'), release('2')] });
    expect(named).toMatchObject({ releases: [release('1'), release('2')], name: 'whisper/tiny@1' });
    expect((await registry.find(oldDigest))?.releases).toBeUndefined();
    const left = await registry.changeReleases(newDigest, { remove: [release('1')] });
    expect(left).toMatchObject({ releases: [release('2')], name: 'whisper/tiny@2' });
    await expect(registry.changeReleases('f'.repeat(64) as Digest, {})).rejects.toMatchObject({
      code: 'not_found_locally',
    });
  });
});

describe('the folder of a version', () => {
  it('is its names, with a mark where they would not be a safe name, or could be those of another version', () => {
    expect(releaseFolder({ group: 'whisper', model: 'tiny-en', version: '1.0' })).toBe('whisper-tiny-en_1.0');
    expect(releaseFolder({ group: 'fast-whisper', model: 'tiny', version: 'fp16' })).toBe('fast-whisper--tiny_fp16');
    const names = [
      ['fast-whisper', 'tiny', 'fp16'],
      ['fast', 'whisper-tiny', 'fp16'],
      ['Fast', 'whisper-tiny', 'fp16'],
      ['fast', '-whisper-tiny', 'fp16'],
      ['fast-', 'whisper-tiny', 'fp16'],
      ['fast--whisper', 'tiny', 'fp16'],
      ['../..', 'etc', 'passwd'],
      ['a', 'b', '..'],
      ['a', 'b', '1.'],
      ['ä', 'ö', 'ü'],
      ['a', 'b', 'CON'],
      ['x'.repeat(128), 'y'.repeat(128), 'z'.repeat(128)],
    ] as const;
    const folders = names.map(([group, model, version]) => releaseFolder({ group, model, version }));
    expect(new Set(folders).size).toBe(names.length);
    for (const folder of folders) {
      expect(folder).toMatch(/^[a-z0-9][a-z0-9_-]{0,63}_[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/);
      expect(folder).not.toMatch(/\.$/);
    }
  });
});
