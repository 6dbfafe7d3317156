import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { execa } from 'execa';
import type { RunningCommand } from '../support/command.ts';
import { makeRandomFile, treeDigest } from '../support/files.ts';
import type { Machine } from '../support/machine.ts';
import { errorOf, IGNORED, importModel, startSignaling, startWorker, type TransferJson } from '../support/scene.ts';
import { useLab } from '../support/suites.ts';

const SIZE = 60_000_000;
/** Slow enough to be caught in the middle. */
const LIMIT = ['--limit', '10MB'] as const;
const lab = useLab();

interface Serving {
  readonly machine: Machine;
  readonly process: RunningCommand;
  readonly session: string;
  /** The file of its copy of the model. */
  readonly file: string;
}

/** Workers at one signaling server, each with a copy of one model. */
async function openWorkers(names: readonly string[]): Promise<{ workers: Serving[]; original: string }> {
  const { url } = await startSignaling(lab);
  const original = join(await lab.folder(), 'model');
  await makeRandomFile(join(original, 'weights.msgpack'), SIZE);
  const workers = names.map(async (name) => {
    const machine = await lab.machine(name);
    const { localPath } = await importModel(machine, original, 'big', '--copy');
    return { machine, ...(await startWorker(machine, url)), file: join(localPath, 'weights.msgpack') };
  });
  return { workers: await Promise.all(workers), original };
}

async function startPull(workers: readonly Serving[], ...more: string[]): Promise<RunningCommand> {
  const client = await lab.machine('client');
  const sessions = workers.flatMap(({ session }) => ['--worker', session]);
  return client.start(['client', 'pull-model', 'big', ...sessions, '--json', ...more]);
}

async function pulledWhole(
  running: RunningCommand,
  original: string,
): Promise<{ pulled: TransferJson; stderr: string }> {
  const { exitCode, stderr, ...ended } = await running.exited;
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  const pulled = ended.json<TransferJson>();
  expect(await treeDigest(pulled.entry.localPath, IGNORED)).toEqual(await treeDigest(original));
  return { pulled, stderr };
}

/** Puts other bytes in the file's place, and leaves size and time as a failing disk does: to the nanosecond. */
async function spoil(path: string): Promise<void> {
  const stamp = join(await lab.folder(), 'stamp');
  await execa('touch', ['-r', path, stamp]);
  await writeFile(path, randomBytes(SIZE));
  await execa('touch', ['-r', stamp, path]);
}

describe('a worker that serves wrong bytes', () => {
  it('is dropped and named, and the others give the model', async () => {
    const { workers, original } = await openWorkers(['honest', 'spoilt']);
    await spoil((workers[1] as Serving).file);
    const { stderr } = await pulledWhole(await startPull(workers), original);
    expect(stderr).toMatch(/spoilt is no longer used/);
  }, 120_000);

  it('is done without when its copy has changed openly', async () => {
    const { workers, original } = await openWorkers(['honest', 'changed']);
    await writeFile((workers[1] as Serving).file, randomBytes(SIZE));
    await pulledWhole(await startPull(workers), original);
  }, 120_000);

  it('is named when there is no other: exit 6, and no model', async () => {
    const { workers } = await openWorkers(['spoilt']);
    await spoil((workers[0] as Serving).file);
    const ended = await (await startPull(workers)).exited;
    expect([ended.exitCode, errorOf(ended).code]).toEqual([6, 'verification_failed']);
    expect(errorOf(ended).message).toContain('spoilt');
  }, 120_000);
});

describe('a worker that stops answering without closing', () => {
  it('is done without where another has the model', async () => {
    const { workers, original } = await openWorkers(['steady', 'frozen']);
    const running = await startPull(workers, ...LIMIT);
    await running.waitForStdout(/"state":"transferring"[^\n]*"source":"frozen"[^}]*"bytes":[1-9]/);
    process.kill((workers[1] as Serving).process.pid, 'SIGSTOP');
    const { pulled } = await pulledWhole(running, original);
    expect(pulled.workers.find(({ name }) => name === 'steady')?.bytes).toBeGreaterThan(0);
  }, 120_000);

  it('is waited for where none has, and gone on with when it comes back', async () => {
    const { workers, original } = await openWorkers(['frozen']);
    const running = await startPull(workers, ...LIMIT);
    await running.waitForStdout(/"state":"transferring"[^\n]*"doneBytes":[1-9]/);
    const { pid } = (workers[0] as Serving).process;
    process.kill(pid, 'SIGSTOP');
    await running.waitForStderr(/connection was lost/i);
    process.kill(pid, 'SIGCONT');
    const { pulled } = await pulledWhole(running, original);
    expect(pulled.transferredBytes).toBe(SIZE);
  }, 120_000);
});
