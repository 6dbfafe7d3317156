import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile, rename, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { RunningCommand } from '../support/command.ts';
import { makeRandomFile, treeDigest } from '../support/files.ts';
import type { Machine } from '../support/machine.ts';
import { errorOf, FIXTURES, importModel, openScene, type Scene, startWorker } from '../support/scene.ts';
import { longIt, useLab } from '../support/suites.ts';

const MODEL = join(FIXTURES, 'tiny-onnx');
const DATA_BYTES = 200_000_000;
/** For transfers that are to be caught in the middle. */
const SLOWED = ['--limit', '40MB'];
/** So slow that the data could not be sent before the test is given up. */
const NOTHING_PASSES = ['--limit', '16kB'];
const lab = useLab();

/** Gives the size of each file that it reads. */
const SIZES = `
import os, sys
*inputs, output = sys.argv[1:]
with open(output + '.txt', 'w') as file:
    for path in inputs:
        file.write(f'{os.path.basename(path)} {os.path.getsize(path)}\\n')
`;
/** Gives back what it reads. */
const COPY = `
import shutil, sys
shutil.copytree(sys.argv[1], sys.argv[2])
`;
/** Writes 2 GB that take no room: zeros, with a number that is nowhere else in each mebibyte. */
const SPARSE = `
import struct, sys
with open(sys.argv[1] + '.bin', 'wb') as file:
    file.truncate(2_000_000_000)
    for offset in range(0, 2_000_000_000, 1 << 20):
        file.seek(offset)
        file.write(struct.pack('<dd', 7.0, offset))
`;
/** Writes into what it reads, and into the folder of it, as far as it can. */
const MEDDLE = `
import os, sys
path, output = sys.argv[1:]
try:
    os.chmod(path, 0o666)
    with open(path, 'r+b') as file:
        file.write(b'meddled')
    os.rename(path, path + '.gone')
except OSError as error:
    print(error)
with open(output + '.txt', 'w') as file:
    file.write('done')
`;

interface Results {
  readonly path: string;
  readonly resumedBytes: number;
}
interface TrackJson {
  readonly job: { readonly id: string; readonly state: string };
  readonly results: Results;
}

/** A worker with a model and these runners, and a client. */
async function openJobs(runners: Readonly<Record<string, readonly [script: string, ...args: string[]]>>) {
  const scene = await openScene(lab);
  await importModel(scene.worker, MODEL, 'tiny');
  for (const [name, [script, ...args]] of Object.entries(runners)) {
    const [program, file] = [join(scene.worker.folder, `${name}.py`), join(scene.worker.folder, `${name}.json`)];
    await writeFile(program, script);
    await writeFile(file, JSON.stringify({ name, args: ['python3', program, ...args] }));
    await scene.worker.succeed(['worker', 'runners', 'add', file]);
  }
  const client = await scene.client('client');
  return { scene, client, track: (...args: string[]) => track(client, ...args) };
}

function trackArgs(...args: string[]): string[] {
  return ['track', '--model', 'tiny', '--json', ...args];
}

async function track(machine: Machine, ...args: string[]): Promise<TrackJson> {
  return (await machine.succeed(trackArgs(...args))).json<TrackJson>();
}

/** The sets of data at the worker, by their folders. */
async function cached({ worker }: Pick<Scene, 'worker'>): Promise<string[]> {
  return (await readdir(join(worker.home, 'data-sets'))).filter((name) => /^[0-9a-f]{64}$/.test(name));
}

interface Progress {
  readonly event: string;
  readonly totalBytes: number;
  readonly doneBytes: number;
  readonly resumedBytes?: number;
}

/** What was sent of the data: the last word on that before the job was submitted; undefined when nothing was offered. */
function sent({ stdout }: { readonly stdout: string }): Progress | undefined {
  const events = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Progress);
  const submitted = events.findIndex(({ event }) => event === 'submitted');
  return events
    .slice(0, submitted)
    .findLast(
      (event) => event.event === 'progress' && event.totalBytes === DATA_BYTES && event.resumedBytes !== undefined,
    );
}

/** Waits until a transfer is well under way, by its own word. */
async function underWay(command: RunningCommand, totalBytes: number): Promise<void> {
  await command.waitForStdout(new RegExp(`"state":"transferring","doneBytes":[1-9]\\d{7,},"totalBytes":${totalBytes}`));
}

async function makeData(machine: Machine): Promise<string> {
  const path = join(machine.folder, 'mouse.mp4');
  await makeRandomFile(path, DATA_BYTES);
  return path;
}

describe('the data of a job', () => {
  it('goes on after kill -9 of the client, is sent once, and not again for another name or folder', async () => {
    const { client, scene } = await openJobs({ sizes: [SIZES, '{inputs}', '{output}'] });
    const data = await makeData(client);
    const first = client.start(trackArgs('--runner', 'sizes', '--data', data, ...SLOWED));
    await underWay(first, DATA_BYTES);
    await first.kill('SIGKILL');
    expect(await cached(scene)).toEqual([]);
    const second = await client.succeed(trackArgs('--runner', 'sizes', '--data', data));
    const went = sent(second) as Progress;
    expect(went.resumedBytes).toBeGreaterThan(DATA_BYTES / 100);
    expect(went.doneBytes).toBe(DATA_BYTES);
    const { path } = second.json<TrackJson>().results;
    expect(await readFile(path, 'utf8')).toBe(`mouse.mp4 ${DATA_BYTES}\n`);
    const again = await client.succeed(
      trackArgs('--runner', 'sizes', '--data', data, '--again', '--force', ...NOTHING_PASSES),
    );
    expect(again.stdout).not.toContain('"state":"transferring"');
    const folder = join(client.folder, 'cage');
    await mkdir(folder);
    await rename(data, join(folder, 'renamed.mp4'));
    await writeFile(join(folder, 'notes.txt'), 'new');
    const other = await client.succeed(trackArgs('--runner', 'sizes', '--data', folder, ...NOTHING_PASSES));
    expect(other.json<TrackJson>().job.state).toBe('completed');
    expect(await cached(scene)).toHaveLength(2);
  }, 240_000);

  it('goes on by itself when the worker is killed with kill -9 and started again', async () => {
    const { client, scene } = await openJobs({ sizes: [SIZES, '{inputs}', '{output}'] });
    const data = await makeData(client);
    const running = client.start(trackArgs('--runner', 'sizes', '--data', data, ...SLOWED));
    await underWay(running, DATA_BYTES);
    await scene.workerProcess.kill('SIGKILL');
    await running.waitForStdout(/"state":"connecting".*reason|reconnecting/);
    await startWorker(scene.worker, scene.signalingUrl);
    const ended = await running.exited;
    expect({ exitCode: ended.exitCode, stderr: ended.stderr }).toMatchObject({ exitCode: 0 });
    expect(await readFile(ended.json<TrackJson>().results.path, 'utf8')).toBe(`mouse.mp4 ${DATA_BYTES}\n`);
  }, 240_000);

  it('has names of every kind that can be had everywhere, comes back the same, and is refused with others', async () => {
    const { client } = await openJobs({ copy: [COPY, '{input}', '{output}'] });
    const folder = join(client.folder, 'cage $(touch pwned)');
    const names = [
      '実験/🐁 1.csv',
      'mäuse'.normalize('NFC'),
      "it's; rm -rf $HOME",
      '--set',
      '-rf',
      '`id`',
      '%00',
      'a'.repeat(250),
      '.hidden',
      'empty',
    ];
    for (const name of names) {
      await mkdir(join(folder, name, '..'), { recursive: true });
      await writeFile(join(folder, name), name === 'empty' ? '' : name);
    }
    await symlink('empty', join(folder, 'link to empty'));
    await mkdir(join(folder, 'hollow'));
    const ran = await client.succeed(trackArgs('--runner', 'copy', '--data', folder));
    expect(ran.stdout).toContain('"leftOut":[{"path":"hollow","reason":"an empty folder"}]');
    const { results } = ran.json<TrackJson>();
    expect(results).toMatchObject({ form: 'folder', fileCount: names.length + 1 });
    const contents = async (path: string) =>
      new Map([...(await treeDigest(path))].map(([name, { sha256 }]) => [name, sha256]));
    expect(await contents(results.path)).toEqual(await contents(folder));
    expect(await readdir(client.folder)).not.toContain('pwned');
    const refuse = async (exitCode: number, words: RegExp) => {
      const refused = await client.run(trackArgs('--runner', 'copy', '--data', folder, '--again', '--output', 'other'));
      expect({ exitCode: refused.exitCode, message: errorOf(refused).message }).toEqual({
        exitCode,
        message: expect.stringMatching(words),
      });
    };
    for (const [name, words] of [
      ['back\\slash', /backslash/],
      ['aux.json', /reserved device name/],
      ['line\nend', /control character/],
      ['EMPTY', /upper and lower case/],
    ] as const) {
      await writeFile(join(folder, name), '');
      await refuse(2, words);
      await rm(join(folder, name));
    }
    await symlink('/etc/passwd', join(folder, 'leak'));
    await refuse(8, /leads out of .*leak \(to \/etc\/passwd\)/);
  }, 180_000);

  it('cannot be changed for the next job', async () => {
    const { client, track } = await openJobs({
      meddle: [MEDDLE, '{input}', '{output}'],
      copy: [SIZES.replace('os.path.getsize(path)', 'open(path).read()'), '{inputs}', '{output}'],
    });
    const data = join(client.folder, 'notes.txt');
    await writeFile(data, 'precious');
    expect((await track('--runner', 'meddle', '--data', data)).job.state).toBe('completed');
    const { results } = await track(
      '--runner',
      'copy',
      '--data',
      data,
      '--output',
      join(client.folder, 'out'),
      ...NOTHING_PASSES,
    );
    expect(await readFile(results.path, 'utf8')).toBe('notes.txt precious\n');
  }, 120_000);

  it('makes room for other data within the limit, and is sent again when it is wanted again', async () => {
    const { client, scene, track } = await openJobs({ sizes: [SIZES, '{inputs}', '{output}'] });
    await scene.worker.succeed(['settings', 'set', 'data-cache.size', '3MB']);
    await scene.worker.succeed(['settings', 'set', 'data-cache.session-size', '3MB']);
    await scene.workerProcess.kill();
    await startWorker(scene.worker, scene.signalingUrl);
    const run = async (name: string) =>
      await track('--runner', 'sizes', '--data', join(client.folder, name), '--again', '--force');
    for (const name of ['a', 'b']) await makeRandomFile(join(client.folder, name), 2_000_000);
    await run('a');
    const [first] = await cached(scene);
    await run('b');
    const [second, ...others] = await cached(scene);
    expect([second === first, others]).toEqual([false, []]);
    await run('a');
    expect(await cached(scene)).toEqual([first]);
    await makeRandomFile(join(client.folder, 'c'), 4_000_000);
    const refused = await client.run(trackArgs('--runner', 'sizes', '--data', join(client.folder, 'c')));
    expect(refused.exitCode).toBe(8);
    expect(errorOf(refused).message).toMatch(/4 MB.*keeps 3 MB of data at most.*data-cache\.size/);
    const status = async () =>
      (await scene.worker.succeed(['worker', 'status', '--json'])).json<{ data: object }>().data;
    expect(await status()).toMatchObject({ maxBytes: 3_000_000 });
  }, 180_000);
});

describe('the results of a job', () => {
  longIt(
    'of 2 GB go on after kill -9 of either side, and are seen only when they are whole',
    async () => {
      const { client, scene } = await openJobs({ sparse: [SPARSE, '{output}'] });
      const target = join(client.folder, 'out', 'mouse.bin');
      const { job } = (
        await client.succeed(['track', '--model', 'tiny', '--runner', 'sparse', '--detach', '--json'])
      ).json<TrackJson>();
      await client.succeed(['jobs', 'logs', job.id, '--follow']);
      const fetch = (...args: string[]) =>
        client.start(['jobs', 'fetch', job.id, '--output', target, '--json', ...args]);
      const first = fetch('--limit', '200MB');
      await underWay(first, 2_000_000_000);
      await first.kill('SIGKILL');
      expect(await readdir(join(client.folder, 'out'))).toEqual([]);
      const second = fetch('--limit', '200MB');
      await underWay(second, 2_000_000_000);
      await scene.workerProcess.kill('SIGKILL');
      await second.waitForStdout(/"state":"connecting".*reason|reconnecting/);
      await startWorker(scene.worker, scene.signalingUrl);
      const ended = await second.exited;
      expect({ exitCode: ended.exitCode, stderr: ended.stderr }).toMatchObject({ exitCode: 0 });
      const { results } = ended.json<{ results: Results }>();
      expect(results).toMatchObject({ path: target, outcome: 'fetched', bytes: 2_000_000_000 });
      expect(results.resumedBytes).toBeGreaterThan(10_000_000);
      expect(await readdir(join(client.folder, 'out'))).toEqual(['mouse.bin']);
      const [here, there] = [target, join(scene.worker.home, 'jobs', job.id, 'output', 'result.bin')];
      expect(() => execFileSync('cmp', [here, there])).not.toThrow();
      const again = (await fetch().exited).json<{ results: Results }>().results;
      expect(again).toMatchObject({ outcome: 'same', transferredBytes: 0 });
      await truncate(target, 1000);
      const refused = await fetch().exited;
      expect([refused.exitCode, errorOf(refused).message]).toEqual([
        8,
        expect.stringMatching(/exists already.*--force/),
      ]);
      expect((await stat(target)).size).toBe(1000);
    },
    400_000,
  );
});
