import { cp, lstat, readdir, readFile, readlink, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type Alias, type Digest, listModelsParams } from '@model-rtc/protocol';
import { rejection } from '../../../../test/support/rejection.ts';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { installFiles, makeExecutable, plainImportSteps, writeFiles } from '../helpers/models.ts';
import { openTestRegistry } from '../helpers/registry.ts';

const FILES = { 'best.ckpt': 'weights of a model', 'sub/config.yaml': 'a: 1' };
const all = listModelsParams.parse({});

async function original(files: Record<string, string> = FILES): Promise<string> {
  return await writeFiles(join(await temporaryFolder(), 'run 1'), files);
}

describe('importing a model', () => {
  it('links each file to the original, and registers the model', async () => {
    const registry = await openTestRegistry({ now: () => new Date('2026-01-02T03:04:05Z') });
    const path = await original();
    const { entry, outcome, manifest, suggestedAlias } = await registry.importModel(path);
    expect(outcome).toBe('imported');
    expect(suggestedAlias).toBe('run-1');
    expect(entry).toMatchObject({ linked: true, originalPath: path, importedAt: '2026-01-02T03:04:05.000Z' });
    expect(entry.alias).toBeUndefined();
    expect(await readlink(join(entry.localPath, 'sub/config.yaml'))).toBe(join(path, 'sub/config.yaml'));
    expect(manifest.files.map((file) => file.path)).toEqual(['best.ckpt', 'sub/config.yaml']);
    expect(await readdir(registry.paths.staging)).toEqual([]);
    expect(await registry.check(entry.digest as Digest)).toEqual({ valid: true, problems: [] });
  });

  it('copies the files when asked, none of them executable, and needs the original no more', async () => {
    const registry = await openTestRegistry();
    const path = await original();
    await makeExecutable(join(path, 'best.ckpt'));
    const phases = new Set<string>();
    const { entry } = await registry.importModel(path, { copy: true, onProgress: ({ phase }) => phases.add(phase) });
    expect([...phases]).toEqual(['hash', 'copy', 'verify']);
    await rm(path, { recursive: true });
    expect(entry.linked).toBe(false);
    expect((await lstat(join(entry.localPath, 'best.ckpt'))).isFile()).toBe(true);
    expect((await stat(join(entry.localPath, 'best.ckpt'))).mode & 0o111).toBe(0);
    expect(await readFile(join(entry.localPath, 'sub/config.yaml'), 'utf8')).toBe('a: 1');
    expect((await registry.check(entry.digest as Digest)).valid).toBe(true);
  });

  it('gives copies the times of their originals, and the manifest too', async () => {
    const registry = await openTestRegistry({ importSteps: undefined });
    const path = await original();
    const written = new Date('2024-02-03T04:05:06.789Z');
    await utimes(join(path, 'best.ckpt'), written, written);
    const { entry, manifest } = await registry.importModel(path, { copy: true });
    expect((await stat(join(entry.localPath, 'best.ckpt'))).mtime).toEqual(written);
    expect(manifest.files[0]).toMatchObject({ path: 'best.ckpt', mtimeMs: written.getTime() });
    expect((await registry.check(entry.digest as Digest)).valid).toBe(true);
  });

  it('of files that are registered already says so, from another folder too', async () => {
    const registry = await openTestRegistry();
    const first = await registry.importModel(await original());
    const second = await registry.importModel(await original(), { alias: 'mouse' as Alias });
    expect(second).toMatchObject({ outcome: 'already_there', entry: { id: first.entry.id, alias: 'mouse' } });
    expect(second.suggestedAlias).toBeUndefined();
    expect((await registry.importModel(await original(), { alias: 'mouse' as Alias })).outcome).toBe('already_there');
    const error = await rejection(registry.importModel(await original(), { alias: 'rat' as Alias }));
    expect(error).toMatchObject({ code: 'refused', details: { alias: 'mouse' } });
    expect((await registry.list(all)).total).toBe(1);
  });

  it('under a taken alias is refused before anything is hashed', async () => {
    const registry = await openTestRegistry({
      importSteps: {
        ...plainImportSteps,
        hashFiles: async () => {
          throw new Error('it was hashed');
        },
      },
    });
    await installFiles(registry, { a: 'b' }, { alias: 'mouse' as Alias });
    const error = await rejection(registry.importModel(await original(), { alias: 'mouse' as Alias }));
    expect(error).toMatchObject({ code: 'alias_taken', details: { suggestions: ['mouse-2', 'mouse-3', 'mouse-4'] } });
  });

  it('suggests an alias that is free', async () => {
    const registry = await openTestRegistry();
    await installFiles(registry, { a: 'b' }, { alias: 'run-1' as Alias });
    expect((await registry.importModel(await original())).suggestedAlias).toBe('run-1-2');
  });

  it('of a path where nothing is, or in the registry itself, is refused', async () => {
    const registry = await openTestRegistry();
    const { localPath } = await installFiles(registry, { a: 'b' });
    expect((await rejection(registry.importModel('/nowhere/at all'))).code).toBe('not_found_locally');
    expect((await rejection(registry.importModel(localPath))).code).toBe('bad_argument');
  });

  it('whose copy differs from the original is refused, and nothing is left of it', async () => {
    let passes = 0;
    const registry = await openTestRegistry({
      importSteps: {
        ...plainImportSteps,
        async hashFiles(files, options) {
          if (++passes === 2)
            await writeFile((files[0] as { absolutePath: string }).absolutePath, 'WEIGHTS of a model');
          return await plainImportSteps.hashFiles(files, options);
        },
      },
    });
    const error = await rejection(registry.importModel(await original(), { copy: true }));
    expect(error.code).toBe('verification_failed');
    expect(await readdir(registry.paths.staging)).toEqual([]);
    expect((await registry.list(all)).total).toBe(0);
  });

  it('that is cancelled leaves nothing', async () => {
    const registry = await openTestRegistry();
    const controller = new AbortController();
    const onProgress = ({ phase }: { phase: string }) => phase === 'hash' && controller.abort();
    const options = { copy: true, signal: controller.signal, onProgress };
    expect((await rejection(registry.importModel(await original(), options))).code).toBe('cancelled');
    expect(await readdir(registry.paths.staging)).toEqual([]);
    expect((await registry.list(all)).total).toBe(0);
  });

  it("works with the registry's own scanning and hashing", async () => {
    const registry = await openTestRegistry({ importSteps: undefined });
    const folder = join(await temporaryFolder(), 'hub model');
    const header = JSON.stringify({ w: { dtype: 'U8', shape: [4], data_offsets: [0, 4] } });
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    await writeFiles(folder, {
      'config.json': '{"model_type": "llama"}',
      'model.safetensors': Buffer.concat([length, Buffer.from(header), Buffer.from([1, 2, 3, 4])]),
    } as never);
    const { entry, manifest } = await registry.importModel(folder);
    const copy = join(await temporaryFolder(), 'elsewhere');
    await cp(folder, copy, { recursive: true });
    expect((await registry.importModel(copy, { copy: true })).outcome).toBe('already_there');
    await using reader = await registry.openModel(entry.digest as Digest);
    for (const { digest, size } of manifest.chunks) expect(await reader.readChunk(digest)).toHaveLength(size);
  });
});

describe('refreshing a linked model', () => {
  it('whose originals changed moves its alias, tags and notes to the new content, and the old entry goes', async () => {
    const registry = await openTestRegistry();
    const path = await original();
    const { entry: old } = await registry.importModel(path, { alias: 'mouse' as Alias });
    await writeFile(join(path, 'best.ckpt'), 'other weights');
    expect((await registry.check(old.digest as Digest)).valid).toBe(false);
    const { entry, outcome } = await registry.refresh(old.digest as Digest);
    expect(outcome).toBe('imported');
    expect(entry).toMatchObject({ alias: 'mouse', linked: true, originalPath: path });
    expect(entry.digest).not.toBe(old.digest);
    expect((await registry.list(all)).total).toBe(1);
    expect(await registry.find(old.digest as Digest)).toBeUndefined();
    await expect(lstat(old.localPath)).rejects.toMatchObject({ code: 'ENOENT' });
    const again = await openTestRegistry({ home: registry.paths.root });
    expect((await again.list(all)).total).toBe(1);
  });

  it('whose originals were only touched keeps its identity and is valid again', async () => {
    const registry = await openTestRegistry();
    const path = await original();
    const { entry: old } = await registry.importModel(path, { alias: 'mouse' as Alias });
    await utimes(join(path, 'best.ckpt'), 1, 1);
    expect((await registry.check(old.digest as Digest)).valid).toBe(false);
    const { entry } = await registry.refresh(old.digest as Digest);
    expect(entry).toMatchObject({ id: old.id, digest: old.digest, alias: 'mouse' });
    expect((await registry.check(old.digest as Digest)).valid).toBe(true);
  });

  it('to content that is registered already moves the alias there', async () => {
    const registry = await openTestRegistry();
    const path = await original();
    const { entry: old } = await registry.importModel(path, { alias: 'mouse' as Alias });
    const { entry: other } = await registry.importModel(await original({ ...FILES, 'best.ckpt': 'new' }));
    await writeFile(join(path, 'best.ckpt'), 'new');
    const { entry, outcome } = await registry.refresh(old.digest as Digest);
    expect(outcome).toBe('already_there');
    expect(entry).toMatchObject({ id: other.id, alias: 'mouse' });
    expect((await registry.list(all)).total).toBe(1);
  });

  it('is refused for a model whose files are the registry’s own', async () => {
    const registry = await openTestRegistry();
    const { digest } = await installFiles(registry, FILES);
    expect((await rejection(registry.refresh(digest as Digest))).code).toBe('refused');
  });
});
