import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { afterTest } from '../../../test/support/after-test.ts';
import { temporaryFolder } from '../../../test/support/registry-folder.ts';
import { BUCKET, KEY, REGION, startS3Server } from '../../../test/support/s3/server.ts';
import { type InstalledModel, isModelError, ModelManager } from '../src/index.ts';
import { registryScene } from './support/registry-scene.ts';

const FP16 = 'fast-whisper/tiny@fp16';

/** A machine with a model, and an empty folder to publish to. */
async function scene() {
  const { manager: newManager } = await registryScene();
  const manager = await newManager();
  const { model } = await manager.pull(FP16);
  const to = join(await temporaryFolder(), 'published');
  const reader = async () =>
    new ModelManager({ appName: 'other', registryUrl: `file://${to}`, dataDir: await temporaryFolder(), env: {} });
  return { manager, model, to, reader };
}

async function contentOf(model: InstalledModel): Promise<Buffer> {
  return await readFile(join(model.path, 'model.bin'));
}

describe('publishing', () => {
  it('makes a registry that others install from, the same model with all that is said of it', async () => {
    const { manager, model, to, reader } = await scene();
    const published = await manager.publish(model.id, 'mice/good-mouse@1.0', {
      ...{ to, alias: 'latest', chunkBytes: 1_000_000, metadata: { trained_on: 'mice' } },
    });
    expect(published).toMatchObject({ isNew: true, digest: model.digest, chunkCount: 4, to });
    const other = await reader();
    const pulled = await other.pull('mice/good-mouse@latest');
    expect(pulled.model).toMatchObject({ digest: model.digest, license: 'MIT', isWhole: true });
    expect((await contentOf(pulled.model)).equals(await contentOf(model))).toBe(true);
    expect(await other.getRemote('mice/good-mouse@1.0')).toMatchObject({
      ...{ metadata: { trained_on: 'mice' }, size: model.size },
    });
  });

  it('publishes to a bucket, from which others install without keys', async () => {
    const { manager } = await scene();
    const server = await startS3Server({ isPublic: true });
    afterTest(() => server.close());
    const to = `s3://${BUCKET}/mice`;
    const s3 = { endpoint: server.url, region: REGION, credentials: KEY };
    const progress: number[] = [];
    const onProgress = ({ doneBytes }: { doneBytes: number }) => progress.push(doneBytes);
    expect(await manager.publish(FP16, 'g/m@1', { to, s3, onProgress })).toMatchObject({ isNew: true, to });
    expect(progress.at(-1)).toBeGreaterThan(0);
    expect(await manager.pruneRegistry(to, { s3 })).toMatchObject({ removedFiles: 0 });
    const registryUrl = `${server.url}/${BUCKET}/mice`;
    const other = new ModelManager({ appName: 'other', registryUrl, dataDir: await temporaryFolder(), env: {} });
    expect((await other.pull('g/m@1')).model).toMatchObject({ isWhole: true });
    const wrong = { ...s3, credentials: { ...KEY, secretAccessKey: 'other' } };
    await expect(manager.publish(FP16, 'g/m@2', { to, s3: wrong })).rejects.toMatchObject({ kind: 'refused' });
  });

  it('takes a name of a registry as the model to publish, and changes nothing the second time', async () => {
    const { manager, to } = await scene();
    expect(await manager.publish(FP16, 'g/m@1', { to })).toMatchObject({ isNew: true });
    expect(await manager.publish(FP16, 'g/m@1', { to })).toMatchObject({ isNew: false });
    expect(await manager.pruneRegistry(to)).toEqual({ removedFiles: 0, removedBytes: 0, keptFiles: 0 });
  });

  it.each([
    ['not_installed', 'nobody', 'g/m@1', {}],
    ['invalid_reference', FP16, 'm@1', {}],
    ['invalid_reference', FP16, 'g/..@1', {}],
    ['invalid_reference', FP16, 'g/m@1', { to: 's3://bucket//prefix' }],
    ['invalid_reference', FP16, 'g/m@1', { s3: { endpoint: 'https://storage.example.org' } }],
    ['invalid_reference', FP16, 'g/m@1', { to: 'https://models.example.org' }],
  ])('ends with %s for %s as %s %j, and writes nothing', async (kind, ref, name, options) => {
    const { manager, to } = await scene();
    const error: unknown = await manager.publish(ref, name, { to, ...options }).catch((thrown: unknown) => thrown);
    expect([isModelError(error), (error as { kind: unknown }).kind]).toEqual([true, kind]);
    await expect(readdir(to)).rejects.toThrow('ENOENT');
  });

  it('does not publish a file that changed since it was registered', async () => {
    const { manager, model, to } = await scene();
    await writeFile(join(model.path, 'config.json'), '{"model_type":"whisperX"}');
    await expect(manager.publish(FP16, 'g/m@1', { to })).rejects.toMatchObject({ kind: 'hash_mismatch' });
    await expect(readFile(join(to, 'models.json'))).rejects.toThrow('ENOENT');
  });
});
