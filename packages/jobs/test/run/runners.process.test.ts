import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parseRunner } from '@model-rtc/jobs';
import { rejection } from '../../../../test/support/rejection.ts';
import { eventsOf, linesOf, openTestJobs } from '../support/open-test-jobs.ts';
import { processesWith } from '../support/processes-with.ts';
import { digestOf, OWNER } from '../support/test-ports.ts';

const WRITER = `import os, sys
out = sys.argv[1]
os.mkdir(out)
open(out + '/a.txt', 'w').write('predictions')
print('hello'); print('trouble', file=sys.stderr)
print(os.getcwd())`;

describe('a job', () => {
  it('goes through its states, gives its lines with their stream, and keeps what its program wrote', async () => {
    const test = await openTestJobs();
    await test.declare('writer', WRITER);
    const job = await test.run();
    expect(job).toMatchObject({ state: 'completed', exit: { code: 0 }, results: { fileCount: 1, bytes: 11 } });
    const events = await eventsOf(test.jobs, job.id);
    expect(events.map(({ number }) => number)).toEqual(events.map((_, index) => index + 1));
    expect(events.flatMap((event) => (event.type === 'state' ? [event.state] : []))).toEqual([
      ...['queued', 'preparing', 'running', 'finishing', 'completed'],
    ]);
    expect(job.lastEvent).toBe(events.length);
    expect((await eventsOf(test.jobs, job.id, 4)).map(({ number }) => number)[0]).toBe(4);
    const folder = join(test.root, 'jobs', job.id);
    expect(await linesOf(test.jobs, job.id)).toEqual(['hello', join(folder, 'work')]);
    expect(await linesOf(test.jobs, job.id, 'stderr')).toEqual(['trouble']);
    const notes = await test.jobs.resultsFolder(OWNER, job.id);
    expect(JSON.parse(await readFile(join(notes, 'files.json'), 'utf8'))).toEqual(['result/a.txt']);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    // What it worked with is gone, and so are its processes.
    expect((await readdir(folder)).sort()).toEqual(['job.json', 'log.jsonl', 'output', 'results']);
    expect(await processesWith(job.id)).toEqual([]);
  });

  it('gets its data under their names, each in a folder of its own, which it cannot write to', async () => {
    const test = await openTestJobs();
    await test.store.put(
      parseRunner({
        name: 'reader',
        args: [
          'python3',
          '-c',
          'import sys\nfor p in sys.argv[1:]: print(open(p).read(), p.split("/")[-2:])',
          '{inputs}',
        ],
      }),
    );
    const data = ["a'; rm -rf $HOME #.mp4", '-rf', '{model}'].map((name) => ({
      ...{ digest: digestOf(name), name, form: 'file' as const },
    }));
    const job = await test.run({ data });
    expect(await linesOf(test.jobs, job.id)).toEqual([
      `a'; rm -rf $HOME #.mp4 ['1', "a'; rm -rf $HOME #.mp4"]`,
      "-rf ['2', '-rf']",
      "{model} ['3', '{model}']",
    ]);
  });

  it('whose program ends at once has all that it printed', async () => {
    const test = await openTestJobs();
    await test.store.put(parseRunner({ name: 'echo', args: ['/bin/echo', '{model}'], concurrency: 8 }));
    const words = Array.from({ length: 20 }, (_, index) => `aaaaaaa${(index + 10).toString(36)}`);
    const jobs = await Promise.all(words.map((again) => test.run({ again })));
    for (const { id } of jobs) expect(await linesOf(test.jobs, id)).toEqual([test.model.folder]);
  });

  it('that fails says how, and keeps what it wrote', async () => {
    const test = await openTestJobs();
    await test.declare('fails', `import sys\nopen(sys.argv[1], 'w').write('half')\nsys.exit('no such thing')`);
    const job = await test.run();
    expect(job).toMatchObject({ state: 'failed', exit: { code: 1 }, results: { fileCount: 1 } });
    expect(job.error?.message).toBe('The runner fails ended with exit code 1. Its log says why.');
    expect(await linesOf(test.jobs, job.id, 'stderr')).toEqual(['no such thing']);
  });

  it('is found by the same request, and run again when it failed, or when that is asked for', async () => {
    const test = await openTestJobs();
    await test.declare('writer', WRITER);
    await test.declare('fails', 'raise SystemExit(3)');
    const [first, same, again, againSame, other] = [
      ...[await test.run({ runner: 'writer' }), await test.run({ runner: 'writer' })],
      ...[
        await test.run({ runner: 'writer', again: 'aaaaaaaa' }),
        await test.run({ runner: 'writer', again: 'aaaaaaaa' }),
      ],
      await test.run({ runner: 'writer', data: [{ digest: digestOf('x'), name: 'x.mp4', form: 'file' }] }),
    ];
    expect(same?.id).toBe(first?.id);
    expect(again?.id).not.toBe(first?.id);
    expect(againSame?.id).toBe(again?.id);
    expect(new Set([first?.id, again?.id, other?.id]).size).toBe(3);
    expect((await test.run({ runner: 'fails' })).id).not.toBe((await test.run({ runner: 'fails' })).id);
  });

  it('hands over settings as they are, each in its own argument', async () => {
    const test = await openTestJobs();
    const args = [
      'python3',
      '-c',
      'import sys, json; print(json.dumps(sys.argv[1:]))',
      '--x={set.x}',
      '{set.n}',
      '{model}',
    ];
    const set = { x: { type: 'string', pattern: '[\\s\\S]*' }, n: { type: 'integer', default: 7 } };
    await test.store.put(parseRunner({ name: 'shows', args, set }));
    for (const x of ['; rm -rf /', '{model}', '$(id)`id`', 'a\nb', '../../etc', '--output=/etc/passwd', '\'"\\', ' ']) {
      const job = await test.run({ settings: { x } });
      expect(JSON.parse((await linesOf(test.jobs, job.id))[0] as string)).toEqual([`--x=${x}`, '7', test.model.folder]);
    }
    expect((await rejection(test.jobs.submit(test.request({ settings: { x: 'a\0b' } })))).code).toBe('bad_argument');
  });

  it('has a few variables of the worker and those of its runner, and no secret', async () => {
    const env = {
      ...process.env,
      MODEL_RTC_SESSION: 'mrtc1_secret',
      AWS_SECRET_ACCESS_KEY: 'secret',
      LC_ALL: 'C.UTF-8',
    };
    const test = await openTestJobs({ env });
    const source = 'import os, json; print(json.dumps(dict(os.environ)))';
    await test.declare('shows', source, { env: { OWN: 'x', TMPDIR: '/elsewhere' } });
    const job = await test.run();
    const seen = JSON.parse((await linesOf(test.jobs, job.id))[0] as string);
    expect(seen).toMatchObject({ OWN: 'x', TMPDIR: '/elsewhere', LC_ALL: 'C.UTF-8', MODEL_RTC_JOB_ID: job.id });
    expect(JSON.stringify(seen)).not.toContain('secret');
  });
});

describe('what a program prints', () => {
  it('is all there, in order, when it prints 100,000 lines, and takes little memory', async () => {
    const test = await openTestJobs();
    await test.declare('prints', `for i in range(100000): print('line', i, 'x' * 50)`);
    const { id } = await test.run();
    let [count, batches, wrong] = [0, 0, 0];
    for await (const events of test.jobs.events(OWNER, id)) {
      batches++;
      for (const event of events) if (event.type === 'log' && !event.text.startsWith(`line ${count++} `)) wrong++;
    }
    expect([count, wrong]).toEqual([100_000, 0]);
    expect(batches).toBeGreaterThan(100);
  });

  it('is cut at the limit of the log, but for its last lines', async () => {
    const test = await openTestJobs({ limits: { maxLogBytes: 50_000 } });
    await test.declare('prints', `for i in range(20000): print('line', i)\nraise SystemExit('the reason')`);
    const { id } = await test.run();
    const lines = await linesOf(test.jobs, id);
    expect(lines.length).toBeLessThan(2_000);
    expect([lines[0], lines.at(-1)]).toEqual(['line 0', 'line 19999']);
    expect(await linesOf(test.jobs, id, 'stderr')).toEqual(['the reason']);
    expect(await linesOf(test.jobs, id, 'worker')).toEqual([
      expect.stringContaining('The log is full'),
      expect.stringMatching(/^The log is full: \d+ lines are left out here/),
    ]);
  });

  it('is data: broken UTF-8, escapes, lines without end and progress bars', async () => {
    const test = await openTestJobs();
    const source = `import sys
w = sys.stdout.buffer.write
w(b'\\xff\\xfe\\n\\x1b[31mred\\r\\n'); w(b'y' * 10000 + b'\\n')
for i in range(1000): w(b'%d/1000\\r' % (i + 1))
w(b'\\nlast')`;
    await test.declare('odd', source, { progress: '(\\d+)/(\\d+)' });
    const job = await test.run();
    const lines = await linesOf(test.jobs, job.id);
    expect(lines.slice(0, 5)).toEqual([
      '\ufffd\ufffd',
      '\u001b[31mred',
      'y'.repeat(4096),
      'y'.repeat(4096),
      'y'.repeat(1808),
    ]);
    expect(lines.length).toBeLessThan(20);
    expect(lines.at(-1)).toBe('last');
    expect(job.progress).toEqual({ fraction: 1, text: '1000/1000' });
  });
});

describe('nothing of a job is left', () => {
  /** Ignores SIGTERM, and so do a child, a grandchild that left the group, and one that left it with no environment. */
  const STUBBORN = `import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
nap = 'import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600) # ' + sys.argv[1]
subprocess.Popen([sys.executable, '-c', nap])
subprocess.Popen(['setsid', sys.executable, '-c', nap])
subprocess.Popen(['setsid', '--fork', sys.executable, '-c', nap])
subprocess.Popen(['env', '-i', 'setsid', sys.executable, '-c', nap])
time.sleep(1.2)
print('ready')`;

  it('when it is cancelled, although it ignores SIGTERM and hides its children', async () => {
    const test = await openTestJobs();
    await test.declare('stubborn', `${STUBBORN}\ntime.sleep(600)`);
    const { job } = await test.jobs.submit(test.request());
    for await (const events of test.jobs.events(OWNER, job.id)) if (JSON.stringify(events).includes('ready')) break;
    expect((await processesWith(job.id)).length).toBeGreaterThanOrEqual(5);
    await test.jobs.cancel(OWNER, job.id);
    const ended = await test.ended(job.id);
    expect(ended).toMatchObject({ state: 'cancelled', exit: { signal: 'SIGKILL' }, error: { code: 'cancelled' } });
    expect(await processesWith(job.id)).toEqual([]);
  });

  it('when it ends by itself and leaves children that hold its output', async () => {
    const test = await openTestJobs();
    await test.declare('leaves', STUBBORN);
    const ended = await test.run();
    expect(ended.state).toBe('completed');
    expect(await processesWith(ended.id)).toEqual([]);
  });

  it('when it ends at SIGTERM, which gives it time to write', async () => {
    const test = await openTestJobs({ limits: { killAfterMs: 60_000 } });
    const source = `import signal, sys, time
def end(*_): print('saved'); sys.exit(0)
signal.signal(signal.SIGTERM, end)
print('ready'); time.sleep(600)`;
    await test.declare('polite', source);
    const { job } = await test.jobs.submit(test.request());
    for await (const events of test.jobs.events(OWNER, job.id)) if (JSON.stringify(events).includes('ready')) break;
    await test.jobs.cancel(OWNER, job.id);
    expect(await test.ended(job.id)).toMatchObject({ state: 'cancelled', exit: { code: 0 } });
    expect(await linesOf(test.jobs, job.id)).toEqual(['ready', 'saved']);
  });

  it('when it multiplies: a fork bomb is stopped', async () => {
    const test = await openTestJobs();
    const source = `import os, time
for _ in range(1100):
  if os.fork() == 0: time.sleep(600)
time.sleep(600)`;
    await test.declare('bomb', source);
    const ended = await test.run();
    expect(ended).toMatchObject({ state: 'failed', error: { details: { limit: 'processes' } } });
    expect(await processesWith(ended.id)).toEqual([]);
  });
});
