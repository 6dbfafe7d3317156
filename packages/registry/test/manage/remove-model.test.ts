import { access, link, readdir, readFile, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type Alias, type Digest, listModelsParams } from '@model-rtc/protocol';
import { rejection } from '../../../../test/support/rejection.ts';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { type ImportSteps, openRegistry } from '../../src/index.ts';
import { installFiles, manifestOf, plainImportSteps, sha256, writeFiles } from '../helpers/models.ts';
import { openTestRegistry } from '../helpers/registry.ts';

const FILES = { 'best.ckpt': 'w'.repeat(100), 'sub/config.yaml': 'a: 1' };

/** So that the notes of a larger model are small. */
const oneChunkSteps: ImportSteps = {
  ...plainImportSteps,
  async hashFiles(files, options) {
    const { manifest, stats } = await plainImportSteps.hashFiles(files, options);
    const [file] = manifest.files;
    if (file === undefined || manifest.files.length > 1) throw new Error('this is for models of one file');
    return { stats, manifest: { ...manifest, chunks: [{ digest: file.sha256, size: file.size }] } };
  },
};

async function isThere(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}

describe('removing a model', () => {
  it('takes its files, its entry and its alias, and says what that frees', async () => {
    const registry = await openTestRegistry();
    const entry = await installFiles(registry, FILES, { alias: 'mouse' as Alias });
    const other = await installFiles(registry, { a: 'other' });
    const removed = await registry.remove('mouse');
    expect(removed).toMatchObject({ entry: { id: entry.id, alias: 'mouse' } });
    expect(removed.keptAt).toBeUndefined();
    expect(removed.freedBytes).toBeGreaterThan(104);
    expect(await isThere(entry.localPath)).toBe(false);
    expect(await readdir(registry.paths.staging)).toEqual([]);
    expect((await rejection(registry.resolve('mouse'))).code).toBe('not_found_locally');
    expect((await registry.list(listModelsParams.parse({}))).models.map(({ id }) => id)).toEqual([other.id]);
  });

  it('takes the last one too, and the next process does not bring it back', async () => {
    const registry = await openTestRegistry();
    const { id } = await installFiles(registry, FILES);
    await registry.remove(id);
    await using again = await openRegistry({ home: registry.paths.root });
    expect((await again.list(listModelsParams.parse({}))).total).toBe(0);
    expect((await installFiles(registry, FILES)).id).toBe(id);
  });

  it('takes its chunks out of the chunk index', async () => {
    const registry = await openTestRegistry();
    const { id } = await installFiles(registry, FILES);
    const chunk = manifestOf(FILES).chunks[0]?.digest as Digest;
    expect((await registry.locateChunks([chunk])).size).toBe(1);
    await registry.remove(id);
    expect((await registry.locateChunks([chunk])).size).toBe(0);
  });

  it('leaves the originals of a linked model where they are, and frees nothing of theirs', async () => {
    const registry = await openTestRegistry({ importSteps: oneChunkSteps });
    const original = await writeFiles(join(await temporaryFolder(), 'run'), { 'best.ckpt': 'w'.repeat(100_000) });
    const { entry } = await registry.importModel(original);
    expect((await registry.remove(entry.id, { keepFiles: true })).keptAt).toBeUndefined();
    expect(await readFile(join(original, 'best.ckpt'), 'utf8')).toHaveLength(100_000);
    const { entry: again } = await registry.importModel(original);
    expect((await registry.remove(again.id)).freedBytes).toBeLessThan(50_000);
    expect(await readFile(join(original, 'best.ckpt'), 'utf8')).toHaveLength(100_000);
    expect(await isThere(entry.localPath)).toBe(false);
  });

  it('follows no link that someone put into its folder, or in place of it', async () => {
    const registry = await openTestRegistry();
    const outside = await writeFiles(await temporaryFolder(), { 'precious/data': 'x', file: 'y' });
    const first = await installFiles(registry, FILES);
    await symlink(join(outside, 'precious'), join(first.localPath, 'sub', 'away'));
    await link(join(outside, 'file'), join(first.localPath, 'hard'));
    await registry.remove(first.id);
    const second = await installFiles(registry, { a: 'second' });
    await rename(second.localPath, `${second.localPath}.moved`);
    await symlink(outside, second.localPath);
    await registry.remove(second.id);
    expect(await readFile(join(outside, 'precious/data'), 'utf8')).toBe('x');
    expect(await readFile(join(outside, 'file'), 'utf8')).toBe('y');
    expect(await isThere(second.localPath)).toBe(false);
  });

  it('works when the folder is gone already, or its notes are damaged', async () => {
    const registry = await openTestRegistry();
    const gone = await installFiles(registry, FILES);
    await rename(gone.localPath, join(await temporaryFolder(), 'gone'));
    expect(await registry.remove(gone.id)).toMatchObject({ freedBytes: 0 });
    const damaged = await installFiles(registry, { a: '2' });
    await writeFile(join(damaged.localPath, '.model-rtc/manifest.json'), '{');
    await registry.remove(damaged.id);
    expect((await registry.list(listModelsParams.parse({}))).total).toBe(0);
  });

  it('of many at once by several processes’ worth of callers removes each once', async () => {
    const registry = await openTestRegistry();
    const second = await openTestRegistry({ home: registry.paths.root });
    const ids: string[] = [];
    for (let i = 0; i < 8; i++) ids.push((await installFiles(registry, { a: `model ${i}` })).id);
    const outcomes = await Promise.allSettled(ids.flatMap((id) => [registry.remove(id), second.remove(id)]));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(8);
    expect((await second.list(listModelsParams.parse({}))).total).toBe(0);
    expect(await readdir(registry.paths.staging)).toEqual([]);
  });
});

describe('removing a model when the index cannot be written', () => {
  it.each([[false], [true]])('fails, and leaves it as it was (kept files: %s)', async (keepFiles) => {
    const registry = await openTestRegistry();
    const { id, digest } = await installFiles(registry, FILES);
    const { stringify } = JSON;
    const full = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    JSON.stringify = ((value: unknown, ...rest: []) => {
      if (typeof value === 'object' && value !== null && 'aliases' in value && 'interrupted' in value) throw full;
      return stringify(value, ...rest);
    }) as typeof JSON.stringify;
    try {
      expect(await rejection(registry.remove(id, { keepFiles }))).toBe(full);
    } finally {
      JSON.stringify = stringify;
    }
    expect(await registry.check(digest as Digest)).toMatchObject({ valid: true });
    expect(await readdir(registry.paths.staging)).toEqual([]);
  });
});

describe('removing a model and keeping its files', () => {
  it('moves them out of the registry, each time to a folder of its own', async () => {
    const registry = await openTestRegistry();
    const kept: string[] = [];
    for (let time = 0; time < 2; time++) {
      const { id } = await installFiles(registry, FILES);
      const { keptAt, freedBytes } = await registry.remove(id, { keepFiles: true });
      expect(freedBytes).toBe(0);
      kept.push(keptAt as string);
    }
    expect(new Set(kept).size).toBe(2);
    for (const path of kept) {
      expect(path.startsWith(registry.paths.kept)).toBe(true);
      expect(await readFile(join(path, 'best.ckpt'), 'utf8')).toBe(FILES['best.ckpt']);
    }
    expect((await registry.list(listModelsParams.parse({}))).total).toBe(0);
  });

  it('leaves them ready to be imported again', async () => {
    const registry = await openTestRegistry();
    const { id } = await installFiles(registry, FILES);
    const { keptAt } = await registry.remove(id, { keepFiles: true });
    const { entry } = await registry.importModel(keptAt as string);
    expect(entry.originalPath).toBe(keptAt);
    expect((await registry.remove(entry.id)).entry.linked).toBe(true);
    expect(await isThere(join(keptAt as string, 'best.ckpt'))).toBe(true);
  });
});

describe('a model with chunks that an unfinished transfer needs', () => {
  const transferOf = sha256('another model');
  const shared = { weights: 'shared '.repeat(10) };
  const needed = [{ model: transferOf, digests: new Set(manifestOf(shared).chunks.map(({ digest }) => digest)) }];

  it('is not removed while it has the only copy', async () => {
    const registry = await openTestRegistry();
    const { id, localPath } = await installFiles(registry, shared);
    const error = await rejection(registry.remove(id, { needed }));
    expect(error).toMatchObject({ code: 'refused', details: { transferOf, chunks: 5 } });
    expect(await isThere(join(localPath, 'weights'))).toBe(true);
    expect((await registry.resolve(id)).entry.displayStatus).toBe('completed');
    await registry.remove(id);
  });

  it('is removed when another whole model has them, and not when that one is damaged', async () => {
    const registry = await openTestRegistry();
    const { id } = await installFiles(registry, shared);
    const copy = await installFiles(registry, { 'other-name': shared.weights });
    await rename(join(copy.localPath, 'other-name'), join(copy.localPath, 'moved'));
    expect((await rejection(registry.remove(id, { needed }))).code).toBe('refused');
    await rename(join(copy.localPath, 'moved'), join(copy.localPath, 'other-name'));
    await registry.remove(id, { needed });
    expect((await rejection(registry.remove(copy.id, { needed }))).code).toBe('refused');
  });

  it('is removed when the transfer is of that very model, or needs other chunks', async () => {
    const registry = await openTestRegistry();
    const { id, digest } = await installFiles(registry, shared);
    const elsewhere = { model: transferOf, digests: new Set([sha256('not here')]) };
    const own = { model: digest as Digest, digests: needed[0]?.digests as Set<Digest> };
    expect((await registry.remove(id, { needed: [elsewhere, own] })).entry.id).toBe(id);
  });

  it('is told from one with copies even when the chunk index was lost', async () => {
    const registry = await openTestRegistry();
    const { id } = await installFiles(registry, shared);
    await installFiles(registry, { 'other-name': shared.weights });
    await registry.locateChunks([]);
    await registry.close();
    await rename(registry.paths.chunkIndex, join(registry.paths.root, 'lost'));
    const again = await openTestRegistry({ home: registry.paths.root });
    await again.remove(id, { needed });
  });
});
