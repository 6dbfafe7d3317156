import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type Clock, systemClock } from '@model-rtc/protocol';
import { temporaryFolder } from '../../../test/support/registry-folder.ts';
import { ModelManager, type ModelManagerConfig } from '../src/index.ts';
import { registryScene } from './support/registry-scene.ts';

const FP16 = 'fast-whisper/tiny@fp16';
const HURRIED: Clock = { ...systemClock, after: (_, run) => systemClock.after(0, run) };
const STRANGER = '00'.repeat(32);

/** A machine that publishes with `--sign`, and readers of what it publishes. */
async function scene() {
  const { manager: newManager } = await registryScene();
  const publisher = await newManager();
  await publisher.pull(FP16);
  const to = join(await temporaryFolder(), 'published');
  const publish = async (version: string, sign = true) =>
    await publisher.publish(FP16, { group: 'mice', model: 'good', version }, { to, sign });
  await publish('1');
  const key = await publisher.publicKey();
  const reader = async (config: Partial<ModelManagerConfig> = {}) =>
    new ModelManager(
      { appName: 'other', registryUrl: `file://${to}`, dataDir: await temporaryFolder(), env: {}, ...config },
      { clock: HURRIED },
    );
  const list = join(to, 'models.json');
  const change = async () => await writeFile(list, `${await readFile(list, 'utf8')}\n`);
  return { publisher, publish, key, reader, to, list, change };
}

describe('a pinned key', () => {
  it('lets what its owner signed be listed, installed and updated, and nothing else', async () => {
    const { reader, key, change } = await scene();
    const manager = await reader({ trustKeys: [key] });
    expect((await manager.pull('mice/good@1')).model.isWhole).toBe(true);
    await change();
    for (const work of [
      () => manager.listRemote(),
      () => manager.getRemoteDetail('mice/good@1'),
      () => manager.checkUpdate(),
      () => manager.pull('mice/good@1', { force: true }),
    ]) {
      await expect(work()).rejects.toMatchObject({ kind: 'untrusted', exitCode: 6 });
    }
    expect(await manager.listInstalled()).toHaveLength(1);
  });

  it('is remembered for its registry once a list that it signed was accepted, even if the model is here already', async () => {
    const { reader, key, change } = await scene();
    const dataDir = await temporaryFolder();
    await expect((await reader({ dataDir, pinKeys: [STRANGER] })).listRemote()).rejects.toMatchObject({
      kind: 'untrusted',
    });
    const later = await reader({ dataDir });
    expect(await later.pinnedKeys()).toEqual([]);
    await later.pull('mice/good@1');
    const pinning = await reader({ dataDir, pinKeys: [key] });
    await expect(pinning.pull('mice/good@1')).rejects.toMatchObject({ kind: 'already_installed' });
    expect(await later.pinnedKeys()).toMatchObject([{ keys: [key] }]);
    await change();
    await expect(later.listRemote()).rejects.toMatchObject({ kind: 'untrusted' });
    await later.unpinKey(key);
    expect(await later.listRemote()).toHaveLength(1);
    await expect(later.unpinKey(key)).rejects.toMatchObject({ exitCode: 4 });
  });

  it('does not count where the program brings keys of its own', async () => {
    const { reader, key } = await scene();
    const dataDir = await temporaryFolder();
    await (await reader({ dataDir })).pinKey(key);
    const manager = await reader({ dataDir, trustKeys: [STRANGER] });
    await expect(manager.listRemote()).rejects.toMatchObject({ kind: 'untrusted' });
  });

  it('notices an older list in another process', async () => {
    const { reader, key, publish, list } = await scene();
    const dataDir = await temporaryFolder();
    const first = await readFile(list);
    await publish('2');
    await (await reader({ dataDir, pinKeys: [key] })).listRemote();
    await writeFile(list, first);
    await expect((await reader({ dataDir })).listRemote()).rejects.toMatchObject({
      kind: 'untrusted',
      message: expect.stringContaining('an old list of models: number 1'),
    });
  });
});

describe('publishing to a signed registry', () => {
  it('is refused without a signature, and prunes with one', async () => {
    const { publish, publisher, to } = await scene();
    await expect(publish('2', false)).rejects.toMatchObject({ kind: 'refused' });
    expect(await publish('2')).toMatchObject({ signatures: [{ sequence: 2 }] });
    expect(await publisher.pruneRegistry(to)).toMatchObject({ removedFiles: 0 });
    await expect(publisher.publish(FP16, 'a/b@1', { to, adopt: true })).rejects.toMatchObject({
      kind: 'invalid_reference',
    });
  });
});
