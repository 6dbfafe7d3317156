import { readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type Alias, type Digest, manifestDigest } from '@model-rtc/protocol';
import { rejection } from '../../../../test/support/rejection.ts';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { installFiles, manifestOf, sha256, writeFiles } from '../helpers/models.ts';
import { openTestRegistry } from '../helpers/registry.ts';

/** Chunks of 16 bytes; the first and the third are the same. */
const FILES = { w: `${'a'.repeat(16)}${'b'.repeat(16)}${'a'.repeat(16)}rest`, 'sub/c': 'c'.repeat(20) };
const MANIFEST = manifestOf(FILES);
const DIGEST = manifestDigest(MANIFEST);
const [A, B, , REST] = MANIFEST.chunks.map((chunk) => chunk.digest) as [Digest, Digest, Digest, Digest];

async function damaged() {
  const registry = await openTestRegistry();
  const entry = await installFiles(registry, FILES, { alias: 'mouse' as Alias, entry: { notes: 'mine' } });
  await writeFile(join(entry.localPath, 'w'), `X${FILES.w.slice(1, 16)}${'?'.repeat(16)}${FILES.w.slice(32)}`);
  const { damagedChunks } = await registry.verify('mouse');
  return { registry, entry, damagedChunks };
}

describe('the chunks that a repair finds on this disk', () => {
  it('are those of the damaged files that are right, though their times are not', async () => {
    const { registry, damagedChunks } = await damaged();
    expect(damagedChunks).toEqual([0, 1]);
    await using chunks = await registry.openRepairChunks(DIGEST, MANIFEST, damagedChunks);
    const located = await chunks.locateChunks(new Set(MANIFEST.chunks.map((chunk) => chunk.digest)));
    expect(located.get(A)).toEqual({ from: 'own', offset: 32, size: 16 });
    expect(located.has(B)).toBe(false);
    for (const digest of [A, REST]) {
      const bytes = await chunks.readLocatedChunk(digest, located.get(digest) as never);
      expect(sha256(bytes as Uint8Array)).toBe(digest);
    }
  });

  it('are taken from other models where the own ones are damaged', async () => {
    const { registry, damagedChunks } = await damaged();
    await installFiles(registry, { other: `${'x'.repeat(16)}${'b'.repeat(16)}` });
    await using chunks = await registry.openRepairChunks(DIGEST, MANIFEST, damagedChunks);
    const location = (await chunks.locateChunks([B])).get(B);
    expect(location).toMatchObject({ from: 'other', location: { offset: 16 } });
    expect(sha256((await chunks.readLocatedChunk(B, location as never)) as Uint8Array)).toBe(B);
  });

  it('that are gone by the time that they are read are simply not there', async () => {
    const { registry, entry, damagedChunks } = await damaged();
    await using chunks = await registry.openRepairChunks(DIGEST, MANIFEST, damagedChunks);
    const located = await chunks.locateChunks([A]);
    await rm(join(entry.localPath, 'w'));
    expect(await chunks.readLocatedChunk(A, located.get(A) as never)).toBeUndefined();
  });
});

describe('replacing a model’s files', () => {
  const staged = async (registry: { paths: { staging: string } }, files = FILES) =>
    await writeFiles(join(registry.paths.staging, 'repaired'), files);

  it('keeps all that is known of the model, and leaves nothing behind', async () => {
    const { registry, entry } = await damaged();
    const filesFolder = await staged(registry);
    expect(await registry.replaceFiles(DIGEST, { filesFolder, manifest: MANIFEST })).toEqual(entry);
    expect((await registry.verify('mouse')).state).toBe('sound');
    expect(await readdir(registry.paths.staging)).toEqual([]);
  });

  it('makes a linked model the registry’s own and never writes to what it was linked to', async () => {
    const registry = await openTestRegistry();
    const originals = await writeFiles(await temporaryFolder(), FILES);
    const { entry, manifest } = await registry.importModel(originals, { alias: 'mouse' as Alias });
    await writeFile(join(originals, 'w'), 'trained on');
    await utimes(join(originals, 'w'), 1, 1);
    const filesFolder = await staged(registry);
    const repaired = await registry.replaceFiles(DIGEST, { filesFolder, manifest });
    const { originalPath: _, ...kept } = entry;
    expect(repaired).toEqual({ ...kept, linked: false });
    expect(await readFile(join(originals, 'w'), 'utf8')).toBe('trained on');
    expect((await stat(join(originals, 'w'))).mtimeMs).toBe(1000);
    expect((await registry.verify('mouse')).state).toBe('sound');
  });

  it('refuses another model’s files, links among them, and a folder that is not staged', async () => {
    const { registry } = await damaged();
    const other = { ...FILES, w: 'other' };
    const filesFolder = await staged(registry, other);
    const attempts = [
      [{ filesFolder, manifest: manifestOf(other) }, 'verification_failed'],
      [{ filesFolder, manifest: MANIFEST }, 'verification_failed'],
      [{ filesFolder: await temporaryFolder(), manifest: MANIFEST }, 'bad_argument'],
    ] as const;
    for (const [options, code] of attempts) {
      expect((await rejection(registry.replaceFiles(DIGEST, options))).code).toBe(code);
    }
    await rm(join(filesFolder, 'w'));
    await symlink('/etc/hostname', join(filesFolder, 'w'));
    expect((await rejection(registry.replaceFiles(DIGEST, { filesFolder, manifest: MANIFEST }))).code).toBe(
      'verification_failed',
    );
    expect((await registry.verify('mouse')).state).toBe('damaged');
  });
});
