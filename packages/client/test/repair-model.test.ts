import { lstat, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type ModelProgress, repairFromDisk } from '../src/index.ts';
import { cutAfter, failure, importBytes, openLab, seededBytes, type TestModel } from './support/lab.ts';

const MEBI = 1024 * 1024;
/** Four chunks of 1 MiB and a rest. */
const BYTES = seededBytes(4 * MEBI + 1000, 1);

/** Changes one byte in each of these chunks, and leaves size and time as a failing disk does. */
async function damage(path: string, ...chunks: number[]): Promise<void> {
  const { atime, mtime } = await lstat(path);
  const bytes = await readFile(path);
  for (const chunk of chunks) bytes[chunk * MEBI + 7] = 1 + (bytes[chunk * MEBI + 7] as number);
  await writeFile(path, bytes);
  await utimes(path, atime, mtime);
}

/** A client that has pulled the worker's model. */
async function pulled() {
  const lab = await openLab();
  await importBytes(lab.there, BYTES, { alias: 'mouse' });
  const { entry } = await lab.client.pullModel('mouse');
  return { ...lab, entry, path: join(entry.localPath, 'weights.pt') };
}

const whole = async ({ localPath }: Pick<TestModel, 'localPath'>): Promise<boolean> =>
  (await readFile(join(localPath, 'weights.pt'))).equals(BYTES);

describe('repairing a model from a worker', () => {
  it('fetches the damaged chunks only, and keeps the rest of the damaged file', async () => {
    const { client, here, entry, path } = await pulled();
    await damage(path, 1, 4);
    const progress: ModelProgress[] = [];
    const repaired = await client.repairModel('mouse', { onProgress: (event) => progress.push(event) });
    expect(repaired).toMatchObject({
      outcome: 'repaired',
      transferredBytes: MEBI + 1000,
      reusedBytes: 3 * MEBI,
      found: { state: 'damaged', damagedChunks: [1, 4] },
      lanes: [{ kind: 'memory' }],
      entry: { id: entry.id, alias: 'mouse', localPath: entry.localPath },
    });
    expect(await whole(entry)).toBe(true);
    expect((await here.verify('mouse')).state).toBe('sound');
    expect(await readdir(here.paths.staging)).toEqual([]);
    expect(new Set(progress.map(({ type }) => type))).toEqual(new Set(['local', 'transfer']));
  });

  it('leaves whole files of the model where they are, and copies the damaged one only', async () => {
    const { client, here, there } = await openLab();
    const folder = await mkdtemp(join(here.paths.root, 'shards-'));
    await writeFile(join(folder, 'a.pt'), BYTES);
    await writeFile(join(folder, 'b.pt'), seededBytes(2 * MEBI, 9));
    const { entry } = await here.importModel(folder, { alias: 'shards' as never, copy: true, asOne: true });
    await there.importModel(folder, { alias: 'shards' as never, copy: true, asOne: true });
    const { ino } = await lstat(join(entry.localPath, 'a.pt'));
    await damage(join(entry.localPath, 'b.pt'), 1);
    expect(await client.repairModel('shards')).toMatchObject({
      transferredBytes: MEBI,
      reusedBytes: BYTES.length + MEBI,
      resumedBytes: 0,
    });
    expect(await lstat(join(entry.localPath, 'a.pt'))).toMatchObject({ ino, nlink: 1 });
    expect((await here.verify('shards')).state).toBe('sound');
    expect(await readdir(here.paths.staging)).toEqual([]);
  });

  it('does nothing to a model that is whole', async () => {
    const { client, entry, path } = await pulled();
    const { ino } = await lstat(path);
    expect(await client.repairModel(entry.id)).toMatchObject({ outcome: 'sound', transferredBytes: 0, lanes: [] });
    expect((await lstat(path)).ino).toBe(ino);
  });

  it('makes a linked model whose original changed the registry’s own, and leaves the original alone', async () => {
    const { client, here, there } = await openLab();
    const linked = await importBytes(here, BYTES, { alias: 'mine', copy: false });
    await importBytes(there, BYTES, { alias: 'theirs' });
    await damage(linked.original, 2);
    const trainedOn = await readFile(linked.original);
    const { entry, transferredBytes } = await client.repairModel('mine');
    expect(transferredBytes).toBe(MEBI);
    expect(entry).toMatchObject({ id: linked.id, alias: 'mine', linked: false });
    expect(await whole(entry)).toBe(true);
    expect((await readFile(linked.original)).equals(trainedOn)).toBe(true);
    expect((await lstat(join(entry.localPath, 'weights.pt'))).isFile()).toBe(true);
  });

  it('brings back a folder that is gone, with all that is known of the model', async () => {
    const { client, here, entry } = await pulled();
    await here.tag('mouse', 'renamed' as never);
    await rm(entry.localPath, { recursive: true });
    expect(await client.repairModel('renamed')).toMatchObject({
      transferredBytes: BYTES.length,
      entry: { id: entry.id, alias: 'renamed', source: 'worker-pull' },
    });
    expect((await here.verify('renamed')).state).toBe('sound');
  });

  it('fetches nothing but the manifest when that is all that is damaged', async () => {
    const { client, here, entry } = await pulled();
    await writeFile(join(entry.localPath, '.model-rtc/manifest.json'), '{}');
    await writeFile(join(entry.localPath, 'stray.txt'), 'keeps the folder from being the model');
    expect(await client.repairModel('mouse')).toMatchObject({ outcome: 'repaired', transferredBytes: 0 });
    expect((await here.verify('mouse')).state).toBe('sound');
  });

  it('goes on after the connection was lost, with what it had', async () => {
    const lab = await openLab({
      onConnection: ({ lanes }, number) => {
        if (number === 2) cutAfter(lanes[1], 1.5 * MEBI);
      },
    });
    const { there, here, client, connections } = lab;
    await importBytes(there, BYTES, { alias: 'mouse' });
    const { entry } = await client.pullModel('mouse');
    await damage(join(entry.localPath, 'weights.pt'), 0, 1, 2);
    const second = await lab.connect(here);
    const repaired = await second.repairModel('mouse');
    expect(connections).toHaveLength(3);
    // At least the first of the three came over the connection before.
    expect(repaired.lanes[0]?.receivedBytes).toBeLessThan(2.5 * MEBI);
    expect(await whole(repaired.entry)).toBe(true);
  });

  it('says not_found when the worker does not have it, and leaves the damaged files as they are', async () => {
    const { client, here } = await openLab();
    const model = await importBytes(here, BYTES, { alias: 'mine' });
    const path = join(model.localPath, 'weights.pt');
    await damage(path, 0);
    const before = await readFile(path);
    expect(await failure(client.repairModel('mine'))).toMatchObject({ code: 'not_found', exitCode: 3 });
    expect((await readFile(path)).equals(before)).toBe(true);
    expect((await here.verify('mine')).state).toBe('damaged');
  });

  it('never takes bytes from a worker whose copy is damaged too', async () => {
    const { client, there, here, path } = await pulled();
    await damage(path, 1);
    await damage(join((await there.resolve('mouse')).entry.localPath, 'weights.pt'), 1);
    expect((await failure(client.repairModel('mouse'))).exitCode).toBe(6);
    expect((await here.verify('mouse')).damagedChunks).toEqual([1]);
  });
});

describe('repairing a model from this disk', () => {
  it('takes from other models what is damaged', async () => {
    const { here } = await openLab();
    const base = await importBytes(here, BYTES, { alias: 'base' });
    const tuned = Buffer.concat([BYTES.subarray(0, 3 * MEBI), seededBytes(5000, 2)]);
    await importBytes(here, tuned, { alias: 'tuned' });
    await damage(join(base.localPath, 'weights.pt'), 0, 2);
    const repaired = await repairFromDisk(here, 'base');
    expect(repaired).toMatchObject({ outcome: 'repaired', transferredBytes: 0, reusedBytes: BYTES.length, lanes: [] });
    expect(await whole(repaired.entry)).toBe(true);
    expect((await repairFromDisk(here, 'base')).outcome).toBe('sound');
  });

  it('says how much is nowhere here, and changes nothing', async () => {
    const { here } = await openLab();
    const model = await importBytes(here, BYTES, { alias: 'mine' });
    await damage(join(model.localPath, 'weights.pt'), 0, 3);
    const error = await failure(repairFromDisk(here, 'mine'));
    expect(error).toMatchObject({ code: 'verification_failed', details: { missingBytes: 2 * MEBI } });
    expect(error.message).toContain('repair-model mine --from');
    expect((await here.verify('mine')).damagedChunks).toEqual([0, 3]);
    expect(await readdir(here.paths.staging)).toEqual([]);
  });

  it('does not believe another model that is damaged as well', async () => {
    const { here } = await openLab();
    const base = await importBytes(here, BYTES, { alias: 'base' });
    const tuned = await importBytes(here, Buffer.concat([BYTES.subarray(0, MEBI), seededBytes(50, 2)]), { alias: 't' });
    for (const { localPath } of [base, tuned]) await damage(join(localPath, 'weights.pt'), 0);
    expect(await failure(repairFromDisk(here, 'base'))).toMatchObject({ code: 'verification_failed' });
    expect((await here.verify('base')).damagedChunks).toEqual([0]);
  });
});
