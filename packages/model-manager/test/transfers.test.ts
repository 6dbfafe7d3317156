import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { dataPaths, openRegistry } from '@model-rtc/registry';
import { readTransfers, type StorageCap } from '@model-rtc/transfer';
import { temporaryFolder } from '../../../test/support/registry-folder.ts';
import { ModelManager } from '../src/index.ts';
import { LARGER, type RegistryScene, registryScene, TINY } from './support/registry-scene.ts';

const sizeOf = (files: Readonly<Record<string, Buffer>>): number =>
  Object.values(files).reduce((sum, { length }) => sum + length, 0);

/** A manager whose folder may take so much, and what was said of that. */
async function capped({ server }: RegistryScene, capBytes: number) {
  const dataDir = join(await temporaryFolder(), 'mytool');
  const told: string[] = [];
  const storage: StorageCap = {
    capBytes,
    onEvicted: (models) => void told.push(...models.map(({ id }) => `evicted ${id}`)),
    onRefused: ({ name }, { code }) => void told.push(`${code} ${name}`),
  };
  const config = { appName: 'mytool', registryUrl: server.url, dataDir, env: {} };
  return { manager: new ModelManager(config, { storage }), dataDir, told };
}

describe('the transfers of a manager', () => {
  it('are known by id, with their priorities', async () => {
    const scene = await registryScene();
    const { manager, dataDir } = await capped(scene, 1e9);
    const { model } = await manager.pull('fast-whisper/tiny@fp16', { priority: 'high' });
    const to = join(await temporaryFolder(), 'published');
    await manager.publish(model.id, 'mice/mouse@1', { to, priority: 'low' });
    const record = {
      state: 'completed',
      doneBytes: model.size,
      totalBytes: model.size,
      name: 'fast-whisper/tiny@fp16',
    };
    expect((await readTransfers(dataPaths(dataDir).transfers)).map((one) => ({ ...one, startedAt: '' }))).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ ...record, kind: 'pull', priority: 'high' }),
        expect.objectContaining({ ...record, kind: 'publish', priority: 'low', peers: [to] }),
      ]),
    );
  });

  it('make room for a release below a cap, and never remove one', async () => {
    const scene = await registryScene();
    await scene.publish(['fast-whisper', 'larger', 'fp16'], LARGER);
    const { manager, dataDir, told } = await capped(scene, sizeOf(TINY) + sizeOf(LARGER) - 1);
    await manager.pull('fast-whisper/tiny@fp16');
    const refused = manager.pull('fast-whisper/larger@fp16');
    await expect(refused).rejects.toMatchObject({ kind: 'storage', code: 'storage_full', exitCode: 7 });
    expect(told).toEqual([expect.stringMatching(/^storage_full .*larger/)]);
    expect(await manager.listInstalled()).toHaveLength(1);
    const registry = await openRegistry({ home: dataDir, now: () => new Date(Date.now() + 3_600_000) });
    expect((await registry.list({ filters: {}, sort: 'date', limit: 9 })).total).toBe(1);
    await registry.close();
  });
});
