import { appendFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { makeRandomFile } from '../support/files.ts';
import { rootUser } from '../support/requirements.ts';
import { errorOf, importModel, openScene, push } from '../support/scene.ts';
import { describeWith, useLab } from '../support/suites.ts';

const MEGABYTE = 1_000_000;
const lab = useLab();

async function modelFolder(bytes: number): Promise<string> {
  const folder = join(await lab.folder(), 'model');
  await makeRandomFile(join(folder, 'weights.msgpack'), bytes);
  return folder;
}

/** Appends so many bytes again and again, until they do not fit. */
async function fill(path: string, bytes: number): Promise<void> {
  const block = Buffer.alloc(bytes, 1);
  try {
    for (;;) await appendFile(path, block);
  } catch (thrown) {
    expect(thrown).toMatchObject({ code: 'ENOSPC' });
  }
}

describeWith([rootUser()], 'a disk that is too small for the model', () => {
  it('fails a pull with exit 7 before the first byte, and shows nothing half done', async () => {
    const scene = await openScene(lab);
    await importModel(scene.worker, await modelFolder(60 * MEGABYTE), 'big');
    const client = await scene.client('small-disk', join(await lab.tmpfs(50 * MEGABYTE), 'home'));
    const result = await client.run(['client', 'pull-model', 'big', '--json']);
    expect(result.exitCode).toBe(7);
    expect(errorOf(result)).toMatchObject({ code: 'storage_full' });
    expect(errorOf(result).message).toMatch(/MB/);
    expect((await client.succeed(['client', 'list-models', '--json'])).json()).toMatchObject({ models: [], total: 0 });
  }, 120_000);

  it('fails a push with exit 7 and goes on serving', async () => {
    const scene = await openScene(lab, { workerHome: join(await lab.tmpfs(50 * MEGABYTE), 'home') });
    const client = await scene.client('sender');
    await importModel(client, await modelFolder(60 * MEGABYTE), 'big');
    const result = await client.run(['client', 'push-model', 'big', '--json']);
    expect(result.exitCode).toBe(7);
    expect(errorOf(result)).toMatchObject({ code: 'storage_full' });
    const small = join(await lab.folder(), 'small');
    await makeRandomFile(join(small, 'weights.msgpack'), MEGABYTE);
    await importModel(client, small, 'small');
    expect(await push(client, 'small')).toMatchObject({ outcome: 'pushed' });
    expect(await readdir(join(scene.worker.home, 'models'))).toHaveLength(2);
  }, 120_000);

  it('is freed by delete-model when nothing at all is left on it', async () => {
    const machine = await lab.machine('full', { home: join(await lab.tmpfs(20 * MEGABYTE), 'home') });
    const { id } = await importModel(machine, await modelFolder(10 * MEGABYTE), 'big', '--copy');
    const filler = join(machine.home, '..', 'filler');
    for (let size = 4 * MEGABYTE; size >= 1; size = Math.floor(size / 2)) await fill(filler, size);
    await expect(appendFile(filler, 'x')).rejects.toMatchObject({ code: 'ENOSPC' });
    await machine.succeed(['client', 'delete-model', id, '--yes']);
    expect((await machine.succeed(['client', 'list-models', '--json'])).json()).toMatchObject({ models: [], total: 0 });
    expect((await stat(join(machine.home, 'spare-room'))).size).toBeGreaterThan(0);
  }, 60_000);

  it('fails an import that copies with exit 7, and leaves nothing behind', async () => {
    const machine = await lab.machine('importer', { home: join(await lab.tmpfs(20 * MEGABYTE), 'home') });
    const result = await machine.run(['client', 'import-model', await modelFolder(30 * MEGABYTE), '--copy', '--json']);
    expect(result.exitCode).toBe(7);
    expect(await readdir(join(machine.home, 'staging'))).toEqual([]);
  }, 60_000);

  it('is not called full when there is only no room for another file', async () => {
    const disk = await lab.tmpfs(50 * MEGABYTE, 40);
    const machine = await lab.machine('many-files', { home: join(disk, 'home') });
    await machine.succeed(['client', 'list-models']);
    const isFull = async (file: number): Promise<boolean> =>
      await writeFile(join(disk, `f${file}`), '').then(
        () => false,
        () => true,
      );
    for (let file = 0; !(await isFull(file)); file++);
    const result = await machine.run(['client', 'import-model', await modelFolder(MEGABYTE), '--json']);
    expect(result.exitCode).toBe(7);
    expect(errorOf(result).message).toMatch(/no room for another file \(no free inodes\).*Delete some files/);
    expect(errorOf(result).message).not.toContain('disk is full');
  }, 60_000);
});
