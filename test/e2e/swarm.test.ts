import { constants } from 'node:fs';
import { copyFile, mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { RunningCommand } from '../support/command.ts';
import { makeRandomFile, treeDigest } from '../support/files.ts';
import type { Machine } from '../support/machine.ts';
import {
  IGNORED,
  importModel,
  type ModelJson,
  pull,
  push,
  startSignaling,
  startWorker,
  type TransferJson,
} from '../support/scene.ts';
import { useLab } from '../support/suites.ts';

const SIZE = 60_000_000;
const lab = useLab();

interface WorkerOfSwarm {
  readonly machine: Machine;
  readonly process: RunningCommand;
  readonly session: string;
}

/** Workers, each a process with a home of its own, at one signaling server. */
async function startWorkers(names: readonly string[]): Promise<WorkerOfSwarm[]> {
  const { url } = await startSignaling(lab);
  return await Promise.all(
    names.map(async (name) => {
      const machine = await lab.machine(name);
      return { machine, ...(await startWorker(machine, url)) };
    }),
  );
}

async function makeModel(): Promise<string> {
  const folder = join(await lab.folder(), 'model');
  await mkdir(folder);
  await makeRandomFile(join(folder, 'weights.msgpack'), SIZE);
  return folder;
}

async function contents(folder: string): Promise<[string, string][]> {
  return [...(await treeDigest(folder, IGNORED))].map(([path, { sha256 }]) => [path, sha256]);
}

interface EventJson {
  readonly event: string;
  readonly state: string;
  readonly worker?: string;
  readonly doneBytes: number;
  readonly totalBytes: number;
  readonly lanes: readonly { readonly source: string; readonly bytes: number }[];
}

/** Waits until the named workers have each given something, by the command's own word. */
async function underWayFrom(command: RunningCommand, names: readonly string[]): Promise<void> {
  const each = names.map((name) => `(?=.*"source":"${name}"[^}]*"bytes":[1-9])`).join('');
  await command.waitForStdout(new RegExp(`^${each}.*"state":"transferring"|^.*"state":"transferring"${each}`, 'm'));
}

describe('one model at three workers', () => {
  it('comes from all of them, also when one is killed in the middle', async () => {
    const folder = await makeModel();
    const workers = await startWorkers(['a', 'b', 'c']);
    await Promise.all(workers.map(({ machine }) => importModel(machine, folder, 'shared')));
    const client = await lab.machine('client');
    const sessions = workers.flatMap(({ session }) => ['--worker', session]);
    const pulling = client.start(['client', 'pull-model', 'shared', '--json', '--limit', '12MB', ...sessions]);
    await underWayFrom(pulling, ['a', 'b', 'c']);
    await workers[1]?.process.kill('SIGKILL');
    const ended = await pulling.exited;
    expect({ exitCode: ended.exitCode, stderr: ended.stderr }).toMatchObject({ exitCode: 0 });
    const result = ended.json<TransferJson>();
    expect(result).toMatchObject({ event: 'result', outcome: 'pulled', transferredBytes: SIZE });
    expect(result.workers.map(({ name }) => name).sort()).toEqual(['a', 'b', 'c']);
    expect(result.workers.every(({ bytes, lanes }) => bytes > 0 && lanes.length > 0)).toBe(true);
    expect(await contents(result.entry.localPath)).toEqual(await contents(folder));
    const events = ended.jsonLines<EventJson>();
    expect(
      events.filter(({ event, worker }) => event === 'worker' && worker === 'b').map(({ state }) => state),
    ).toEqual(expect.arrayContaining(['serving', 'lost']));
    expect(events.at(-2)).toMatchObject({ event: 'progress', state: 'completed', doneBytes: SIZE, totalBytes: SIZE });
  }, 180_000);

  it('is taken from those that have it, while others do not or are not there', async () => {
    const folder = await makeModel();
    const [a, b, c] = await startWorkers(['a', 'b', 'c']);
    await importModel(b?.machine as Machine, folder, 'shared');
    await c?.process.kill('SIGKILL');
    const client = await lab.machine('client');
    const sessions = [a, c, b].flatMap((worker) => ['--worker', worker?.session ?? '']);
    const ended = await client.succeed(['client', 'pull-model', 'shared', '--json', ...sessions]);
    expect(ended.json<TransferJson>().workers.map(({ name }) => name)).toEqual(['b']);
    expect(ended.stderr).toMatch(/a does not have the model and is left out/);
    expect(ended.stderr).toMatch(/cannot be reached now/);
  }, 180_000);
});

describe('a worker that is still fetching a model', () => {
  it('gives what it has of it, beside the one that has it all', async () => {
    const folder = await makeModel();
    const [a, b] = await startWorkers(['a', 'b']);
    const { digest } = await importModel(a?.machine as Machine, folder, 'shared');
    // The worker's machine pulls by a command of its own: both use one registry.
    const slow = b?.machine.start([
      'client',
      'pull-model',
      'shared',
      '--limit',
      '4MB',
      '--json',
      '--worker',
      a?.session ?? '',
    ]);
    await slow?.waitForStdout(/"doneBytes":[1-9]\d{7}/);
    const listed = await (await lab.machine('reader')).succeed([
      'worker',
      'list-models',
      '--session',
      b?.session ?? '',
    ]);
    expect(listed.stdout).toMatch(/partial \d+%/);
    const client = await lab.machine('client');
    const sessions = ['--worker', b?.session ?? '', '--worker', a?.session ?? ''];
    const pulled = await pull(client, 'shared', '--limit', '12MB', ...sessions);
    expect(pulled).toMatchObject({ outcome: 'pulled', entry: { digest } });
    expect(new Set(pulled.workers.map(({ name }) => name))).toEqual(new Set(['a', 'b']));
    expect(await contents(pulled.entry.localPath)).toEqual(await contents(folder));
    expect((await slow?.exited)?.exitCode).toBe(0);
  }, 180_000);
});

describe('a dry run', () => {
  it('says how much would move, and moves nothing', async () => {
    const folder = await makeModel();
    const [worker] = await startWorkers(['a']);
    const client = await lab.machine('client', { env: { MODEL_RTC_SESSION: worker?.session ?? '' } });
    const base: ModelJson = await importModel(worker?.machine as Machine, folder, 'base');
    const planned = await client.succeed(['client', 'pull-model', 'base', '--dry-run']);
    expect(planned.stdout).toMatch(/^base: 60\.0 of 60\.0 MB would be sent\n$/);
    await pull(client, 'base');
    await makeRandomFile(join(folder, 'adapter.msgpack'), 2_000_000);
    await importModel(worker?.machine as Machine, folder, 'tuned');
    const tuned = await client.succeed(['client', 'pull-model', 'tuned', '--dry-run']);
    expect(tuned.stdout).toMatch(/^tuned: 2\.0 of 62\.0 MB would be sent; 60 MB are here already in base\n$/);
    const json = (await client.succeed(['client', 'pull-model', 'tuned', '--dry-run', '--json'])).json();
    expect(json).toMatchObject({ outcome: 'planned', transferBytes: 2_000_000, totalBytes: SIZE + 2_000_000 });
    const pulled = await pull(client, 'tuned');
    expect(pulled.transferredBytes).toBe(2_000_000);
    await expectNotTwiceOnDisk(pulled, base);
    const there = await client.succeed(['client', 'push-model', 'tuned', '--dry-run']);
    expect(there.stdout).toMatch(/^Nothing would be sent: tuned \(62 MB\) is at a already\n$/);
    await makeRandomFile(join(folder, 'adapter.msgpack'), 1_000_000);
    await importModel(client, folder, 'newest');
    const pushed = await client.succeed(['client', 'push-model', 'newest', '--dry-run', '--json']);
    expect(pushed.json()).toMatchObject({ exists: false, transferBytes: 1_000_000, reusedBytes: SIZE });
    expect((await push(client, 'newest')).transferredBytes).toBe(1_000_000);
  }, 180_000);
});

/** Where the file system has no clones, the file has two names; with clones no number tells. */
async function expectNotTwiceOnDisk(pulled: TransferJson, base: ModelJson): Promise<void> {
  expect(base.size).toBe(SIZE);
  const path = join(pulled.entry.localPath, 'weights.msgpack');
  const hasClones = await copyFile(path, `${path}.clone`, constants.COPYFILE_FICLONE_FORCE).then(
    () => true,
    () => false,
  );
  await rm(`${path}.clone`, { force: true });
  expect((await stat(path)).nlink).toBe(hasClones ? 1 : 2);
}
