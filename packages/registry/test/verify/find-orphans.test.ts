import { cp, mkdir, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { acquireLock } from '@model-rtc/files';
import type { Alias } from '@model-rtc/protocol';
import { startChild } from '../../../../test/support/script-child.ts';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { installFiles, writeFiles } from '../helpers/models.ts';
import { openTestRegistry } from '../helpers/registry.ts';

const DIGEST = 'd'.repeat(64);

async function installed() {
  const registry = await openTestRegistry();
  const entry = await installFiles(registry, { 'best.ckpt': 'weights' }, { alias: 'mouse' as Alias });
  const inModels = (name: string) => join(registry.paths.models, name);
  const inStaging = (name: string) => join(registry.paths.staging, name);
  return { registry, entry, inModels, inStaging };
}

describe('looking for orphans', () => {
  it('finds none in a registry that was only ever used', async () => {
    const { registry } = await installed();
    await registry.tag('mouse', 'rat' as Alias);
    await writeFile(registry.paths.registryFile, 'damaged');
    await registry.resolve('rat');
    const originals = await writeFiles(await temporaryFolder(), { w: 'linked' });
    await registry.importModel(originals);
    expect(await registry.findOrphans()).toEqual([]);
  });

  it('finds folders without a readable model, and second copies of one', async () => {
    const { registry, entry, inModels } = await installed();
    await writeFiles(inModels('centroid_nothing'), { w: '12345' });
    await cp(entry.localPath, inModels('centroid_copy'), { recursive: true });
    const orphans = await registry.findOrphans();
    expect(orphans).toEqual([
      expect.objectContaining({
        path: inModels('centroid_copy'),
        kind: 'model-folder',
        reason: expect.stringContaining(entry.id),
      }),
      { path: inModels('centroid_nothing'), kind: 'model-folder', reason: 'it holds no readable model', bytes: 5 },
    ]);
  });

  it('finds what a tool left in a model’s folder, without following links', async () => {
    const { registry, entry, inModels } = await installed();
    await writeFiles(entry.localPath, { '__pycache__/x.pyc': 'abc' });
    await symlink('/etc', join(entry.localPath, 'etc'));
    await writeFile(inModels('notes.txt'), 'mine');
    const found = (await registry.findOrphans()).map(({ path, kind, bytes }) => ({ path, kind, bytes }));
    expect(found).toEqual([
      { path: join(entry.localPath, '__pycache__/x.pyc'), kind: 'file', bytes: 3 },
      { path: join(entry.localPath, 'etc'), kind: 'file', bytes: 4 },
      { path: inModels('notes.txt'), kind: 'file', bytes: 4 },
    ]);
  });

  it('finds writes that were cut off, but not those that may be going on', async () => {
    const { registry, entry } = await installed();
    const [old, fresh] = ['old', 'fresh'].map((name) => join(entry.localPath, `.model-rtc/entry.json.${name}.tmp`));
    await writeFile(old as string, 'half');
    await writeFile(fresh as string, 'half');
    await utimes(old as string, 1, 1);
    expect(await registry.findOrphans()).toEqual([
      { path: old, kind: 'temporary', reason: 'writing it was cut off', bytes: 4 },
    ]);
  });

  it('finds transfers that ended early, but not one that is going on', async () => {
    const { registry, inStaging } = await installed();
    await writeFiles(inStaging(DIGEST), { 'files/w': '1234567' });
    const held = await acquireLock(join(inStaging(DIGEST), 'lock'));
    expect(await registry.findOrphans()).toEqual([]);
    await held.release();
    expect(await registry.findOrphans()).toEqual([
      { path: inStaging(DIGEST), kind: 'staging', reason: expect.stringContaining('goes on with it'), bytes: 7 },
    ]);
    const child = startChild(new URL('../../../files/test/children/hold-lock.ts', import.meta.url), [
      join(inStaging(DIGEST), 'lock'),
    ]);
    await child.saw('held');
    expect(await registry.findOrphans()).toEqual([]);
    child.process.kill('SIGKILL');
    await child.ended;
    expect(await registry.findOrphans()).toHaveLength(1);
  });

  it('says so when the model of an unfinished transfer is here by now', async () => {
    const { registry, entry, inStaging } = await installed();
    await mkdir(inStaging(entry.digest as string));
    expect(await registry.findOrphans()).toEqual([
      expect.objectContaining({ kind: 'staging', reason: expect.stringContaining('repair of mouse') }),
    ]);
    await rm(registry.paths.staging, { recursive: true });
    expect(await registry.findOrphans()).toEqual([]);
  });
});
