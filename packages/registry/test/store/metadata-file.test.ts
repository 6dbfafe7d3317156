import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { Alias, Digest } from '@model-rtc/protocol';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { installFiles } from '../helpers/models.ts';
import { openTestRegistry } from '../helpers/registry.ts';

const FILES = { 'model.bin': 'weights', 'config.json': '{"model_type":"qwen2"}' };
const HUB = { repo: 'Qwen/Qwen2.5-0.5B', commit: '1f'.repeat(20) };
const SAID = { source: 'hub', name: 'qwen2.5-0.5b', hub: HUB, license: 'apache-2.0', parameters: 494_032_768 } as const;

const readJson = async (path: string): Promise<unknown> => JSON.parse(await readFile(path, 'utf8'));

describe('metadata.json', () => {
  it('says in the folder of a model from a hub what is known of it, with an explanation of each field', async () => {
    const registry = await openTestRegistry({ now: () => new Date('2026-01-02T03:04:05Z') });
    const { localPath, digest, size, modelType } = await installFiles(registry, FILES, { entry: SAID });
    const text = await readFile(join(localPath, 'metadata.json'), 'utf8');
    const { _about, ...metadata } = JSON.parse(text);
    expect(metadata).toEqual({
      model_name: 'qwen2.5-0.5b',
      model_id: 'Qwen/Qwen2.5-0.5B',
      source: 'https://huggingface.co/Qwen/Qwen2.5-0.5B',
      architecture_type: modelType,
      created_at: '2026-01-02T03:04:05.000Z',
      license: 'apache-2.0',
      model_size: 494_032_768,
      file_size: size,
      revision: HUB.commit,
      digest,
    });
    expect(Object.keys(_about)).toEqual(Object.keys(metadata));
    expect(text).toContain('\n  "model_name": ');
  });

  it('follows the entry, and is no part of the model', async () => {
    const registry = await openTestRegistry();
    const { localPath, digest, id } = await installFiles(registry, FILES, { entry: { ...SAID, name: undefined } });
    await registry.tag(id, 'mouse' as Alias);
    expect(await readJson(join(localPath, 'metadata.json'))).toMatchObject({ model_name: 'mouse' });
    expect((await registry.manifest(digest as Digest)).files.map(({ path }) => path)).toEqual(Object.keys(FILES));
    expect(await registry.findOrphans()).toEqual([]);
    await rm(join(localPath, '.model-rtc/manifest.json'));
    expect(await registry.verify(id)).toMatchObject({ state: 'sound' });
  });

  it("leaves a model's own metadata.json alone, and is among the registry's notes then", async () => {
    const registry = await openTestRegistry();
    const own = { ...FILES, 'metadata.json': '{"digest": "mine"}' };
    const { localPath, id } = await installFiles(registry, own, { entry: SAID });
    await registry.tag(id, 'mouse' as Alias);
    expect(await readJson(join(localPath, 'metadata.json'))).toEqual({ digest: 'mine' });
    expect(await readJson(join(localPath, '.model-rtc/metadata.json'))).toMatchObject({ model_id: HUB.repo });
    expect(await registry.verify(id)).toMatchObject({ state: 'sound' });
    await rm(join(localPath, 'metadata.json'));
    await registry.tag(id, 'mouse-2' as Alias);
    await expect(readFile(join(localPath, 'metadata.json'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('overwrites no file that something else wrote there meanwhile', async () => {
    const registry = await openTestRegistry();
    const { localPath, id } = await installFiles(registry, FILES, { entry: SAID });
    await writeFile(join(localPath, 'metadata.json'), 'notes');
    await registry.tag(id, 'mouse' as Alias);
    expect(await readFile(join(localPath, 'metadata.json'), 'utf8')).toBe('notes');
  });

  it('is left out when a copy of the folder is imported, which is the same model', async () => {
    const registry = await openTestRegistry({ importSteps: undefined });
    const { localPath, digest } = await installFiles(registry, FILES, { entry: SAID });
    const copy = join(await temporaryFolder(), 'copy');
    await cp(localPath, copy, { recursive: true });
    const imported = await registry.importModel(copy);
    expect(imported).toMatchObject({ outcome: 'already_there', entry: { digest } });
    expect(imported.skipped).toContainEqual(
      expect.objectContaining({ path: 'metadata.json', reason: 'what model-rtc wrote about the model' }),
    );
  });

  it('is not written for models from elsewhere', async () => {
    const { localPath } = await installFiles(await openTestRegistry(), FILES);
    await expect(readFile(join(localPath, 'metadata.json'))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
