import { appendFile, cp, mkdir, readdir, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type Log, listModelsParams, silentLog } from '@model-rtc/protocol';
import type { Registry, RegistryEntry } from '@model-rtc/registry';
import { type WatchEvent, type WatchFoldersOptions, watchFolders } from '../../src/index.ts';
import { afterTest, failure, openTestRegistry, temporaryFolder } from '../support/registry.ts';

/** So that a test waits for what happens, and not for time to pass. */
const QUICK = {
  stableMs: 50,
  oldMs: 60_000,
  pausedMs: 100,
  hintMs: 5,
  gapMs: 10,
  pollMs: 100,
  recordMs: 10,
  goneMs: 50,
};
const CONFIG = `model_config: {head_configs: {centroid: {confmaps: {sigma: 2}}}}
trainer_config: {max_epochs: 3, ckpt_dir: models, run_name: mouse, early_stopping: {patience: 10}}
`;

interface Watch {
  readonly registry: Registry;
  readonly folder: string;
  readonly events: WatchEvent[];
  /** Resolves with the entries when they are as wanted; the test's own time limit ends a wait in vain. */
  until(isWanted: (entries: RegistryEntry[]) => boolean): Promise<RegistryEntry[]>;
}

async function watch(folder: string, registry: Registry, options: Partial<WatchFoldersOptions> = {}): Promise<Watch> {
  const events: WatchEvent[] = [];
  const onEvent = (event: WatchEvent) => void events.push(event);
  const watched = await watchFolders({ registry, folders: [folder], timing: QUICK, onEvent, ...options });
  afterTest(() => watched.close());
  await watched.looked;
  const list = async () => (await registry.list(listModelsParams.parse({ sort: 'name' }))).models;
  const until: Watch['until'] = async (isWanted) => {
    for (;;) {
      const entries = await list();
      if (isWanted(entries)) return entries;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  return { registry, folder, events, until };
}

async function setUp(options: Partial<WatchFoldersOptions> = {}): Promise<Watch> {
  return await watch(await temporaryFolder(), await openTestRegistry(), options);
}

async function writeAll(folder: string, files: Record<string, string>): Promise<string> {
  await mkdir(folder, { recursive: true });
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  return folder;
}

/** Without what is told once of a whole folder. */
const changes = (events: readonly WatchEvent[]) => events.filter((event) => event.type !== 'looked');
const names = (entries: readonly RegistryEntry[]) => entries.map(({ alias }) => alias);
const registered = (entries: readonly RegistryEntry[]) => entries.length === 1 && entries[0]?.digest !== undefined;

async function writeRun(folder: string, epochs: readonly string[]): Promise<string> {
  const log = ['epoch,train/loss,val/loss', ...epochs, ''].join('\n');
  return await writeAll(folder, { 'training_config.yaml': CONFIG, 'best.ckpt': 'weights', 'training_log.csv': log });
}

function keepingLog(): Log & { readonly warnings: string[] } {
  const warnings: string[] = [];
  return { ...silentLog, warnings, warn: (_fields, message) => void warnings.push(message) };
}

describe('a watched folder', () => {
  it('has its models registered, those that are there and those that come', async () => {
    const folder = await temporaryFolder();
    await writeAll(join(folder, 'first'), { 'a.pt': 'one' });
    const { until, events } = await watch(folder, await openTestRegistry());
    await until(registered);
    await writeAll(join(folder, 'deep', 'second'), { 'b.pt': 'two' });
    const entries = await until(({ length }) => length === 2 && changes(events).length === 2);
    expect(names(entries)).toEqual(['first', 'second']);
    expect(entries[0]).toMatchObject({ foundIn: folder, linked: true, status: 'completed' });
    expect(changes(events).map(({ type, alias }) => `${type} ${alias}`)).toEqual([
      'registered first',
      'registered second',
    ]);
    expect(await readdir(folder, { recursive: true })).toEqual(
      expect.arrayContaining(['first/a.pt', 'deep/second/b.pt']),
    );
    expect(await readdir(folder, { recursive: true })).toHaveLength(5);
  });

  it('is kept up with where the file system tells of nothing', async () => {
    const folder = await temporaryFolder();
    // An event would be heeded after longer than the test takes.
    const { until } = await watch(folder, await openTestRegistry(), { timing: { ...QUICK, hintMs: 600_000 } });
    await writeAll(join(folder, 'net'), { 'a.pt': 'one' });
    await until(registered);
  });

  it('is kept up with at once where the file system tells what happens', async () => {
    const folder = await temporaryFolder();
    const { until } = await watch(folder, await openTestRegistry(), { timing: { ...QUICK, pollMs: 600_000 } });
    await writeAll(join(folder, 'net'), { 'a.pt': 'one' });
    await until(registered);
    await writeFile(join(folder, 'net', 'a.pt'), 'two, another time');
    await until(([entry]) => entry?.size === 'two, another time'.length);
  });

  it('has its changed models in place of the former ones, moved ones as before, and gone ones no more', async () => {
    const { folder, until, events } = await setUp();
    await writeAll(join(folder, 'net'), { 'a.pt': 'one' });
    const [before] = await until(registered);
    await writeFile(join(folder, 'net', 'a.pt'), 'other');
    const [changed] = await until(([entry]) => entry !== undefined && entry.digest !== before?.digest);
    expect(changed).toMatchObject({ alias: 'net' });
    await rename(join(folder, 'net'), join(folder, 'moved'));
    const [moved] = await until(([entry]) => entry?.originalPath === join(folder, 'moved'));
    expect(moved).toMatchObject({ id: changed?.id, alias: 'net', displayStatus: 'completed' });
    await rm(join(folder, 'moved'), { recursive: true });
    await until(({ length }) => length === 0 && events.at(-1)?.type === 'forgotten');
    expect(events.at(-1)).toMatchObject({ alias: 'net', path: join(folder, 'moved') });
  });

  it('keeps what was found in it when its disk is not there', async () => {
    const [folder, registry, log] = [await temporaryFolder(), await openTestRegistry(), keepingLog()];
    const disk = join(folder, 'disk');
    await writeAll(join(disk, 'net'), { 'a.pt': 'one' });
    const { until } = await watch(disk, registry, { log });
    await until(registered);
    await rename(disk, join(folder, 'unmounted'));
    await until(([entry]) => entry?.displayStatus === 'broken_symlink');
    // What is mounted on has a folder of its own.
    await mkdir(disk);
    await until(() => log.warnings.some((warning) => warning.includes('is empty')));
    expect(names(await until(() => true))).toEqual(['net']);
    await rm(disk, { recursive: true });
    await rename(join(folder, 'unmounted'), disk);
    await until(([entry]) => entry?.displayStatus === 'completed');
  });

  it('says once what cannot be registered, and registers the rest', async () => {
    const log = keepingLog();
    const { folder, until } = await setUp({ log });
    await writeAll(join(folder, 'broken'), { 'config.json': '{"model_type": ', 'a.msgpack': 'x' });
    await writeAll(join(folder, 'whole'), { 'a.pt': 'x' });
    await until(registered);
    await until(() => log.warnings.length > 0);
    expect(log.warnings).toEqual([expect.stringContaining(join(folder, 'broken'))]);
  });
});

describe('a training in a watched folder', () => {
  it('shows its epochs, and is a model when it is finished', async () => {
    const { folder, until, events } = await setUp();
    const run = await writeRun(join(folder, 'models', 'mouse'), ['0,0.5,0.6']);
    const [first] = await until(({ length }) => length === 1);
    expect(first).toMatchObject({ status: 'training', alias: 'mouse', metrics: { last_epoch: 0 } });
    await appendFile(join(run, 'training_log.csv'), '1,0.4,0.5\n');
    await until(([entry]) => entry?.metrics.last_epoch === 1 && entry.status === 'training');
    await appendFile(join(run, 'training_log.csv'), '2,0.3,0.4\n');
    const [model] = await until((entries) => registered(entries) && changes(events).length === 2);
    expect(model).toMatchObject({ alias: 'mouse', status: 'completed', source: 'worker-training' });
    expect(model?.metrics).toMatchObject({ best_val_loss: 0.4, last_epoch: 2 });
    expect(changes(events).map(({ type }) => type)).toEqual(['run', 'registered']);
  });

  it('is interrupted when nothing is written any more, and trains again when something is', async () => {
    const { folder, until } = await setUp({ interruptedAfterMs: 150 });
    const run = await writeRun(join(folder, 'models', 'mouse'), ['0,0.5,0.6']);
    const [entry] = await until(([first]) => first?.status === 'interrupted');
    expect(entry?.digest).toBeUndefined();
    expect(entry?.resumeCommand).toBe(
      'cd ../.. && sleap-nn train --config models/mouse/training_config.yaml trainer_config.resume_ckpt_path=models/mouse/best.ckpt',
    );
    const writing = setInterval(() => void appendFile(join(run, 'training_log.csv'), '1,0.4,0.5\n'), 20);
    afterTest(() => clearInterval(writing));
    await until(([first]) => first?.status === 'training' && first.metrics.last_epoch === 1);
  });

  it('that stopped long ago is interrupted at the first look', async () => {
    const folder = await temporaryFolder();
    const run = await writeRun(join(folder, 'old'), ['0,0.5,0.6']);
    const old = new Date('2026-01-01');
    for (const name of await readdir(run)) await utimes(join(run, name), old, old);
    const { until } = await watch(folder, await openTestRegistry());
    expect((await until(() => true))[0]).toMatchObject({ status: 'interrupted' });
  });
});

describe('a training that nobody watches any more', () => {
  it('is shown as it is when a worker starts', async () => {
    const [folder, registry] = [await temporaryFolder(), await openTestRegistry()];
    const run = await writeRun(join(folder, 'models', 'mouse'), ['0,0.5,0.6']);
    const first = await watchFolders({ registry, folders: [folder], timing: QUICK });
    await first.looked;
    await first.close();
    const old = new Date('2026-01-01');
    for (const name of await readdir(run)) await utimes(join(run, name), old, old);
    const other = await watchFolders({ registry, folders: [] });
    afterTest(() => other.close());
    const [entry] = await registry.listFound();
    expect(entry).toMatchObject({ status: 'interrupted', foundIn: folder, originalPath: run });
  });
});

describe('a store of another tool', () => {
  it('of a hub is served in place, and its alias moves on to the next commit', async () => {
    const { folder, until } = await setUp();
    const repository = join(folder, 'models--acme--tiny-llama');
    const download = async (commit: string, weights: string): Promise<void> => {
      await writeAll(join(repository, 'blobs'), { config: '{"model_type":"llama"}', [commit]: weights });
      const snapshot = join(repository, 'snapshots', commit.repeat(40));
      await mkdir(snapshot, { recursive: true });
      await symlink('../../blobs/config', join(snapshot, 'config.json'));
      await writeAll(join(repository, 'refs'), { main: commit.repeat(40) });
      await symlink(`../../blobs/${commit}`, join(snapshot, 'model.msgpack'));
    };
    await download('a', 'first weights');
    const [first] = await until(registered);
    expect(first).toMatchObject({ alias: 'tiny-llama', name: 'acme/tiny-llama', source: 'hub', modelType: 'llama' });
    await download('b', 'second weights');
    const [second] = await until(([entry]) => entry !== undefined && entry.digest !== first?.digest);
    expect(second).toMatchObject({ alias: 'tiny-llama', originalPath: join(repository, 'snapshots', 'b'.repeat(40)) });
    expect(await until(({ length }) => length === 1)).toHaveLength(1);
  });

  it('is not hashed again after a restart, and a copy of what is here already makes no second model', async () => {
    const folder = await temporaryFolder();
    await writeAll(join(folder, 'net'), { 'a.pt': 'one' });
    const registry = await openTestRegistry();
    const first = await watchFolders({ registry, folders: [folder], timing: QUICK });
    afterTest(() => first.close());
    const { until } = await watch(folder, registry);
    const [before] = await until(registered);
    await first.close();
    await cp(join(folder, 'net'), join(folder, 'same'), { recursive: true });
    await writeAll(join(folder, 'other'), { 'a.pt': 'two' });
    const entries = await until(({ length }) => length === 2);
    expect(entries[0]).toEqual(before);
  });
});

describe('watching', () => {
  it('is refused for what is no folder', async () => {
    const [folder, registry] = [await temporaryFolder(), await openTestRegistry()];
    await writeFile(join(folder, 'file'), '');
    for (const path of [join(folder, 'gone'), join(folder, 'file')]) {
      expect(await failure(watchFolders({ registry, folders: [path] }))).toMatchObject({ code: 'bad_argument' });
    }
  });

  it("leaves the registry's own folder alone when it lies in a watched one", async () => {
    const folder = await temporaryFolder();
    const registry = await openTestRegistry(join(folder, 'home'));
    const { until } = await watch(folder, registry);
    await writeAll(join(folder, 'net'), { 'a.pt': 'one' });
    await until(registered);
    await writeAll(join(folder, 'other'), { 'a.pt': 'two' });
    expect(names(await until(({ length }) => length >= 2))).toEqual(['net', 'other']);
  });
});
