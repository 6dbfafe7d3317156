import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type Alias, type Digest, type Job, ModelRtcError, manifestDigest, type Params } from '@model-rtc/protocol';
import type { JobModel } from '../../src/index.ts';
import { failure, importBytes, type LabOptions, openLab, seededBytes, temporaryFolder } from '../support/lab.ts';

const AT = '2026-01-02T03:04:05.678Z';
const ALL = { scopes: ['read', 'write', 'track'] } as const;

function queued({ models, data }: Params<'submit_job'>): Job {
  return {
    ...{ id: 'abcdefgh0123', state: 'queued', runner: 'test', settings: {}, createdAt: AT, lastEvent: 0, data },
    models: models.map((digest) => ({ digest, id: digest.slice(0, 8) })),
  };
}

/** A worker that takes data and jobs, and notes them. */
async function openJobLab(options: LabOptions = {}) {
  const submitted: Params<'submit_job'>[] = [];
  const pushed: Digest[] = [];
  const lab = await openLab({
    authority: ALL,
    ...options,
    handlers: {
      check_data: async ({ digests }) => ({ missing: digests.filter((digest) => !pushed.includes(digest)) }),
      push_data: async ({ manifest }) => {
        const digest = manifestDigest(manifest);
        pushed.push(digest);
        return { digest, outcome: 'stored', transferredBytes: 0, reusedBytes: 0, resumedBytes: 0 };
      },
      submit_job: async (params) => {
        submitted.push(params);
        return { job: queued(params), outcome: 'queued' };
      },
      ...options.handlers,
    },
  });
  const shown: JobModel[] = [];
  const submit = (models: readonly string[], more: object = {}) =>
    lab.client.jobs.submit({ models, data: [], onModel: (model) => shown.push(model), ...more });
  return { lab, submitted, pushed, shown, submit };
}

async function dataFile(content = 'some data'): Promise<string> {
  const path = join(await temporaryFolder(), 'clip.mp4');
  await writeFile(path, content);
  return path;
}

describe('submitting a job', () => {
  it('sends the models that the worker lacks, and runs all in the order that was asked for', async () => {
    const { lab, submitted, shown, submit } = await openJobLab();
    const bytes = seededBytes(40_000, 1);
    const both = await importBytes(lab.here, bytes, { alias: 'both' });
    await importBytes(lab.there, bytes);
    const mine = await importBytes(lab.here, seededBytes(50_000, 2), { alias: 'mine' });
    const { job } = await submit(['mine', 'both']);
    expect(submitted[0]?.models).toEqual([mine.digest, both.digest]);
    expect(job.models.map(({ id }) => id)).toEqual([mine.id, both.id]);
    expect(await lab.there.find(mine.digest)).toMatchObject({ alias: 'mine' });
    expect(shown.map(({ entry, namedBy }) => [entry.alias, namedBy])).toEqual([
      ['mine', 'here'],
      ['both', 'here'],
    ]);
  });

  it('imports what is at a path, and takes what only the worker knows', async () => {
    const { lab, submitted, shown, submit } = await openJobLab();
    const theirs = await importBytes(lab.there, seededBytes(40_000, 3), { alias: 'theirs' });
    const path = join(await temporaryFolder(), 'weights.pt');
    await writeFile(path, seededBytes(30_000, 4));
    await submit(['theirs', path]);
    expect(shown.map(({ namedBy }) => namedBy)).toEqual(['worker', 'import']);
    expect(submitted[0]?.models[0]).toBe(theirs.digest);
    expect(await lab.here.find(submitted[0]?.models[1] as Digest)).toMatchObject({ linked: true });
    expect(await lab.here.find(theirs.digest)).toBeUndefined();
  });

  it("takes this machine's model of a name, and says that the worker has another", async () => {
    const { lab, submitted, shown, submit } = await openJobLab();
    const mine = await importBytes(lab.here, seededBytes(40_000, 5), { alias: 'mouse' });
    const theirs = await importBytes(lab.there, seededBytes(40_000, 6), { alias: 'mouse' });
    await submit(['mouse']);
    expect(submitted[0]?.models).toEqual([mine.digest]);
    expect(shown[0]?.otherThere).toBe(theirs.id);
    // A model keeps the name that it has at the worker, whoever else is pushed under it.
    expect((await lab.there.resolve('mouse')).entry.digest).toBe(theirs.digest);
    await submit(['mouse'], { remote: true });
    expect(submitted[1]?.models).toEqual([theirs.digest]);
  });

  it('refuses to send with noPush, and finds nothing but the models of the worker with remote', async () => {
    const { lab, submitted, submit } = await openJobLab();
    await importBytes(lab.here, seededBytes(40_000, 7), { alias: 'mine' });
    expect(await failure(submit(['mine'], { noPush: true }))).toMatchObject({ code: 'refused', exitCode: 8 });
    expect(await failure(submit(['mine'], { remote: true }))).toMatchObject({ code: 'not_found', exitCode: 3 });
    expect(await failure(submit(['nobodys']))).toMatchObject({
      code: 'not_found',
      message: expect.stringContaining('Neither this machine nor gpu-box has a model "nobodys"'),
    });
    expect(submitted).toEqual([]);
    expect((await lab.there.list({ filters: {}, sort: 'name', limit: 10 })).models).toEqual([]);
  });

  it('sends data once, under its name, and again when it is gone from the cache meanwhile', async () => {
    let submits = 0;
    const gone: Digest[] = [];
    const parts = await openJobLab({
      handlers: {
        submit_job: async (params) => {
          submits += 1;
          if (submits === 2) {
            gone.push(...parts.pushed.splice(0));
            throw new ModelRtcError('not_found', 'The data is gone.', { details: { missing: gone } });
          }
          return { job: queued(params), outcome: 'queued' };
        },
      },
    });
    const { lab, pushed, submit } = parts;
    await importBytes(lab.there, seededBytes(40_000, 8), { alias: 'theirs' });
    const data = [await dataFile()];
    const first = await submit(['theirs'], { data });
    expect(first.job.data).toMatchObject([{ name: 'clip.mp4', form: 'file' }]);
    expect(pushed).toHaveLength(1);
    await submit(['theirs'], { data });
    expect(submits).toBe(3);
    expect(pushed).toEqual(gone);
  });

  it('does not ask for another job when an answer was lost with its connection', async () => {
    const words: (string | undefined)[] = [];
    const { lab, submit } = await openJobLab({
      handlers: {
        submit_job: async (params, { signal }) => {
          words.push(params.again);
          if (words.length > 1) return { job: queued(params), outcome: 'found' };
          lab.connections.at(-1)?.lanes[1].faults.cut();
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
          throw new ModelRtcError('cancelled', 'gone');
        },
      },
    });
    await importBytes(lab.there, seededBytes(40_000, 9), { alias: 'theirs' });
    expect((await submit(['theirs'], { again: true })).outcome).toBe('found');
    expect(words).toHaveLength(2);
    expect(words[0]).toMatch(/^[a-z0-9]{8,64}$/);
    expect(words[1]).toBe(words[0]);
    await submit(['theirs']);
    expect(words[2]).toBeUndefined();
  });

  it('says what is wrong with a model or with data before anything is sent', async () => {
    const { lab, submitted, pushed, submit } = await openJobLab();
    const mine = await importBytes(lab.here, seededBytes(40_000, 10), { alias: 'mine' });
    expect(await failure(submit(['mine'], { data: ['/nowhere/clip.mp4'] }))).toMatchObject({ exitCode: 4 });
    await rm(join(mine.localPath, 'weights.pt'));
    expect(await failure(submit(['mine']))).toMatchObject({ code: 'verification_failed' });
    expect({ submitted, pushed }).toEqual({ submitted: [], pushed: [] });
    expect(await lab.there.find(mine.digest)).toBeUndefined();
  });

  it('reads nothing for a worker that runs no jobs', async () => {
    const { lab, shown, submit } = await openJobLab({ capabilities: [] });
    await importBytes(lab.here, seededBytes(40_000, 11), { alias: 'mine' as Alias });
    expect(await failure(submit(['mine']))).toMatchObject({ code: 'protocol_mismatch', exitCode: 5 });
    expect(shown).toEqual([]);
  });
});
