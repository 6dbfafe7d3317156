import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { afterTest } from '../../../../test/support/after-test.ts';
import { rootUser } from '../../../../test/support/requirements.ts';
import { describeWith } from '../../../../test/support/suites.ts';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { mountTmpfs } from '../../../../test/support/tmpfs.ts';
import { linesOf, openTestJobs } from '../support/open-test-jobs.ts';
import { OWNER } from '../support/test-ports.ts';

describe('a limit', () => {
  it('of time ends a job', async () => {
    const test = await openTestJobs();
    await test.declare('sleeps', 'import time; time.sleep(600)', { limits: { time: 0.5 } });
    expect(await test.run()).toMatchObject({ state: 'failed', error: { code: 'timeout', details: { limit: 'time' } } });
  });

  it('of memory ends one process that wants too much at once', async () => {
    const test = await openTestJobs();
    await test.declare('eats', `x = b'x' * 500_000_000\nprint(len(x))`, { limits: { memory: '200MB' } });
    const ended = await test.run();
    expect(ended.state).toBe('failed');
    expect(await linesOf(test.jobs, ended.id)).toEqual([]);
  });

  it('of memory counts all processes together', async () => {
    const test = await openTestJobs();
    const source = `import os, time
for _ in range(4):
  if os.fork() == 0: break
x = bytearray(os.urandom(1)) * 80_000_000
time.sleep(600)`;
    await test.declare('eats', source, { limits: { memory: '200MB' } });
    expect(await test.run()).toMatchObject({ state: 'failed', error: { details: { limit: 'memory' } } });
  });

  it('of output ends a job that writes many files, and no file grows beyond it, not even with holes', async () => {
    const test = await openTestJobs();
    const limits = { output: '10MB' };
    const many = `import os, sys, time
os.mkdir(sys.argv[1])
for i in range(20): open(sys.argv[1] + '/' + str(i), 'wb').write(b'x' * 1_000_000)
time.sleep(600)`;
    await test.declare('many', many, { limits });
    await test.declare('sparse', `import sys\nopen(sys.argv[1], 'wb').truncate(2_000_000_000)`, { limits });
    expect(await test.run({ runner: 'many' })).toMatchObject({ error: { details: { limit: 'output' } } });
    const sparse = await test.run({ runner: 'sparse' });
    expect(sparse).toMatchObject({ state: 'failed', exit: { code: 1 } });
    expect((await linesOf(test.jobs, sparse.id, 'stderr')).at(-1)).toContain('File too large');
  });

  it('of jobs at once holds for a runner, and those that wait have their places', async () => {
    const test = await openTestJobs();
    await test.declare('waits', `import os, sys, time\nwhile not os.path.exists('${test.root}/go'): time.sleep(0.02)`);
    const words = ['aaaaaaaa', 'bbbbbbbb', 'cccccccc'];
    const submitted = [];
    for (const again of words) submitted.push((await test.jobs.submit(test.request({ again }))).job.id);
    await test.until(submitted[0] as string, 'running');
    const { jobs } = await test.jobs.list(OWNER);
    expect(jobs.map(({ id, state, position }) => [id, state, position])).toEqual([
      [submitted[2], 'queued', 2],
      [submitted[1], 'queued', 1],
      [submitted[0], 'running', undefined],
    ]);
    await test.jobs.cancel(OWNER, submitted[1] as string);
    expect((await test.jobs.get(OWNER, submitted[2] as string)).position).toBe(1);
    await writeFile(join(test.root, 'go'), '');
    const ended = await Promise.all(submitted.map((id) => test.ended(id)));
    expect(ended.map(({ state }) => state)).toEqual(['completed', 'cancelled', 'completed']);
    expect(Date.parse(ended[2]?.startedAt as string)).toBeGreaterThanOrEqual(Date.parse(ended[0]?.endedAt as string));
  });
});

describeWith([rootUser()], 'on a small disk', () => {
  it('a job that fills it is stopped, and the next one runs', async () => {
    const disk = await mountTmpfs(await temporaryFolder(), 150_000_000);
    afterTest(() => disk.unmount());
    const test = await openTestJobs({ root: disk.path });
    await test.declare(
      'fills',
      `import sys\nwith open(sys.argv[1], 'wb') as f:\n  while True: f.write(bytes(100_000))`,
    );
    await test.declare('small', 'print("ran")');
    const filled = await test.run({ runner: 'fills' });
    expect(filled).toMatchObject({ state: 'failed' });
    expect(await linesOf(test.jobs, (await test.run({ runner: 'small' })).id)).toEqual(['ran']);
    expect((await test.jobs.list(OWNER)).total).toBe(2);
  });
});
