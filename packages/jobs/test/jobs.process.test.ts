import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { rejection } from '../../../test/support/rejection.ts';
import { openTestJobs } from './support/open-test-jobs.ts';
import { digestOf, OWNER } from './support/test-ports.ts';

const HOUR_MS = 60 * 60 * 1000;

describe('an owner', () => {
  it('sees its own jobs alone', async () => {
    const test = await openTestJobs();
    await test.declare('true', 'pass');
    const { id } = await test.run();
    expect((await test.jobs.list('other')).total).toBe(0);
    const events = test.jobs.events('other', id)[Symbol.asyncIterator]().next();
    for (const work of [
      test.jobs.get('other', id),
      test.jobs.cancel('other', id),
      test.jobs.resultsFolder('other', id),
      events,
    ]) {
      expect((await rejection(work)).code).toBe('not_found');
    }
    expect((await test.jobs.submit(test.request({ owner: 'other' }))).job.id).not.toBe(id);
  });

  it('lists them in pages, the newest first', async () => {
    const test = await openTestJobs();
    await test.declare('true', 'pass');
    const ids: string[] = [];
    for (const again of ['aaaaaaaa', 'bbbbbbbb', 'cccccccc']) ids.unshift((await test.run({ again })).id);
    const first = await test.jobs.list(OWNER, { limit: 2 });
    const second = await test.jobs.list(OWNER, { limit: 2, cursor: first.nextCursor });
    expect([...first.jobs, ...second.jobs].map(({ id }) => id)).toEqual(ids);
    expect([first.total, second.total, second.nextCursor]).toEqual([3, 3, undefined]);
    expect((await test.jobs.list(OWNER, { states: ['failed'] })).total).toBe(0);
    expect((await rejection(test.jobs.list(OWNER, { cursor: '-1; DROP' }))).code).toBe('bad_argument');
  });

  it('may have so many jobs, and so much time of a day', async () => {
    const test = await openTestJobs({ limits: { maxOpenPerOwner: 2, maxRunMsPerOwnerAndDay: 1 } });
    await test.declare('waits', 'import time; time.sleep(600)');
    const submit = (again: string) => test.jobs.submit(test.request({ again }));
    const { job } = await submit('aaaaaaaa');
    const second = await submit('bbbbbbbb');
    expect((await rejection(submit('cccccccc'))).message).toContain('2 jobs of this session wait or run');
    await test.until(job.id, 'running');
    await test.jobs.cancel(OWNER, second.job.id);
    expect(await rejection(submit('dddddddd'))).toMatchObject({
      code: 'busy',
      message: expect.stringContaining('last 24 hours'),
    });
  });

  it('whose token was revoked has its jobs ended', async () => {
    const test = await openTestJobs();
    await test.declare('waits', 'import time; time.sleep(600)');
    const submitted = [];
    for (const again of ['aaaaaaaa', 'bbbbbbbb'])
      submitted.push((await test.jobs.submit(test.request({ again }))).job.id);
    await test.jobs.cancelAll(OWNER);
    for (const id of submitted)
      expect(await test.ended(id)).toMatchObject({ state: 'cancelled', error: { code: 'token_revoked' } });
  });
});

describe('a request is refused', () => {
  it('when its data, runner or model is not what it must be, and the audit log has it', async () => {
    const test = await openTestJobs();
    await test.declare('true', 'pass');
    const data = [{ digest: digestOf('missing'), name: 'a.mp4', form: 'file' as const }];
    const submit = async (more: object) => await rejection(test.jobs.submit(test.request(more)));
    expect(await submit({ data })).toMatchObject({ code: 'not_found', details: { missing: [digestOf('missing')] } });
    expect((await submit({ runner: 'none' })).code).toBe('not_found');
    for (const codeFiles of [undefined, [{ path: 'a.pkl' }]]) {
      const unsafe = await submit({ models: [{ ...test.model, codeFiles }] });
      expect([unsafe.code, unsafe.message]).toEqual(['refused', expect.stringContaining('"allowUnsafeModels": true')]);
    }
    await test.declare('true', 'pass', { allowUnsafeModels: true });
    expect(await test.run({ models: [{ ...test.model, codeFiles: undefined }] })).toMatchObject({ state: 'completed' });
  });

  it('by a runner that cannot run here, which says why', async () => {
    const test = await openTestJobs();
    await test.declare('gone', 'pass', { args: ['/nowhere/program'] });
    const runners = await test.jobs.runners();
    expect(runners).toMatchObject([
      { name: 'gone', usable: false, reason: expect.stringContaining('/nowhere/program is not there') },
    ]);
    expect((await rejection(test.jobs.submit(test.request({ runner: 'gone' })))).code).toBe('refused');
  });

  it('by a runner that somebody broke in the file, which says what is wrong', async () => {
    const test = await openTestJobs();
    const runners = [{ name: 'count', args: ['true'], limits: { tiem: 1 } }];
    await writeFile(test.store.path, JSON.stringify({ version: 1, runners }));
    const error = await rejection(test.jobs.submit(test.request({ runner: 'count' })));
    expect([error.code, error.message]).toEqual([
      'refused',
      expect.stringContaining('not valid: limits: Unrecognized key'),
    ]);
  });

  it('and a job whose model or runner goes while it waits fails with a sentence', async () => {
    const test = await openTestJobs();
    await test.declare('waits', 'import time; time.sleep(600)');
    const first = await test.jobs.submit(test.request());
    await test.until(first.job.id, 'running');
    const model = { ...test.model, folder: '/nowhere', digest: digestOf('gone') };
    const second = await test.jobs.submit(test.request({ models: [model] }));
    await test.jobs.cancel(OWNER, first.job.id);
    expect(await test.ended(second.job.id)).toMatchObject({
      ...{
        state: 'failed',
        error: { code: 'not_found', message: expect.stringContaining('good-mouse was removed from the worker') },
      },
    });
  });
});

describe('results', () => {
  it('are kept until their time is up, sooner when they were fetched; then the job is forgotten', async () => {
    let now = Date.now();
    const limits = { resultsKeptMs: 10 * HOUR_MS, fetchedResultsKeptMs: HOUR_MS, endedJobsKeptMs: 20 * HOUR_MS };
    const test = await openTestJobs({ limits, now: () => new Date(now) });
    await test.declare('writes', `import sys; open(sys.argv[1], 'w').write('x')`);
    const kept = await test.run();
    const fetched = await test.run({ again: 'aaaaaaaa' });
    await test.jobs.fetched(OWNER, fetched.id);
    now += 2 * HOUR_MS;
    // What is over is removed when the next job ends.
    await test.run({ again: 'bbbbbbbb' });
    await test.jobs.resultsFolder(OWNER, kept.id);
    await untilGone(async () => (await test.jobs.get(OWNER, fetched.id)).results);
    expect((await rejection(test.jobs.resultsFolder(OWNER, fetched.id))).message).toContain('were deleted at');
    expect((await readdir(join(test.root, 'jobs', fetched.id))).sort()).toEqual(['job.json', 'log.jsonl']);
    now += 19 * HOUR_MS;
    await test.run({ again: 'cccccccc' });
    await untilGone(async () => (await test.jobs.list(OWNER)).jobs.find(({ id }) => id === kept.id));
    expect(await readdir(join(test.root, 'jobs'))).not.toContain(kept.id);
  });

  it('of the oldest jobs make room for new ones', async () => {
    const test = await openTestJobs({ limits: { maxKeptOutputBytesPerOwner: 25 } });
    await test.declare('writes', `import sys; open(sys.argv[1], 'w').write('x' * 10)`);
    const ids: string[] = [];
    for (const again of ['aaaaaaaa', 'bbbbbbbb', 'cccccccc']) ids.push((await test.run({ again })).id);
    await untilGone(async () => (await test.jobs.get(OWNER, ids[0] as string)).results);
    for (const id of ids.slice(1)) await test.jobs.resultsFolder(OWNER, id);
  });
});

async function untilGone(look: () => Promise<unknown>): Promise<void> {
  while ((await look()) !== undefined) await new Promise((resolve) => setTimeout(resolve, 10));
}
