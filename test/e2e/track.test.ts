import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { Machine } from '../support/machine.ts';
import { errorOf, FIXTURES, importModel } from '../support/scene.ts';
import { useLab } from '../support/suites.ts';
import {
  type EventJson,
  failure,
  isAlive,
  type JobJson,
  jobsOf,
  type TrackJson,
  track,
  trackPlace,
} from '../support/track-scene.ts';

const lab = useLab('after all');
const { scene, laptop } = trackPlace(lab);

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
