import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { Machine } from '../support/machine.ts';
import { declareRunners, pythonRunner } from '../support/runners.ts';
import { errorOf, FIXTURES, importModel, openScene, type Scene } from '../support/scene.ts';
import { useLab } from '../support/suites.ts';

const lab = useLab('after all');
let opened: Promise<Scene> | undefined;

/** Writes what it was given, as JSON, and the text of a setting as it came. */
const ECHO = `
import json, os, sys
at = sys.argv.index('--')
json.dump(dict(args=sys.argv[1:at], text=sys.argv[at + 1:]), open(sys.argv[1] + '.json', 'w'))
print('echoed')
`;

/** Prints so many lines, ten a second, and then writes its process id. */
const COUNT = `
import os, sys, time
open(sys.argv[1] + '.pid', 'w').write(str(os.getpid()))
for i in range(int(sys.argv[2])):
    print('line %d of %s' % (i + 1, sys.argv[2]), flush=True)
    time.sleep(0.1)
`;

const FAIL = `
import sys
print('reading the video', flush=True)
print('this is no video', file=sys.stderr)
sys.exit(3)
`;

const RUNNERS = [
  pythonRunner('echo', ECHO, ['{output}', '{models}', '{inputs}', '--', ...['{set.text}']], {
    set: { text: { type: 'string', default: 'nothing', pattern: '(?s).*' } },
  }),
  pythonRunner('strict', ECHO, ['{output}', '{models}', '{inputs}', '--', '{set.n}', '{set.word}'], {
    set: { n: { type: 'integer', min: 1, max: 9, default: 5 }, word: { type: 'string', default: 'plain' } },
  }),
  pythonRunner('count', COUNT, ['{output}', '{set.lines}'], {
    set: { lines: { type: 'integer', min: 1, max: 100_000, default: 5 } },
    progress: 'line (\\d+) of (\\d+)',
    concurrency: 4,
  }),
  pythonRunner('fail', FAIL, []),
];

interface JobJson {
  readonly id: string;
  readonly state: string;
  readonly exit?: { readonly code?: number; readonly signal?: string };
  readonly models: readonly { readonly alias?: string; readonly digest: string }[];
}
interface TrackJson {
  readonly job: JobJson;
  readonly results?: { readonly path: string; readonly outcome: string };
}
type EventJson = { readonly event: string; readonly type?: string; readonly number?: number; readonly text?: string };

const scene = (): Promise<Scene> => {
  opened ??= openWithRunners();
  return opened;
};

async function openWithRunners(): Promise<Scene> {
  const opening = await openScene(lab);
  await declareRunners(opening.worker, RUNNERS);
  await importModel(opening.worker, join(FIXTURES, 'tiny-onnx'), 'tiny');
  return opening;
}

/** A client with a model of its own and a file of data. */
async function laptop(name: string): Promise<Machine & { readonly clip: string }> {
  const client = await (await scene()).client(name);
  const clip = join(client.folder, 'clip.mp4');
  await writeFile(clip, `data of ${name}`);
  return { ...client, clip };
}

async function track(client: Machine, ...args: string[]): Promise<TrackJson> {
  return (await client.succeed(['track', ...args, '--json'])).json<TrackJson>();
}

async function failure(client: Machine, args: string[], env: Record<string, string> = {}) {
  const result = await client.run([...args, '--json'], { env });
  return { exitCode: result.exitCode, ...errorOf(result) };
}

async function jobsOf(client: Machine, ...args: string[]): Promise<JobJson[]> {
  return (await client.succeed(['jobs', 'list', '--json', ...args])).json<{ jobs: JobJson[] }>().jobs;
}

async function sessionWith(scope: string, name: string): Promise<string> {
  const { worker } = await scene();
  const created = await worker.succeed(['worker', 'sessions', 'create', '--scope', scope, '--name', name, '--json']);
  return created.json<{ token: string }>().token;
}

async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 100));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('track', () => {
  it('sends the model and the data, runs it, and puts the results beside the data; once', async () => {
    const client = await laptop('first');
    const model = await importModel(client, join(FIXTURES, 'tiny-llama'), 'mine');
    const command = ['track', '--model', 'mine', '--data', client.clip, '--runner', 'echo'];
    const done = await client.succeed(command);
    expect(done.stderr).toContain(`Resolved model: mine (${model.id})\n`);
    const path = `${client.clip}.mine.predictions.json`;
    expect(done.stdout).toContain(path);
    const { args } = JSON.parse(await readFile(path, 'utf8')) as { args: string[] };
    expect(args.at(-1)?.endsWith('/clip.mp4')).toBe(true);
    expect(args[1]).toContain(model.id);
    const { results } = (await client.succeed([...command, '--json'])).json<TrackJson>();
    expect(results).toMatchObject({ path, outcome: 'same' });
    expect((await jobsOf(client)).filter(({ models }) => models[0]?.digest === model.digest)).toHaveLength(1);
    const again = await track(client, ...command.slice(1), '--again', '--force');
    expect(again.results?.outcome).toBe('fetched');
    expect((await jobsOf(client)).filter(({ models }) => models[0]?.digest === model.digest)).toHaveLength(2);
  }, 120_000);

  it('keeps the order of several models and data, and takes what the worker alone knows', async () => {
    const client = await laptop('several');
    const folder = join(client.folder, 'day 1');
    await mkdir(folder);
    await writeFile(join(folder, 'a.mp4'), 'a');
    await importModel(client, join(FIXTURES, 'tiny-gguf'), 'second');
    const models = ['--model', 'tiny', '--model', 'second'];
    const output = join(client.folder, 'out.json');
    const data = ['--data', folder, '--data', client.clip, '--output', output, '--runner', 'echo'];
    const { job } = await track(client, ...models, ...data);
    expect(job.models.map(({ alias }) => alias)).toEqual(['tiny', 'second']);
    const { args } = JSON.parse(await readFile(output, 'utf8')) as { args: string[] };
    expect(args.slice(1).map((path) => path.split('/').at(-1))).toEqual([
      ...[expect.stringContaining('mlp_'), expect.any(String)],
      ...['day 1', 'clip.mp4'],
    ]);
  }, 120_000);

  it('never replaces what is there, unless it may', async () => {
    const client = await laptop('there');
    const output = join(client.folder, 'out.json');
    await writeFile(output, 'mine');
    const command = ['track', '--model', 'tiny', '--data', client.clip, '--runner', 'echo', '--output', output];
    expect(await failure(client, command)).toMatchObject({ exitCode: 8, code: 'refused' });
    expect(await readFile(output, 'utf8')).toBe('mine');
    await client.succeed([...command, '--force']);
    expect(await readFile(output, 'utf8')).not.toBe('mine');
  }, 120_000);

  it("exits 1 when the job fails, shows its last lines, and tells programs the runner's own code", async () => {
    const client = await laptop('fails');
    const command = ['track', '--model', 'tiny', '--data', client.clip, '--runner', 'fail'];
    const quiet = await client.run([...command, '--quiet']);
    expect(quiet.exitCode).toBe(1);
    expect(quiet.stderr).toContain('reading the video\nthis is no video\nmodel-rtc: Job ');
    const told = await client.run([...command, '--json']);
    expect(told.exitCode).toBe(1);
    expect(told.json<TrackJson>().job).toMatchObject({ state: 'failed', exit: { code: 3 } });
    const lines = told.jsonLines<EventJson>().filter(({ type }) => type === 'log');
    expect(lines.map(({ text }) => text)).toEqual(['reading the video', 'this is no video']);
    expect(errorOf(told)).toMatchObject({ code: 'unexpected' });
  }, 120_000);

  it.each<[string, string[], number, string]>([
    ['no such model', ['--model', 'nobodys', '--runner', 'echo'], 3, 'not_found'],
    ['no such model of the worker', ['--model', 'unsent-1', '--remote', '--runner', 'echo'], 3, 'not_found'],
    ['a model that may not be sent', ['--model', 'unsent-2', '--no-push', '--runner', 'echo'], 8, 'refused'],
    ['no such runner', ['--model', 'tiny', '--runner', 'nobodys'], 3, 'not_found'],
    ['a setting that nobody declared', ['--model', 'tiny', '--runner', 'echo', '--set', 'x=1'], 2, 'bad_argument'],
    ['no model', [], 2, 'bad_argument'],
    ['a training that is none', ['--resume', 'tiny'], 2, 'bad_argument'],
  ])(
    'tells apart what is wrong: %s',
    async (name, args, exitCode, code) => {
      const client = await laptop(`wrong-${name.replaceAll(' ', '-')}`);
      const [, alias = ''] = args;
      if (alias.startsWith('unsent')) {
        const path = join(client.folder, 'weights.bin');
        await writeFile(path, `a model of ${name}`);
        await client.succeed(['client', 'import-model', path, '--as-is', '--alias', alias, '--yes']);
      }
      expect(await failure(client, ['track', ...args, '--data', client.clip])).toMatchObject({ exitCode, code });
    },
    120_000,
  );

  it('exits 5 when the worker is not there', async () => {
    const { url } = { url: 'ws://127.0.0.1:9' };
    const client = await laptop('nobody-there');
    const other = await lab.machine('never-started');
    const created = ['worker', 'sessions', 'create', '--scope', 'track', '--signaling', url, '--json'];
    const { token } = (await other.succeed(created)).json<{ token: string }>();
    const command = ['track', '--model', 'tiny', '--data', client.clip, '--worker', token];
    expect(await failure(client, command)).toMatchObject({ exitCode: 5 });
  }, 120_000);
});

describe('a job', () => {
  const counting = (client: Machine & { clip: string }, lines: number) => [
    ...['track', '--model', 'tiny', '--data', client.clip, '--runner', 'count', '--set', `lines=${lines}`],
  ];

  it('goes on when its client is killed, and is found again by the same command, every line once', async () => {
    const client = await laptop('killed');
    const command = counting(client, 60);
    const first = client.start([...command, '--json']);
    await first.waitForStdout(/line 5 of 60/);
    await first.kill('SIGKILL');
    const again = await client.succeed([...command, '--json']);
    const [submitted] = again
      .jsonLines<EventJson & { outcome?: string }>()
      .filter(({ event }) => event === 'submitted');
    expect(submitted?.outcome).toBe('found');
    const lines = again.jsonLines<EventJson>().filter(({ type }) => type === 'log');
    expect(lines.map(({ text }) => text)).toEqual(Array.from({ length: 60 }, (_, i) => `line ${i + 1} of 60`));
    expect(again.json<TrackJson>().job.state).toBe('completed');
  }, 120_000);

  it('goes on when it is left, ends with all of its processes when it is cancelled, and says which by exit code 130', async () => {
    const client = await laptop('interrupted');
    const left = client.start(counting(client, 2000));
    await left.waitForStderr(/line 2 of 2000/);
    const detached = await left.kill('SIGINT');
    expect(detached).toMatchObject({ exitCode: 130, stderr: expect.stringContaining('model-rtc: Detached: job ') });
    const [job] = await jobsOf(client, '--open');
    expect(job?.state).toBe('running');
    const { worker } = await scene();
    const pid = Number(await readFile(join(worker.home, 'jobs', job?.id ?? '', 'output', 'result.pid'), 'utf8'));
    expect(isAlive(pid)).toBe(true);
    const followed = client.start([...counting(client, 2000), '--on-interrupt', 'cancel']);
    await followed.waitForStderr(/line 3 of 2000/);
    const cancelled = await followed.kill('SIGINT');
    expect(cancelled).toMatchObject({
      exitCode: 130,
      stderr: expect.stringContaining(`model-rtc: Cancelled job ${job?.id}`),
    });
    expect(isAlive(pid)).toBe(false);
    expect(await jobsOf(client, '--open')).toEqual([]);
  }, 120_000);

  it('can be left from the start, followed, shown, cancelled and fetched by others who hold the session', async () => {
    const client = await laptop('detached');
    const other = await laptop('colleague');
    const { job } = await track(client, ...counting(client, 20).slice(1), '--detach');
    expect(await failure(other, ['jobs', 'fetch', job.id])).toMatchObject({ exitCode: 9, code: 'busy' });
    const logs = await other.succeed(['jobs', 'logs', job.id.slice(0, 6), '--follow']);
    expect(logs.stdout.trim().split('\n')).toHaveLength(20);
    const shown = (await other.succeed(['jobs', 'show', job.id, '--json'])).json<{ job: JobJson }>();
    expect(shown.job.state).toBe('completed');
    const fetched = (await other.succeed(['jobs', 'fetch', job.id, '--json'])).json<TrackJson>();
    expect(fetched.results?.path).toBe(join(other.folder, 'clip.mp4.tiny.predictions.pid'));
    const long = await track(client, ...counting(client, 5000).slice(1), '--detach');
    const cancelled = (await other.succeed(['jobs', 'cancel', long.job.id, '--json'])).json<{ job: JobJson }>();
    expect(cancelled.job.state).toBe('cancelled');
  }, 120_000);
});

describe('a session', () => {
  it('sees its own jobs alone', async () => {
    const client = await laptop('mine');
    const { job } = await track(client, '--model', 'tiny', '--data', client.clip, '--runner', 'echo');
    const token = await sessionWith('read,write,track', 'someone-else');
    const env = { MODEL_RTC_SESSION: token };
    for (const args of [['show'], ['logs'], ['cancel'], ['fetch']]) {
      expect(await failure(client, ['jobs', ...args, job.id], env)).toMatchObject({ exitCode: 3, code: 'not_found' });
    }
    const listed = await client.succeed(['jobs', 'list', '--json'], { env });
    expect(listed.json()).toMatchObject({ jobs: [], total: 0 });
    // The same request is another job of another session.
    const command = ['--model', 'tiny', '--data', client.clip, '--runner', 'echo', '--output', 'other.json'];
    const other = (await client.succeed(['track', ...command, '--json'], { env })).json<TrackJson>();
    expect(other.job.id).not.toBe(job.id);
  }, 120_000);

  it('needs the scope track to run, and write to send models; track alone can neither list nor fetch them', async () => {
    const client = await laptop('scopes');
    await importModel(client, join(FIXTURES, 'good-mouse-v1'), 'unsent');
    const run = (model: string) => ['track', '--model', model, '--data', client.clip, '--runner', 'echo'];
    const read = { MODEL_RTC_SESSION: await sessionWith('read', 'readers') };
    const refused = { exitCode: 8, code: 'scope_missing' };
    for (const args of [run('tiny'), ['jobs', 'list']]) {
      expect(await failure(client, args, read)).toMatchObject({
        ...refused,
        message: expect.stringContaining('"track"'),
      });
    }
    const only = { MODEL_RTC_SESSION: await sessionWith('track', 'trackers') };
    const done = (await client.succeed([...run('tiny'), '--remote', '--json'], { env: only })).json<TrackJson>();
    expect(existsSync(done.results?.path ?? '')).toBe(true);
    for (const args of [run('unsent'), ['worker', 'list-models'], ['client', 'pull-model', 'tiny']]) {
      expect(await failure(client, args, only)).toMatchObject(refused);
    }
  }, 120_000);

  it('that is revoked ends its commands and its jobs', async () => {
    const client = await laptop('revoked');
    const env = { MODEL_RTC_SESSION: await sessionWith('track', 'leavers') };
    const command = ['--model', 'tiny', '--data', client.clip, '--runner', 'count', '--set', 'lines=5000'];
    const following = client.start(['track', ...command, '--json'], { env });
    const { groups: _, 0: line = '' } = (await following.waitForStdout(/"type":"log".*line 2 of/)) as RegExpMatchArray;
    expect(line).not.toBe('');
    const [id = ''] = /(?<="job":")[a-z0-9]+/.exec(following.stdout) ?? [];
    const { worker } = await scene();
    const pid = Number(await readFile(join(worker.home, 'jobs', id, 'output', 'result.pid'), 'utf8'));
    await worker.succeed(['worker', 'sessions', 'revoke', 'leavers']);
    const ended = await following.exited;
    expect(ended.exitCode).toBe(8);
    expect(errorOf(ended)).toMatchObject({ code: 'token_revoked' });
    await until(() => !isAlive(pid));
    expect(await failure(client, ['jobs', 'show', id], env)).toMatchObject({ exitCode: 8, code: 'token_revoked' });
  }, 120_000);
});

describe('a hostile client', () => {
  const hostile = [
    'x; rm -rf /',
    '$(touch /tmp/owned)',
    '`id`',
    '{model}',
    '{set.text}',
    '../../etc/passwd',
    '-c',
    '%n',
    '',
  ];

  it.each(hostile)(
    'gets no further with a text than the argument that it is: %j',
    async (text) => {
      const client = await laptop('texts');
      const output = join(client.folder, 'out.json');
      const command = ['--model', 'tiny', '--data', client.clip, '--runner', 'echo', '--output', output];
      const result = await client.run(['track', ...command, '--set', `text=${text}`, '--force', '--json']);
      // The owner's pattern allows everything; what begins like an option is refused all the same.
      if (text.startsWith('-')) {
        expect({ ...errorOf(result), exitCode: result.exitCode }).toMatchObject({ exitCode: 2, code: 'bad_argument' });
        return;
      }
      expect(result.exitCode).toBe(0);
      expect(JSON.parse(await readFile(output, 'utf8'))).toMatchObject({ text: [text] });
    },
    120_000,
  );

  it.each([
    ['word', '../x'],
    ['word', '/etc/passwd'],
    ['word', '~root'],
    ['word', '-rf'],
    ['word', 'two\nlines'],
    ['word', 'bell\u0007'],
    ['n', '0'],
    ['n', '10'],
    ['n', '5; rm -rf /'],
    ['n', '1e999'],
    ['n', ''],
    ['n', '0x5'],
  ])(
    'is refused a setting that its declaration does not allow: %s=%j',
    async (key, value) => {
      const client = await laptop('settings');
      const command = [
        'track',
        '--model',
        'tiny',
        '--data',
        client.clip,
        '--runner',
        'strict',
        '--set',
        `${key}=${value}`,
      ];
      const refused = await failure(client, command);
      expect(refused).toMatchObject({ exitCode: 2, code: 'bad_argument' });
      expect(refused.message).toContain(`The setting ${key} of strict cannot be`);
    },
    120_000,
  );

  it('gives its files any name, and a program sees them in the folder of the job alone', async () => {
    const client = await laptop('names');
    const folder = join(client.folder, 'odd');
    await mkdir(folder);
    const names = ['-rf', '; rm -rf *', '$(id)', '{output}', 'caf\u00e9 \u{1f42d}.mp4', "it's"];
    for (const name of names) await writeFile(join(folder, name), name);
    const data = names.flatMap((name) => ['--data', join(folder, name)]);
    const output = join(client.folder, 'out.json');
    await client.succeed(['track', '--model', 'tiny', ...data, '--runner', 'echo', '--output', output]);
    const { args } = JSON.parse(await readFile(output, 'utf8')) as { args: string[] };
    const { worker } = await scene();
    const inputs = args.slice(2);
    expect(inputs.map((path) => path.split('/').at(-1))).toEqual(names);
    for (const path of inputs) expect(path.startsWith(join(worker.home, 'jobs'))).toBe(true);
    expect(await readdir(folder)).toHaveLength(names.length);
  }, 120_000);
});
