import { cp, mkdir, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type Alias, type Digest, listModelsParams } from '@model-rtc/protocol';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { type FoundPlace, openRegistry, type Registry, resumeCommand } from '../../src/index.ts';
import { plainImportSteps } from '../helpers/models.ts';
import { openTestRegistry } from '../helpers/registry.ts';
import { writeFiles } from '../import/folders.ts';
import { writeNnRun } from './training-runs.ts';

const all = listModelsParams.parse({});
const realSteps = { importSteps: undefined };

async function setUp() {
  const root = await temporaryFolder();
  const registry = await openTestRegistry(realSteps);
  const options = { foundIn: root, source: 'local-import' } as const;
  const take = (
    path: string,
    more: Partial<Parameters<Registry['takeFound']>[1]> = {},
    kind: FoundPlace['kind'] = 'folder',
  ) => registry.takeFound({ kind, path }, { ...options, ...more });
  const record = (path: string, status: 'training' | 'interrupted' | 'failed' = 'training') =>
    registry.recordRun({ path, status, foundIn: root });
  return { root, registry, take, record };
}

const indexOf = async ({ paths }: Registry) => JSON.parse(await readFile(paths.registryFile, 'utf8'));

describe('a run in training', () => {
  it('is registered under a run id with its last epoch and losses, and kept up to date', async () => {
    const { root, registry, record } = await setUp();
    const path = await writeNnRun(root, { losses: [0.5, 0.4] });
    const entry = await record(path);
    expect(entry).toMatchObject({ status: 'training', displayStatus: 'training', alias: 'mouse', originalPath: path });
    expect(entry).toMatchObject({ source: 'worker-training', foundIn: root, modelType: 'centroid' });
    expect(entry.id).toMatch(/^run-[0-9a-f]{8}$/);
    expect(entry.digest).toBeUndefined();
    expect(entry.metrics).toMatchObject({ last_epoch: 1, final_val_loss: 0.4 });
    await writeNnRun(root, { losses: [0.5, 0.4, 0.3] });
    expect((await record(path)).metrics).toMatchObject({ last_epoch: 2, final_val_loss: 0.3 });
    expect((await registry.list(all)).total).toBe(1);
    expect((await registry.resolve('mouse')).entry.id).toBe(entry.id);
    expect((await registry.resolve(path)).entry.id).toBe(entry.id);
  });

  it('writes nothing when there is nothing new, and nothing into its folder', async () => {
    const { root, registry, record } = await setUp();
    const path = await writeNnRun(root, { losses: [0.5] });
    const before = await readdir(path);
    await record(path);
    const { ino } = await stat(registry.paths.registryFile);
    const reopened = await openTestRegistry({ ...realSteps, home: registry.paths.root });
    await reopened.recordRun({ path, status: 'training', foundIn: root });
    expect((await stat(registry.paths.registryFile)).ino).toBe(ino);
    expect(await readdir(path)).toEqual(before);
  });

  it('says how it goes on once it is interrupted, and is listed as such', async () => {
    const { root, registry, record } = await setUp();
    const path = await writeNnRun(root, { losses: [0.5] });
    expect(resumeCommand(await record(path))).toBeUndefined();
    const entry = await record(path, 'interrupted');
    expect(resumeCommand(entry)).toContain('trainer_config.resume_ckpt_path=models/mouse/best.ckpt');
    expect((await indexOf(registry)).interrupted).toEqual([entry.id]);
    expect(resumeCommand(await record(path))).toBeUndefined();
    expect((await indexOf(registry)).interrupted).toEqual([]);
  });

  it('keeps what a person said of it, through a lost index and until it is a model', async () => {
    const { root, registry, record, take } = await setUp();
    const path = await writeNnRun(root, { losses: [0.5] });
    const { id } = await record(path);
    await registry.tag(id, 'good-one' as Alias);
    await registry.update('good-one', { notes: 'watch it', addTags: ['mouse'] });
    await writeFile(registry.paths.registryFile, 'lost');
    const kept = { alias: 'good-one', notes: 'watch it', tags: ['mouse'] };
    expect(await record(path, 'interrupted')).toMatchObject({ id, ...kept });
    const { entry, outcome } = await take(path, { source: 'worker-training' }, 'run');
    expect(outcome).toBe('imported');
    expect(entry).toMatchObject({
      ...kept,
      status: 'completed',
      linked: true,
      foundIn: root,
      source: 'worker-training',
    });
    expect((await registry.list(all)).total).toBe(1);
    expect(await readdir(registry.paths.models)).not.toContain(`centroid_${id}`);
  });

  it('takes the place of the model that it was, when it trains on', async () => {
    const { root, registry, record, take } = await setUp();
    const path = await writeNnRun(root, { losses: [0.5] });
    const { entry: model } = await take(path, {}, 'run');
    const run = await record(path);
    expect(run).toMatchObject({ alias: model.alias, status: 'training' });
    expect(await registry.find(model.digest as Digest)).toBeUndefined();
    expect((await registry.list(all)).total).toBe(1);
  });

  it('leaves a model that a person imported from there as it is', async () => {
    const { root, registry, record } = await setUp();
    const path = await writeNnRun(root, { losses: [0.5] });
    const { entry } = await registry.importModel(path, { alias: 'mine' as Alias });
    expect(await record(path)).toMatchObject({ id: entry.id, digest: entry.digest });
    await registry.forgetRun(path);
    expect((await registry.resolve('mine')).entry.id).toBe(entry.id);
  });

  it('becomes the model that a person imports from there', async () => {
    const { root, registry, record } = await setUp();
    const path = await writeNnRun(root, { losses: [0.5] });
    await record(path, 'interrupted');
    const { entry } = await registry.importModel(path);
    expect(entry).toMatchObject({ alias: 'mouse' });
    expect((await registry.list(all)).models.map(({ id }) => id)).toEqual([entry.id]);
  });

  it('can be taken out by hand, and its files stay', async () => {
    const { root, registry, record } = await setUp();
    const path = await writeNnRun(root, { losses: [0.5] });
    const { id } = await record(path, 'interrupted');
    const before = await readdir(path);
    await registry.remove(id);
    expect((await registry.list(all)).total).toBe(0);
    expect(await readdir(path)).toEqual(before);
  });

  it('gets an alias and an id that are free', async () => {
    const { root, registry, record } = await setUp();
    const first = await record(await writeNnRun(join(root, 'a')));
    const second = await record(await writeNnRun(join(root, 'b')));
    expect([first.alias, second.alias]).toEqual(['mouse', 'mouse-2']);
    expect(first.id).not.toBe(second.id);
    await registry.forgetRun(second.originalPath as string);
    expect((await registry.list(all)).models.map(({ id }) => id)).toEqual([first.id]);
    expect(await readdir(root)).toEqual(['a', 'b']);
  });

  it('shows when its folder is gone, and cannot be registered while its configuration is half written', async () => {
    const { root, registry, record } = await setUp();
    const path = await writeNnRun(root, { losses: [0.5] });
    await writeFiles(path, { 'training_config.yaml': 'trainer_config: {max_ep' });
    await expect(record(path)).rejects.toMatchObject({ code: 'invalid_model' });
    await writeNnRun(root, { losses: [0.5] });
    await record(path);
    await rm(path, { recursive: true });
    expect((await registry.list(all)).models[0]).toMatchObject({ displayStatus: 'checkpoint_missing' });
  });
});

describe('a found model', () => {
  it('is linked under a free alias made from its name, and found again without hashing', async () => {
    const { root, registry, take } = await setUp();
    await registry.importModel(await writeFiles(join(await temporaryFolder(), 'net'), { 'a.pt': 'other' }), {
      alias: 'net' as Alias,
    });
    const path = await writeFiles(join(root, 'net'), { 'a.pt': 'weights' });
    const first = await take(path);
    expect(first).toMatchObject({ outcome: 'imported', entry: { alias: 'net-2', linked: true, foundIn: root } });
    const hashing = { ...plainImportSteps, hashFiles: () => Promise.reject(new Error('it was hashed again')) };
    const { scanModel } = await import('../../src/import/scan-model.ts');
    const home = registry.paths.root;
    const again = await openTestRegistry({ home, importSteps: { ...hashing, scanModel } });
    const options = { foundIn: root, source: 'local-import' } as const;
    expect(await again.takeFound({ kind: 'folder', path }, options)).toMatchObject({
      outcome: 'already_there',
      entry: { id: first.entry.id },
    });
    await writeFiles(path, { 'config.yaml': 'more: 1' });
    await expect(again.takeFound({ kind: 'folder', path }, options)).rejects.toThrow('hashed again');
  });

  it('is replaced when it changes, and keeps its alias, tags and notes', async () => {
    const { root, registry, take } = await setUp();
    const path = await writeFiles(join(root, 'net'), { 'a.pt': 'weights' });
    const { entry: before } = await take(path);
    await registry.update(before.id, { notes: 'good', addTags: ['x'] });
    await writeFiles(path, { 'a.pt': 'new weights' });
    const { entry } = await take(path);
    expect(entry).toMatchObject({ alias: 'net', notes: 'good', tags: ['x'], foundIn: root });
    expect(entry.digest).not.toBe(before.digest);
    expect((await registry.list(all)).total).toBe(1);
    expect(await registry.listFound(root)).toHaveLength(1);
  });

  it('keeps its place when a client asks for it while it changed', async () => {
    const { root, registry, take } = await setUp();
    const path = await writeFiles(join(root, 'net'), { 'a.pt': 'weights' });
    const { entry } = await take(path);
    await writeFiles(path, { 'a.pt': 'new weights' });
    const { entry: fresh } = await registry.refresh(entry.digest as Digest);
    expect(fresh).toMatchObject({ alias: 'net', foundIn: root });
  });

  it('keeps its id and alias when it is moved', async () => {
    const { root, registry, take } = await setUp();
    const path = await writeFiles(join(root, 'net'), { 'a.pt': 'weights' });
    const { entry } = await take(path);
    await rename(path, join(root, 'renamed'));
    expect((await take(join(root, 'renamed'))).entry).toMatchObject({ id: entry.id, alias: 'net' });
    await registry.forgetRun(path);
    expect((await registry.list(all)).total).toBe(1);
  });

  it('of a hub hands its alias to the snapshot that comes in its place', async () => {
    const { root, registry, take } = await setUp();
    const repository = join(root, 'models--acme--tiny');
    const snapshot = async (commit: string, weights: string): Promise<string> => {
      const path = join(repository, 'snapshots', commit.repeat(40));
      await writeFiles(repository, { [`blobs/${commit}`]: weights });
      await mkdir(path, { recursive: true });
      await symlink(`../../blobs/${commit}`, join(path, 'model.msgpack'));
      return path;
    };
    const first = await snapshot('a', 'old weights');
    const named = { name: 'acme/tiny', source: 'hub' } as const;
    const { entry } = await take(first, named, 'snapshot');
    expect(entry).toMatchObject({ alias: 'tiny', name: 'acme/tiny', source: 'hub' });
    const second = await snapshot('b', 'new weights');
    const next = await take(second, { ...named, inPlaceOf: first }, 'snapshot');
    expect(next.entry).toMatchObject({ alias: 'tiny', originalPath: second });
    expect(await registry.find(entry.digest as Digest)).toBeUndefined();
  });

  it('that a person imported is brought up to date as theirs', async () => {
    const { root, registry, take } = await setUp();
    const path = await writeFiles(join(root, 'net'), { 'a.pt': 'weights' });
    const { entry: before } = await registry.importModel(path, { alias: 'mine' as Alias });
    expect((await take(path)).entry).toMatchObject({ id: before.id, alias: 'mine' });
    await writeFiles(path, { 'a.pt': 'new weights' });
    const { entry } = await take(path);
    expect(entry).toMatchObject({ alias: 'mine', source: 'local-import' });
    expect(entry.foundIn).toBeUndefined();
    await registry.forgetRun(path);
    expect((await registry.list(all)).models.map(({ id }) => id)).toEqual([entry.id]);
  });

  it('that is here already under a name of its own is not named again', async () => {
    const { root, registry, take } = await setUp();
    const copy = await writeFiles(join(await temporaryFolder(), 'mine'), { 'a.pt': 'weights' });
    const { entry } = await registry.importModel(copy);
    await cp(copy, join(root, 'theirs'), { recursive: true });
    const { entry: found, outcome } = await take(join(root, 'theirs'));
    expect(outcome).toBe('already_there');
    expect(found).toMatchObject({ id: entry.id, originalPath: copy });
    expect(found.alias).toBeUndefined();
  });

  it('is refused when a file of it leads out of the watched folder, even when it begins to do so later', async () => {
    const { root, registry, take, record } = await setUp();
    const secret = await writeFiles(await temporaryFolder(), { 'secret.txt': 'mine alone' });
    const path = await writeFiles(join(root, 'net'), { 'a.pt': 'weights', 'notes.txt': 'x' });
    const { entry } = await take(path);
    await rm(join(path, 'notes.txt'));
    await symlink(join(secret, 'secret.txt'), join(path, 'notes.txt'));
    for (const again of [take(path), registry.refresh(entry.digest as Digest)]) {
      await expect(again).rejects.toMatchObject({ code: 'refused' });
    }
    const run = await writeNnRun(root, { losses: [0.5] });
    await symlink(join(secret, 'secret.txt'), join(run, 'labels.txt'));
    await expect(record(run)).rejects.toMatchObject({ code: 'refused' });
  });

  it('is forgotten without a trace of it, and its files stay', async () => {
    const { root, registry, take } = await setUp();
    const path = await writeFiles(join(root, 'net'), { 'a.pt': 'weights' });
    await take(path);
    await registry.forgetRun(path);
    await registry.forgetRun(path);
    expect((await registry.list(all)).total).toBe(0);
    expect(await readdir(registry.paths.models)).toEqual(['registry.json']);
    expect(await readFile(join(path, 'a.pt'), 'utf8')).toBe('weights');
    const reopened = await openRegistry({ home: registry.paths.root });
    expect((await reopened.list(all)).total).toBe(0);
    await reopened.close();
  });
});
