import { access, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { openRegistry } from '../../src/index.ts';
import { installFiles } from '../helpers/models.ts';
import { openTestRegistry } from '../helpers/registry.ts';

/** A registry with a model, and a folder beside it that holds none. */
async function withUnknownFolder() {
  const registry = await openTestRegistry();
  const entry = await installFiles(registry, { 'best.ckpt': 'w' });
  const path = join(registry.paths.models, 'llama_deadbeef');
  await mkdir(path);
  await writeFile(join(path, 'weights.bin'), 'worth something?');
  return { registry, entry, path };
}

describe('a folder in models/ that holds no model', () => {
  it('is named by the warning, once for each process, with the command that ends it', async () => {
    const { registry, path } = await withUnknownFolder();
    const warnings: string[] = [];
    const log = { debug() {}, info() {}, warn: (_fields: object, message: string) => void warnings.push(message) };
    await using again = await openRegistry({ home: registry.paths.root, log });
    await installFiles(again, { a: 'other' });
    expect(warnings).toEqual([expect.stringMatching(/llama_deadbeef holds no readable model.*clean-models$/)]);
    expect(warnings[0]).toContain(path);
  });

  it('moves to kept/ with its files, and nobody warns any more', async () => {
    const { registry, path } = await withUnknownFolder();
    expect(await registry.unknownFolders()).toMatchObject([{ folder: 'llama_deadbeef', path, files: 1, bytes: 16 }]);
    const kept = await registry.keepUnknownFolder('llama_deadbeef');
    expect(await readFile(join(kept ?? '', 'weights.bin'), 'utf8')).toBe('worth something?');
    expect(await registry.unknownFolders()).toEqual([]);
    await expect(access(path)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('is not a model, whatever it is called', async () => {
    const { registry, entry } = await withUnknownFolder();
    const folder = entry.localPath.split('/').at(-1) ?? '';
    expect(await registry.keepUnknownFolder(folder)).toBeUndefined();
    expect(await registry.keepUnknownFolder('../keys')).toBeUndefined();
    await access(join(entry.localPath, 'best.ckpt'));
  });
});
