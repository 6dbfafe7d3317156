import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { processesWith } from '../../packages/jobs/test/support/processes-with.ts';
import type { Machine } from '../support/machine.ts';
import { program } from '../support/requirements.ts';
import { declareRunners, pythonRunner } from '../support/runners.ts';
import { FIXTURES, importModel, openScene, type Scene, startWorker } from '../support/scene.ts';
import { describeWith, useLab } from '../support/suites.ts';

const lab = useLab();

interface JobJson {
  readonly id: string;
  readonly state: string;
  readonly position?: number;
  readonly exit?: { readonly code?: number; readonly signal?: string };
  readonly error?: { readonly code: string; readonly message: string };
}
type EventJson = { readonly event: string; readonly type?: string; readonly stream?: string; readonly text?: string };

interface Place extends Scene {
  readonly laptop: Machine;
}

/** A worker with a model and runners, and a laptop that may use it. */
async function openPlace(runners: Parameters<typeof declareRunners>[1], workerHome?: string): Promise<Place> {
  const scene = await openScene(lab, { workerHome });
  await declareRunners(scene.worker, runners);
  await importModel(scene.worker, join(FIXTURES, 'tiny-onnx'), 'tiny');
  return { ...scene, laptop: await scene.client('laptop') };
}

async function detach(laptop: Machine, runner: string, ...more: string[]): Promise<string> {
  const args = ['track', '--remote', '--model', 'tiny', '--runner', runner, '--detach', '--json', ...more];
  return (await laptop.succeed(args)).json<{ job: JobJson }>().job.id;
}

async function show(laptop: Machine, id: string): Promise<JobJson> {
  return (await laptop.succeed(['jobs', 'show', id, '--json'])).json<{ job: JobJson }>().job;
}

/** Follows a job to its end. */
async function ended(laptop: Machine, id: string): Promise<{ job: JobJson; lines: string[] }> {
  const { stdout } = await laptop.run(['jobs', 'logs', id, '--follow', '--json']);
  return { job: await show(laptop, id), lines: linesIn(stdout) };
}

function linesIn(stdout: string, stream = 'stdout'): string[] {
  const events = stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as EventJson]));
  return events.flatMap((event) => (event.type === 'log' && event.stream === stream ? [event.text ?? ''] : []));
}

async function untilTrue(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 50));
}

const SILENT = `
import sys, time
time.sleep(16)
open(sys.argv[1], 'w').write('done')`;

const FOLDER = `
import os, sys
os.makedirs(sys.argv[1] + '/deep/er')
for name in ['a', 'deep/b', 'deep/er/c']: open(sys.argv[1] + '/' + name, 'w').write(name)`;

const PRINTS = `
for i in range(100000): print('line', i, 'x' * 60)`;

const EATS = `
import time
x = bytearray(400_000_000)
time.sleep(600)`;

const MANY_EAT = `
import os, time
for _ in range(4):
    if os.fork() == 0: break
x = bytearray(os.urandom(1)) * 60_000_000
time.sleep(600)`;

const SPARSE = `
import sys
with open(sys.argv[1], 'wb') as f: f.truncate(2_000_000_000)
print('written')`;

const SLOWLY = `
import sys, time
with open(sys.argv[1], 'wb') as f:
    while True:
        f.write(b'x' * 1_000_000); f.flush(); time.sleep(0.01)`;

/** Ignores SIGTERM, as all of its children do. One child has left its process group. */
const STUBBORN = `
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
nap = 'import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600) # ' + sys.argv[1]
for before in [[], ['setsid', '--fork']]: subprocess.Popen(before + [sys.executable, '-c', nap])
if os.fork() == 0: time.sleep(600)
print('ready', flush=True)
time.sleep(600)`;

/** Waits until a file is there. */
const WAITS = `
import os, signal, sys, time
signal.signal(signal.SIGPIPE, signal.SIG_IGN)
print('ready', flush=True)
while not os.path.exists(sys.argv[2]): time.sleep(0.05)
open(sys.argv[1], 'w').write('done')`;

const ESCAPES = `
import os, socket, sys
def attempt(name, work):
    try: work(); print(name, 'yes', flush=True)
    except Exception: print(name, 'no', flush=True)
out, home, model = sys.argv[1:4]
open(out, 'w').write('result')
attempt('system', lambda: open('/usr/evil', 'w'))
attempt('home', lambda: open(home + '/evil', 'w'))
attempt('keys', lambda: os.listdir(home + '/keys')[0])
attempt('model', lambda: open(model, 'a'))
attempt('read', lambda: open(model).close())
attempt('network', lambda: socket.create_connection(('127.0.0.1', int(sys.argv[4])), 2))`;

describe('a runner of the worker', () => {
  it('may be silent for longer than any connection, while another is cancelled although it ignores SIGTERM and hides children', async () => {
    const { laptop } = await openPlace([
      pythonRunner('silent', SILENT, ['{output}']),
      pythonRunner('stubborn', STUBBORN, ['{output}']),
    ]);
    const silent = laptop.start([
      ...['track', '--remote', '--model', 'tiny', '--runner', 'silent', '--output', 'out', '--json'],
    ]);
    const id = await detach(laptop, 'stubborn');
    await laptop.start(['jobs', 'logs', id, '--follow']).waitForStdout('ready');
    expect((await processesWith(id)).length).toBeGreaterThanOrEqual(4);
    await laptop.succeed(['jobs', 'cancel', id]);
    expect((await ended(laptop, id)).job).toMatchObject({ state: 'cancelled', exit: { signal: 'SIGKILL' } });
    expect(await processesWith(id)).toEqual([]);
    expect((await silent.exited).exitCode).toBe(0);
    expect(await readFile(join(laptop.folder, 'out'), 'utf8')).toBe('done');
  });

  it('writes a folder, and prints 100,000 lines', async () => {
    const { laptop } = await openPlace([
      pythonRunner('folder', FOLDER, ['{output}']),
      pythonRunner('prints', PRINTS, []),
    ]);
    const output = join(laptop.folder, 'folder');
    await laptop.succeed(['track', '--remote', '--model', 'tiny', '--runner', 'folder', '--output', output]);
    expect((await readdir(output, { recursive: true })).sort()).toEqual([
      'a',
      'deep',
      'deep/b',
      'deep/er',
      'deep/er/c',
    ]);
    const printed = await laptop.succeed(['track', '--remote', '--model', 'tiny', '--runner', 'prints', '--json']);
    const lines = linesIn(printed.stdout);
    expect(lines.length).toBe(100_000);
    expect(lines.every((line, index) => line.startsWith(`line ${index} x`))).toBe(true);
  });

  it('that passes its limits is ended, which says why, with nothing of it left', async () => {
    const { laptop } = await openPlace([
      pythonRunner('eats', EATS, [], { limits: { memory: '200MB' } }),
      pythonRunner('many', MANY_EAT, [], { limits: { memory: '200MB' } }),
      pythonRunner('sparse', SPARSE, ['{output}'], { limits: { output: '1GB' } }),
      pythonRunner('slowly', SLOWLY, ['{output}'], { limits: { output: '50MB', time: 600 } }),
      pythonRunner('long', WAITS, ['{output}', '/nowhere'], { limits: { time: '1s' } }),
    ]);
    const ids = [];
    for (const runner of ['eats', 'many', 'sparse', 'slowly', 'long']) ids.push(await detach(laptop, runner));
    const [eats, many, sparse, slowly, long] = await Promise.all(ids.map((id) => ended(laptop, id)));
    for (const end of [eats, many, sparse, slowly, long]) expect(end?.job.state).toBe('failed');
    expect(many?.job.error?.message).toMatch(/used .* MB of memory, and its runner allows 200 MB/);
    expect(sparse?.lines).toEqual([]);
    expect(slowly?.job.error?.message ?? '').toMatch(/allows|exit code 1/);
    expect(long?.job.error?.message).toContain('longer than the 1 s that its runner allows');
    for (const id of ids) expect(await processesWith(id)).toEqual([]);
  });

  it('runs once at a time unless it says more, and the next one waits with its place', async () => {
    const { laptop } = await openPlace([pythonRunner('waits', WAITS, ['{output}', '{set.go}'], GO)]);
    const go = join(laptop.folder, 'go');
    const first = await detach(laptop, 'waits', '--set', `go=${go}`);
    const second = await detach(laptop, 'waits', '--set', `go=${go}`, '--again');
    await laptop.start(['jobs', 'logs', first, '--follow']).waitForStdout('ready');
    expect(await show(laptop, second)).toMatchObject({ state: 'queued', position: 1 });
    await writeFile(go, '');
    const ends = await Promise.all([first, second].map((id) => ended(laptop, id)));
    expect(ends.map(({ job }) => job.state)).toEqual(['completed', 'completed']);
  });
});

const GO = { set: { go: { type: 'string', pattern: '/.*' } } };

describe('a worker that is killed', () => {
  it('starts again with its running job lost and ended, its log kept, and the queued one run', async () => {
    const { laptop, worker, workerProcess, signalingUrl } = await openPlace([
      pythonRunner('waits', WAITS, ['{output}', '{set.go}'], GO),
    ]);
    const go = join(laptop.folder, 'go');
    const running = await detach(laptop, 'waits', '--set', `go=${go}`);
    const queued = await detach(laptop, 'waits', '--set', `go=${go}`, '--again');
    await laptop.start(['jobs', 'logs', running, '--follow']).waitForStdout('ready');
    await workerProcess.kill('SIGKILL');
    expect(await processesWith(running)).not.toEqual([]);
    await startWorker(worker, signalingUrl);
    const lost = await ended(laptop, running);
    expect([lost.job.state, lost.lines]).toEqual(['lost', ['ready']]);
    expect(lost.job.error?.message).toContain('Run it again');
    expect(await processesWith(running)).toEqual([]);
    await writeFile(go, '');
    expect((await ended(laptop, queued)).job.state).toBe('completed');
    await laptop.succeed(['jobs', 'fetch', queued, '--output', 'fetched']);
    expect(await readFile(join(laptop.folder, 'fetched'), 'utf8')).toBe('done');
  });

  it('while it hashes results has them after its next start', async () => {
    const { laptop, worker, workerProcess, signalingUrl } = await openPlace([
      pythonRunner('sparse', SPARSE.replace('2_000_000_000', '800_000_000'), ['{output}']),
    ]);
    const id = await detach(laptop, 'sparse');
    const record = join(worker.home, 'jobs', id, 'job.json');
    await untilTrue(async () => existsSync(record) && (await readFile(record, 'utf8')).includes('"state":"finishing"'));
    await workerProcess.kill('SIGKILL');
    await startWorker(worker, signalingUrl);
    expect((await ended(laptop, id)).job).toMatchObject({ state: 'completed', exit: { code: 0 } });
  });
});

describeWith([program('bwrap', 'bubblewrap')], 'a confined runner', () => {
  it('reads its model, and writes its results and nothing else', async () => {
    const scene = await openScene(lab);
    const { worker } = scene;
    const port = new URL(scene.signalingUrl).port;
    const args = ['{output}', worker.home, '{checkpoint}', port];
    await declareRunners(worker, [pythonRunner('escapes', ESCAPES, args, { confine: true })]);
    await importModel(worker, join(FIXTURES, 'tiny-onnx'), 'tiny');
    const laptop = await scene.client('laptop');
    const result = await laptop.succeed([
      ...['track', '--remote', '--model', 'tiny', '--runner', 'escapes', '--output', 'out', '--json'],
    ]);
    expect(linesIn(result.stdout)).toEqual(['system no', 'home no', 'keys no', 'model no', 'read yes', 'network no']);
    expect(await readFile(join(laptop.folder, 'out'), 'utf8')).toBe('result');
    expect([existsSync('/usr/evil'), existsSync(join(worker.home, 'evil'))]).toEqual([false, false]);
  });
});
