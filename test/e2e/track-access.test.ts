import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { errorOf, FIXTURES, importModel } from '../support/scene.ts';
import { useLab } from '../support/suites.ts';
import { failure, isAlive, type TrackJson, track, trackPlace, until } from '../support/track-scene.ts';

const { scene, laptop, sessionWith } = trackPlace(useLab('after all'));

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
