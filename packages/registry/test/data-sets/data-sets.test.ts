import { chmod, lstat, mkdir, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type Digest, type JobData, manifestDigest } from '@model-rtc/protocol';
import { afterTest } from '../../../../test/support/after-test.ts';
import { rejection } from '../../../../test/support/rejection.ts';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { placeData } from '../../src/data-sets/place-data.ts';
import { type DataLimits, type DataSets, dataPaths, openDataSets } from '../../src/index.ts';
import { type Files, manifestOf, sha256, writeFiles } from '../helpers/models.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const LIMITS: DataLimits = { maxBytes: 100, maxBytesPerOwner: 80, maxAgeMs: DAY_MS };

async function scene(limits: Partial<DataLimits> = {}) {
  const home = await temporaryFolder();
  const time = { now: new Date('2026-01-01') };
  const needed = new Set<Digest>();
  const open = async (): Promise<DataSets> => {
    const opened = await openDataSets({
      paths: dataPaths(home),
      limits: { ...LIMITS, ...limits },
      needed: () => needed,
      now: () => time.now,
    });
    afterTest(() => opened.close());
    return opened;
  };
  const sets = await open();
  let count = 0;
  /** Stores a set as a transfer does: it has some time of its own. */
  const store = async (files: Files, owner = 'me'): Promise<Digest> => {
    const manifest = manifestOf(files);
    const digest = manifestDigest(manifest);
    const giveBack = await sets.reserve(
      manifest.files.reduce((sum, { size }) => sum + size, 0),
      owner,
    );
    const folder = join(sets.staging, `${digest}-${++count}`);
    await writeFiles(folder, files);
    await sets.install(folder, manifest, owner);
    giveBack();
    time.now = new Date(time.now.getTime() + 1000);
    return digest;
  };
  return { home, sets, store, needed, time, open, job: join(home, 'job', 'input', '1') };
}

function data(digest: Digest, name: string, form: JobData['form'] = 'folder'): JobData {
  return { digest, name, form };
}

describe('the cache of data', () => {
  it('keeps data whole and unwritable, over restarts, for those who sent it', async () => {
    const { sets, store, open } = await scene();
    const digest = await store({ 'a.csv': 'a', 'deep/empty': '' });
    expect((await lstat(join(sets.folder, digest, 'a.csv'))).mode & 0o777).toBe(0o444);
    expect(await sets.find(digest, 'me')).toMatchObject({ bytes: 1, manifest: { files: [{}, {}] } });
    expect(await sets.find(digest, 'you')).toBeUndefined();
    expect(await sets.check(digest, 'you')).toBe(false);
    expect(await sets.claim(digest, 'you')).toBe(true);
    await sets.close();
    const again = await open();
    expect(await again.check(digest, 'you')).toBe(true);
    expect(again.usage()).toEqual({ sets: 1, bytes: 1, maxBytes: 100 });
  });

  it('sends nobody away because its list is lost, but for a claim', async () => {
    const { sets, store, open } = await scene();
    const digest = await store({ 'a.csv': 'a' });
    await sets.close();
    await writeFile(join(sets.folder, 'uses.json'), '{');
    const again = await open();
    expect(await again.check(digest, 'me')).toBe(false);
    expect(await again.claim(digest, 'me')).toBe(true);
  });

  it('gives a job files that it cannot change the cache by, and its own names', async () => {
    const { sets, store, job } = await scene();
    const digest = await store({ 'a.csv': 'first', 'deep/b.csv': 'second' });
    await sets.place(data(digest, 'cage 1'), join(job, 'cage 1'));
    expect((await readdir(join(job, 'cage 1'), { recursive: true })).sort()).toEqual(['a.csv', 'deep', 'deep/b.csv']);
    const given = join(job, 'cage 1', 'a.csv');
    expect((await lstat(given)).mode & 0o222).toBe(0);
    await chmod(given, 0o666);
    await writeFile(given, 'other');
    expect(await sets.check(digest, 'me')).toBe(true);
    expect(await readFile(join(sets.folder, digest, 'a.csv'), 'utf8')).toBe('first');
    const file = await store({ 'video.mp4': 'frames' });
    await sets.place(data(file, 'renamed.mp4', 'file'), join(job, 'renamed.mp4'));
    expect(await readFile(join(job, 'renamed.mp4'), 'utf8')).toBe('frames');
    expect(await rejection(sets.place(data(digest, 'x', 'file'), join(job, 'x')))).toMatchObject({
      code: 'bad_argument',
    });
  });

  it('gives a second name of a file where its mode keeps a job from writing, and never to root', async () => {
    const { sets, store, job } = await scene();
    const digest = await store({ 'a.csv': 'first' });
    const { mtimeNs } = await lstat(join(sets.folder, digest, 'a.csv'), { bigint: true });
    const from = join(sets.folder, digest);
    const stats = [{ path: 'a.csv', size: 5, mtimeNs }];
    const given = async (to: string, modesHold: boolean) => {
      await placeData({ from, stats, to, form: 'folder', modesHold });
      return await lstat(join(to, 'a.csv'));
    };
    const [linked, copied] = [await given(join(job, 'linked'), true), await given(join(job, 'copied'), false)];
    const { ino } = await lstat(join(from, 'a.csv'));
    expect(copied.ino).not.toBe(ino);
    expect(linked.mode & 0o777).toBe(0o444);
    expect(copied.mode & 0o777).toBe(0o444);
    expect(await sets.check(digest, 'me')).toBe(true);
  });

  it('stops making data ready for a job that is cancelled', async () => {
    const { sets, store, job } = await scene();
    const digest = await store({ 'a.csv': 'first', 'b.csv': 'second' });
    const signal = AbortSignal.abort();
    expect(await rejection(sets.place(data(digest, 'x'), join(job, 'x'), { signal }))).toMatchObject({
      code: 'cancelled',
    });
    expect(await readdir(join(job, 'x'))).toEqual([]);
    expect(await sets.check(digest, 'me')).toBe(true);
  });

  it('removes data that somebody changed, and does not give it to a job', async () => {
    const { sets, store, job } = await scene();
    const [checked, placed] = [await store({ 'a.csv': 'first' }), await store({ 'b.csv': 'first' })];
    const change = async (path: string) => {
      await chmod(path, 0o644);
      await writeFile(path, 'other');
      await utimes(path, 1, 1);
    };
    await change(join(sets.folder, checked, 'a.csv'));
    await change(join(sets.folder, placed, 'b.csv'));
    expect(await sets.check(checked, 'me')).toBe(false);
    const error = await rejection(sets.place(data(placed, 'x'), join(job, 'x')));
    expect(error).toMatchObject({ code: 'source_changed' });
    expect(error.message).not.toContain(sets.folder);
    expect(sets.usage()).toMatchObject({ sets: 0, bytes: 0 });
    expect(await rejection(sets.place(data(placed, 'x'), join(job, 'x')))).toMatchObject({ code: 'not_found' });
  });

  it('makes room by what was used longest ago, and never by what a job needs', async () => {
    const { sets, store, needed } = await scene();
    const [a, b, c] = [
      await store({ a: 'x'.repeat(30) }, 'x'),
      await store({ b: 'x'.repeat(30) }, 'y'),
      await store({ c: 'x'.repeat(30) }, 'z'),
    ];
    await sets.find(a, 'x');
    await store({ d: 'x'.repeat(30) }, 'w');
    expect([await sets.check(a, 'x'), await sets.check(b, 'y'), await sets.check(c, 'z')]).toEqual([true, false, true]);
    for (const digest of [a, c]) needed.add(digest);
    await store({ e: 'x'.repeat(40) }, 'w');
    expect([await sets.check(a, 'x'), await sets.check(c, 'z')]).toEqual([true, true]);
    const full = await rejection(sets.reserve(80, 'v'));
    expect(full).toMatchObject({ code: 'busy' });
    expect(full.message).toMatch(/no room for 80 B of data now: jobs/);
    expect(await readdir(sets.staging)).toEqual([]);
  });

  it('refuses what no room can be made for, and names the setting', async () => {
    const { sets } = await scene();
    expect((await rejection(sets.reserve(101, 'me'))).message).toMatch(/keeps 100 B of data at most.*data-cache\.size/);
    expect((await rejection(sets.reserve(81, 'me'))).message).toMatch(
      /80 B for one session at most.*data-cache\.session-size/,
    );
  });

  it('keeps room for what is coming, until it is given back', async () => {
    const { sets } = await scene();
    const giveBack = await sets.reserve(60, 'me');
    expect(await rejection(sets.reserve(60, 'you'))).toMatchObject({ code: 'busy' });
    giveBack();
    (await sets.reserve(60, 'you'))();
  });

  it('forgets what nobody used for too long', async () => {
    const { sets, store, time, needed } = await scene();
    const [old, kept, used] = [await store({ a: 'a' }), await store({ b: 'b' }), await store({ c: 'c' })];
    needed.add(kept);
    time.now = new Date(time.now.getTime() + DAY_MS);
    await sets.find(used, 'me');
    await sets.tidy();
    expect([await sets.check(old, 'me'), await sets.check(kept, 'me'), await sets.check(used, 'me')]).toEqual([
      false,
      true,
      true,
    ]);
    expect(await readdir(sets.folder)).toEqual(expect.not.arrayContaining([old]));
  });

  it('finds chunks in other data, while it is there', async () => {
    const { sets, store } = await scene();
    const digest = await store({ a: 'sixteen bytes ..', b: 'and some more' });
    const chunk = sha256('sixteen bytes ..');
    const location = (await sets.locateChunks([chunk])).get(chunk);
    expect(location).toMatchObject({ model: digest, offset: 0, size: 16 });
    expect(Buffer.from((await sets.readLocatedChunk(chunk, location as never)) ?? []).toString()).toBe(
      'sixteen bytes ..',
    );
    await rm(join(sets.folder, digest, 'a'), { force: true });
    expect(await sets.check(digest, 'me')).toBe(false);
    expect((await sets.locateChunks([chunk])).size).toBe(0);
  });

  it('clears away what a killed process was removing', async () => {
    const { sets, open } = await scene();
    await sets.close();
    await mkdir(join(sets.staging, 'doomed-0123456789abcdef'));
    expect(await readdir((await open()).staging)).toEqual([]);
  });
});
