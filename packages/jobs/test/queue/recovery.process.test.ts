import { appendFile, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parseRunner, RunnerStore } from '@model-rtc/jobs';
import { PYTHON } from '../../../../test/support/requirements.ts';
import { startChild } from '../../../../test/support/script-child.ts';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { eventsOf, linesOf, openTestJobs } from '../support/open-test-jobs.ts';
import { processesWith } from '../support/processes-with.ts';
import { OWNER } from '../support/test-ports.ts';

/** Says so and waits for a file, with a child that left its group. */
const WAITS = `import os, signal, subprocess, sys, time
out, go = sys.argv[1:]
signal.signal(signal.SIGPIPE, signal.SIG_IGN)
if not os.path.exists(go): subprocess.Popen(['setsid', '--fork', 'sleep', '600'])
print('ready ' + 'now')
while not os.path.exists(go): time.sleep(0.02)
open(out, 'w').write('done')`;

interface Killed {
  readonly root: string;
  /** The job that was in the state, and one that waited behind it. */
  readonly first: string;
  readonly second: string;
  /** Lets the programs end. */
  go(): Promise<void>;
}

/** A data folder whose worker was killed when it had printed a text. */
async function killedAt(text: string, hangsIn = ''): Promise<Killed> {
  const root = await temporaryFolder();
  const go = join(root, 'go');
  const args = [PYTHON, '-c', WAITS, '{output}', go];
  await new RunnerStore(root).put(parseRunner({ name: 'waits', args }));
  if (hangsIn === 'finishing') await writeFile(go, '');
  const child = startChild(new URL('./worker-child.ts', import.meta.url), [root, hangsIn]);
  await child.saw(text);
  await child.saw('jobs ');
  child.process.kill('SIGKILL');
  const { output } = await child.ended;
  const [, first = '', second = ''] = /^jobs (\w+) (\w+)$/m.exec(output) ?? [];
  return { root, first, second, go: () => writeFile(go, '') };
}

describe('when a worker is killed and starts again', () => {
  it('a running job is lost with its log kept and its processes ended, and the next one runs', async () => {
    const { root, first, second, go } = await killedAt('ready now');
    expect((await processesWith(first)).length).toBeGreaterThanOrEqual(2);
    await appendFile(join(root, 'jobs', first, 'log.jsonl'), '{"number": 9, "ty');
    const test = await openTestJobs({ root });
    expect(await test.ended(first)).toMatchObject({
      state: 'lost',
      error: { message: expect.stringContaining('Run it again') },
    });
    expect(await processesWith(first)).toEqual([]);
    const events = await eventsOf(test.jobs, first);
    expect(events.map(({ number }) => number)).toEqual(events.map((_, index) => index + 1));
    expect(events.at(-1)).toMatchObject({ type: 'state', state: 'lost' });
    expect(await linesOf(test.jobs, first)).toEqual(['ready now']);
    await go();
    expect(await test.ended(second)).toMatchObject({ state: 'completed' });
  });

  it('one that was being prepared is prepared again and runs', async () => {
    const { root, first, second, go } = await killedAt('"preparing"', 'preparing');
    await go();
    const test = await openTestJobs({ root });
    const ended = await Promise.all([first, second].map((id) => test.ended(id)));
    expect(ended.map(({ state, results }) => [state, results?.bytes])).toEqual([
      ['completed', 4],
      ['completed', 4],
    ]);
    const states = (await eventsOf(test.jobs, first)).flatMap((event) => (event.type === 'state' ? [event.state] : []));
    expect(states).toEqual(['queued', 'preparing', 'queued', 'preparing', 'running', 'finishing', 'completed']);
  });

  it('one whose program had ended has its results', async () => {
    const { root, first } = await killedAt('"finishing"', 'finishing');
    const test = await openTestJobs({ root });
    expect(await test.ended(first)).toMatchObject({ state: 'completed', exit: { code: 0 }, results: { bytes: 4 } });
  });
});

describe('when jobs are closed and opened again', () => {
  it('those that waited wait on, and what has ended is as it was', async () => {
    const first = await openTestJobs();
    await first.declare('waits', WAITS, { args: [PYTHON, '-c', WAITS, '{output}', join(first.root, 'go')] });
    const submitted = [];
    for (const again of ['aaaaaaaa', 'bbbbbbbb'])
      submitted.push((await first.jobs.submit(first.request({ again }))).job.id);
    await first.until(submitted[0] as string, 'running');
    await first.jobs.close();
    expect(await first.jobs.get(OWNER, submitted[0] as string)).toMatchObject({ state: 'lost' });
    expect(await processesWith(submitted[0] as string)).toEqual([]);
    await writeFile(join(first.root, 'go'), '');
    const again = await openTestJobs({ root: first.root });
    expect(await again.ended(submitted[1] as string)).toMatchObject({ state: 'completed' });
    expect(await again.jobs.get(OWNER, submitted[0] as string)).toMatchObject({ state: 'lost' });
    expect((await eventsOf(again.jobs, submitted[0] as string)).at(-1)).toMatchObject({ state: 'lost' });
  });

  it('one whose record is damaged is left out, and the others are there', async () => {
    const first = await openTestJobs();
    await first.declare('true', 'pass');
    const { id } = await first.run();
    const other = await first.run({ again: 'aaaaaaaa' });
    await first.jobs.close();
    await writeFile(join(first.root, 'jobs', id, 'job.json'), '{"version": 1');
    const again = await openTestJobs({ root: first.root });
    expect((await again.jobs.list(OWNER)).jobs.map((job) => job.id)).toEqual([other.id]);
  });
});

describe('the audit log', () => {
  it('has what was run, refused and cancelled, for whom and with what', async () => {
    const test = await openTestJobs();
    await test.declare('true', 'pass', { set: { n: { type: 'integer' } } });
    const job = await test.run({ settings: { n: 5 } });
    await test.jobs.submit(test.request({ settings: { n: 'x' } })).catch(() => undefined);
    const text = await readFile(join(test.root, 'jobs', 'audit.jsonl'), 'utf8');
    const lines = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ event }) => event)).toEqual(['submitted', 'started', 'ended', 'refused']);
    expect(lines[0]).toMatchObject({ owner: OWNER, job: job.id, runner: 'true', settings: { n: 5 } });
    expect(lines[1].argv.slice(0, 2)).toEqual([PYTHON, '-c']);
    expect(lines[2]).toMatchObject({ state: 'completed', exit: { code: 0 } });
    expect(lines[3]).toMatchObject({ code: 'bad_argument' });
    expect((await readdir(join(test.root, 'jobs'))).sort()).toEqual([job.id, 'audit.jsonl'].sort());
  });
});
