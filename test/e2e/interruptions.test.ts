import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { RunningCommand } from '../support/command.ts';
import { makeRandomFile, treeDigest } from '../support/files.ts';
import type { Lab } from '../support/lab.ts';
import {
  IGNORED,
  importModel,
  type ModelJson,
  openScene,
  pull,
  push,
  type Scene,
  startSignaling,
  startWorker,
  type TransferJson,
} from '../support/scene.ts';
import { useLab } from '../support/suites.ts';

const SIZE = 400_000_000;
/** For transfers that are to be caught in the middle: some machines move all of it in less than a second. */
const SLOWED = ['--limit', '80MB'];
const lab = useLab();

/** One model for all tests that leave it as it is, in place of hundreds of megabytes made for each. */
const shared = useLab('after all');
let made: Promise<string> | undefined;
const sharedModel = (): Promise<string> => {
  made ??= makeModel(shared);
  return made;
};
let hashed: Promise<[string, string][]> | undefined;
const sharedHashes = async (): Promise<[string, string][]> => {
  hashed ??= hashes(await sharedModel());
  return await hashed;
};

async function makeModel(at: Lab): Promise<string> {
  const folder = join(await at.folder(), 'model');
  await makeRandomFile(join(folder, 'weights.msgpack'), SIZE);
  return folder;
}

/** A model that a client has and the worker may get. */
async function modelAtClient(
  scene: Scene,
): Promise<{ sender: Awaited<ReturnType<Scene['client']>>; entry: ModelJson }> {
  const sender = await scene.client('sender');
  return { sender, entry: await importModel(sender, await sharedModel(), 'big') };
}

/** The same, at the worker. */
async function modelAtWorker(scene: Scene): Promise<void> {
  await importModel(scene.worker, await sharedModel(), 'big');
}

/** Waits until the transfer is well under way, by its own word. */
async function underWay(command: RunningCommand): Promise<void> {
  await command.waitForStderr(/transferring +(?:[1-9]|[1-8]\d)%/);
}

/** What had arrived was not sent again: told by the result, and by what the lane carried. */
function expectResumed(result: TransferJson, direction: 'sentBytes' | 'receivedBytes'): void {
  expect(result.resumedBytes).toBeGreaterThan(SIZE / 100);
  expect(result.transferredBytes + result.resumedBytes).toBe(SIZE);
  const carried = result.lanes.reduce((sum, lane) => sum + lane[direction], 0);
  expect(carried).toBeLessThan(result.transferredBytes * 1.02 + 1_000_000);
}

describe('a transfer that is broken off', () => {
  it('resumes a pull after the client was killed with kill -9', async () => {
    const scene = await openScene(lab);
    await modelAtWorker(scene);
    const client = await scene.client('client');
    const first = client.start(['client', 'pull-model', 'big', ...SLOWED]);
    await underWay(first);
    await first.kill('SIGKILL');
    const listed = (await client.succeed(['client', 'list-models', '--json'])).json<{ models: unknown[] }>();
    expect(listed.models).toEqual([]);
    const result = await pull(client, 'big');
    expectResumed(result, 'receivedBytes');
    expect(await hashes(result.entry.localPath)).toEqual(await sharedHashes());
  }, 180_000);

  it('resumes a push after the client was killed with kill -9', async () => {
    const scene = await openScene(lab);
    const { sender, entry } = await modelAtClient(scene);
    const first = sender.start(['client', 'push-model', 'big', ...SLOWED]);
    await underWay(first);
    await first.kill('SIGKILL');
    const result = await push(sender, 'big');
    expectResumed(result, 'sentBytes');
    expect(await atWorker(scene, entry.digest)).toEqual(await sharedHashes());
  }, 180_000);

  it('goes on by itself when the worker is killed with kill -9 and started again during a pull', async () => {
    const scene = await openScene(lab);
    await modelAtWorker(scene);
    const client = await scene.client('client');
    const running = client.start(['client', 'pull-model', 'big', '--json', ...SLOWED]);
    await underWay(running);
    await scene.workerProcess.kill('SIGKILL');
    await running.waitForStderr(/connection was lost/i);
    await startWorker(scene.worker, scene.signalingUrl);
    const { exitCode, ...ended } = await running.exited;
    expect({ exitCode, stderr: ended.stderr }).toMatchObject({ exitCode: 0 });
    const result = ended.json<TransferJson>();
    expect(result.transferredBytes).toBe(SIZE);
    expect(await hashes(result.entry.localPath)).toEqual(await sharedHashes());
  }, 180_000);

  it('goes on by itself when the worker is killed with kill -9 and started again during a push', async () => {
    const scene = await openScene(lab);
    const { sender, entry } = await modelAtClient(scene);
    const running = sender.start(['client', 'push-model', 'big', '--json', ...SLOWED]);
    await underWay(running);
    await scene.workerProcess.kill('SIGKILL');
    await running.waitForStderr(/connection was lost/i);
    await startWorker(scene.worker, scene.signalingUrl);
    const { exitCode, stderr } = await running.exited;
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    expect(await atWorker(scene, entry.digest)).toEqual(await sharedHashes());
  }, 180_000);

  it('does not need the signaling server once it runs, and the same session works after the server restarted', async () => {
    const { url, port, process: server } = await startSignaling(lab);
    const worker = await lab.machine('worker');
    const { session, process: workerProcess } = await startWorker(worker, url);
    const client = (name: string) => lab.machine(name, { env: { MODEL_RTC_SESSION: session } });
    const scene: Scene = { worker, workerProcess, session, signalingUrl: url, client };
    await modelAtWorker(scene);
    const running = (await client('client')).start(['client', 'pull-model', 'big', '--json', ...SLOWED]);
    await underWay(running);
    await server.kill('SIGKILL');
    const { exitCode, stderr, ...ended } = await running.exited;
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    expect(await hashes(ended.json<TransferJson>().entry.localPath)).toEqual(await sharedHashes());
    await startSignaling(lab, port);
    const late = await scene.client('late');
    await succeedEventually(() => late.run(['worker', 'list-models']));
  }, 180_000);

  it('is cancelled by Ctrl+C, exits 130, says how to resume, and resumes', async () => {
    const scene = await openScene(lab);
    await modelAtWorker(scene);
    const client = await scene.client('client');
    const first = client.start(['client', 'pull-model', 'big', ...SLOWED]);
    await underWay(first);
    const { exitCode, stderr, stdout } = await first.kill('SIGINT');
    expect({ exitCode, stdout }).toEqual({ exitCode: 130, stdout: '' });
    expect(stderr).toMatch(/run the same command again to resume/);
    expectResumed(await pull(client, 'big'), 'receivedBytes');
  }, 180_000);

  it('leaves the other side ready when a push is cancelled by Ctrl+C', async () => {
    const scene = await openScene(lab);
    const { sender } = await modelAtClient(scene);
    const first = sender.start(['client', 'push-model', 'big', ...SLOWED]);
    await underWay(first);
    expect(await first.kill('SIGINT')).toMatchObject({ exitCode: 130 });
    const atOnce = await push(sender, 'big');
    expectResumed(atOnce, 'sentBytes');
  }, 180_000);
});

describe('a model that changes while it is pulled', () => {
  it('is begun again with its new content, and the client says why', async () => {
    const scene = await openScene(lab);
    const folder = await makeModel(lab);
    const entry = await importModel(scene.worker, folder, 'big');
    const client = await scene.client('client');
    const running = client.start(['client', 'pull-model', 'big', '--json', ...SLOWED]);
    await underWay(running);
    await appendFile(join(folder, 'weights.msgpack'), 'trained some more');
    const { exitCode, stderr, ...ended } = await running.exited;
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    expect(stderr).toMatch(/changed/);
    const result = ended.json<TransferJson>();
    expect(result.entry.digest).not.toBe(entry.digest);
    expect(await hashes(result.entry.localPath)).toEqual(await hashes(folder));
    // What had arrived of the old content is the same in the new one, and is not sent again.
    expect(result.reusedBytes).toBeGreaterThan(SIZE / 100);
  }, 180_000);
});

async function hashes(folder: string): Promise<[string, string][]> {
  return [...(await treeDigest(folder, IGNORED))].map(([path, { sha256 }]) => [path, sha256]);
}

async function atWorker({ worker }: Scene, digest: string): Promise<[string, string][]> {
  const { entry } = (await worker.succeed(['client', 'model-info', digest, '--json'])).json<{ entry: ModelJson }>();
  return await hashes(entry.localPath);
}

/** A worker finds a restarted server after its own pause; until then clients are told that it is offline. */
async function succeedEventually(
  attempt: () => Promise<{ exitCode: number | undefined; stderr: string }>,
): Promise<void> {
  for (let tries = 0; ; tries++) {
    const { exitCode, stderr } = await attempt();
    if (exitCode === 0) return;
    if (tries === 60) throw new Error(`It never succeeded: ${stderr}`);
  }
}
