import { appendFile, copyFile, mkdir, open, readdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { runCommand } from '../support/command.ts';
import { makeRandomFile, makeSparseFile, treeDigest } from '../support/files.ts';
import type { Machine } from '../support/machine.ts';
import { peakMemoryBytes } from '../support/process-memory.ts';
import { program, rootUser } from '../support/requirements.ts';
import { errorOf, FIXTURES, IGNORED, type ImportJson, importModel, resultsOf } from '../support/scene.ts';
import { describeWith, useLab } from '../support/suites.ts';

const MEGABYTE = 1_000_000;
const lab = useLab();

interface ExportJson {
  readonly path: string;
  readonly bytes: number;
}

async function exportTo(machine: Machine, ref: string, path: string, ...more: string[]): Promise<ExportJson> {
  return (await machine.succeed(['client', 'export-model', ref, '--to', path, '--json', ...more])).json<ExportJson>();
}

/** A model that takes a while to write: large to read, small on the disk. */
async function importLarge(machine: Machine): Promise<void> {
  const folder = join(machine.folder, 'large');
  await makeSparseFile(join(folder, 'weights.msgpack'), 150 * MEGABYTE);
  await importModel(machine, folder, 'large');
}

/** Waits until a folder has something in it. */
async function waitForContent(folder: string): Promise<void> {
  for (;;) {
    if ((await readdir(folder).catch(() => [])).length > 0) return;
    await delay(5);
  }
}

/** Until an import is at work: before its folder there is only the lock, which a kill may leave empty for a while. */
async function waitForImportFolder(staging: string): Promise<void> {
  for (;;) {
    const names = await readdir(staging).catch(() => []);
    if (names.some((name) => /^import-[0-9a-f]+$/.test(name))) return;
    await delay(5);
  }
}

async function emptyFolder(machine: Machine, name: string): Promise<string> {
  const folder = join(machine.folder, name);
  await mkdir(folder);
  return folder;
}

/** The SHA-256 of each of a model's files. Who may read and write them is each machine's own affair. */
async function contents(folder: string): Promise<[string, string][]> {
  return [...(await treeDigest(folder, IGNORED))].map(([path, { sha256 }]) => [path, sha256]);
}

async function listed(machine: Machine): Promise<unknown> {
  return (await machine.succeed(['client', 'list-models', '--json'])).json<{ models: unknown }>().models;
}

describe('a model carried as a file', () => {
  it('is the same on the other machine, under the same alias, and is there once', async () => {
    const here = await lab.machine('here');
    const there = await lab.machine('there');
    const { digest, localPath } = await importModel(here, join(FIXTURES, 'tiny-llama'), 'tiny');
    const archive = join(here.folder, 'tiny.tar');
    await exportTo(here, digest.slice(0, 10), archive);
    const first = (await there.succeed(['client', 'import-model', archive, '--json'])).json<ImportJson>();
    expect(first).toMatchObject({ outcome: 'imported', entry: { digest, alias: 'tiny' } });
    expect(await contents(first.entry.localPath)).toEqual(await contents(localPath));
    const again = (await there.succeed(['client', 'import-model', archive, '--json'])).json<ImportJson>();
    expect(again).toMatchObject({ outcome: 'already_there', entry: { alias: 'tiny' } });
  });

  it('is not written over a file that is there without being told to', async () => {
    const here = await lab.machine('here');
    await importModel(here, join(FIXTURES, 'tiny-gguf'), 'gguf');
    const archive = join(here.folder, 'x.tar');
    await writeFile(archive, 'precious');
    const refused = await here.run(['client', 'export-model', 'gguf', '--to', archive, '--json']);
    expect(refused.exitCode).toBe(2);
    expect(errorOf(refused).message).toContain('--force');
    expect((await exportTo(here, 'gguf', archive, '--force')).bytes).toBeGreaterThan(1000);
  });

  it('exits 6 when the file was damaged, cut short or added to, and leaves nothing', async () => {
    const here = await lab.machine('here');
    const there = await lab.machine('there');
    await importModel(here, join(FIXTURES, 'good-mouse-v1'), 'mouse');
    const archive = join(here.folder, 'mouse.tar');
    const { bytes } = await exportTo(here, 'mouse', archive);
    const spoils: ((path: string) => Promise<void>)[] = [
      (path) => truncate(path, bytes - 300_000),
      (path) => appendFile(path, 'more'),
      (path) => overwriteAt(path, 200_000),
    ];
    for (const spoil of spoils) {
      const bad = join(here.folder, 'bad.tar');
      await copyFile(archive, bad);
      await spoil(bad);
      const result = await there.run(['client', 'import-model', bad, '--json']);
      expect([result.exitCode, resultsOf(result)]).toEqual([6, []]);
    }
    expect(await listed(there)).toEqual([]);
    expect(await readdir(join(there.home, 'staging'))).toEqual([]);
  });
});

async function overwriteAt(path: string, offset: number): Promise<void> {
  const file = await open(path, 'r+');
  await file.write(Buffer.of(0xff, 0, 0xff), 0, 3, offset);
  await file.close();
}

describe('writing and reading a large archive', () => {
  it('leaves nothing at Ctrl+C, nor after a kill, and needs little memory', async () => {
    const here = await lab.machine('here');
    const there = await lab.machine('there');
    await importLarge(here);
    const stick = await emptyFolder(here, 'stick');
    const archive = join(stick, 'large.tar');
    const writing = here.start(['client', 'export-model', 'large', '--to', archive]);
    await waitForContent(stick);
    expect((await writing.kill('SIGINT')).exitCode).toBe(130);
    expect(await readdir(stick)).toEqual([]);

    await exportTo(here, 'large', archive);
    const staging = join(there.home, 'staging');
    const reading = there.start(['client', 'import-model', archive]);
    await waitForImportFolder(staging);
    expect((await reading.kill('SIGINT')).exitCode).toBe(130);
    expect(await readdir(staging)).toEqual([]);

    const killed = there.start(['client', 'import-model', archive]);
    await waitForImportFolder(staging);
    await killed.kill('SIGKILL');
    expect(await listed(there)).toEqual([]);
    expect(await readdir(staging)).toEqual([]);

    const whole = there.start(['client', 'import-model', archive, '--json']);
    const peak = watchMemory(whole.pid, whole.exited);
    expect((await whole.exited).json<ImportJson>().outcome).toBe('imported');
    expect(await peak).toBeLessThan(250 * MEGABYTE);
  }, 120_000);
});

async function watchMemory(pid: number, exited: Promise<unknown>): Promise<number> {
  let peak = 0;
  let running = true;
  void exited.finally(() => {
    running = false;
  });
  while (running) {
    peak = Math.max(peak, await peakMemoryBytes(pid).catch(() => 0));
    await delay(20);
  }
  return peak;
}

describeWith([program('tar', 'tar')], 'an archive unpacked with tar', () => {
  it('is the model’s folder, which any tool can use and which can be imported', async () => {
    const here = await lab.machine('here');
    const there = await lab.machine('there');
    const { digest, localPath } = await importModel(here, join(FIXTURES, 'good-mouse-v1'), 'mouse');
    const archive = join(here.folder, 'mouse.tar');
    await exportTo(here, 'mouse', archive);
    const unpacked = await runCommand(['tar', 'xf', archive, '-C', there.folder], { env: { PATH: process.env.PATH } });
    expect([unpacked.exitCode, unpacked.stderr]).toEqual([0, '']);
    const folder = join(there.folder, 'mouse');
    expect(await contents(folder)).toEqual(await contents(localPath));
    expect(await importModel(there, folder, 'unpacked')).toMatchObject({ digest, alias: 'unpacked' });
  });
});

describeWith([rootUser()], 'an archive and a disk that is too small', () => {
  it('ends with exit 7 before the first byte, on either side', async () => {
    const here = await lab.machine('here');
    const folder = join(here.folder, 'model');
    await makeRandomFile(join(folder, 'weights.msgpack'), 30 * MEGABYTE);
    await importModel(here, folder, 'big');
    const stick = await lab.tmpfs(20 * MEGABYTE);
    const full = await here.run(['client', 'export-model', 'big', '--to', join(stick, 'big.tar'), '--json']);
    expect([full.exitCode, await readdir(stick)]).toEqual([7, []]);
    const { path } = await exportTo(here, 'big', join(here.folder, 'big.tar'));
    const there = await lab.machine('small', { home: join(await lab.tmpfs(20 * MEGABYTE), 'home') });
    const result = await there.run(['client', 'import-model', path, '--json']);
    expect(result.exitCode).toBe(7);
    expect(errorOf(result)).toMatchObject({ code: 'storage_full' });
    expect(await readdir(join(there.home, 'staging'))).toEqual([]);
  });
});
