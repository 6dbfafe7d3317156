import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { ModelPath } from '@model-rtc/protocol';
import { fetchResults } from '../../src/index.ts';
import { cutAfter, failure, importBytes, seededBytes } from '../support/lab.ts';
import { JOB, openDataLab, writeFiles } from './data-lab.ts';

const MEBI = 1024 * 1024;
const POSES = seededBytes(3 * MEBI + 1000, 1);

describe('fetching results', () => {
  it('brings a file under the name that is chosen when it is known what came, and reports it', async () => {
    const { worker, finish, folder, fetched, here } = await openDataLab();
    await finish({ 'result.slp': POSES });
    const target = (found: object) => {
      expect(found).toEqual({ form: 'file', fileName: 'result.slp' });
      return join(folder, 'mouse.predictions.slp');
    };
    const got = await fetchResults(worker(), JOB, target);
    expect(got).toMatchObject({
      outcome: 'fetched',
      form: 'file',
      bytes: POSES.length,
      transferredBytes: POSES.length,
    });
    expect((await readFile(got.path)).equals(POSES)).toBe(true);
    expect(fetched).toEqual([JOB]);
    expect(await readdir(here.paths.staging)).toEqual([]);
  });

  it('brings a folder with what is empty in it, and knows it the next time', async () => {
    const { worker, finish, folder, there } = await openDataLab();
    const output = await finish({ 'result/a.csv': 'a', 'result/deep/empty.csv': '' });
    await mkdir(join(output, 'result', 'frames'));
    await there.keepResults(output, join(folder, 'notes'));
    const target = join(folder, 'out');
    expect(await fetchResults(worker(), JOB, target)).toMatchObject({
      outcome: 'fetched',
      form: 'folder',
      fileCount: 2,
    });
    expect((await readdir(target, { recursive: true })).sort()).toEqual(['a.csv', 'deep', 'deep/empty.csv', 'frames']);
    expect(await fetchResults(worker(), JOB, target)).toMatchObject({ outcome: 'same', transferredBytes: 0 });
  });

  it('brings a folder without any files', async () => {
    const { worker, folder, there } = await openDataLab();
    await mkdir(join(folder, 'output', 'result', 'frames'), { recursive: true });
    await there.keepResults(join(folder, 'output'), join(folder, 'notes'));
    expect(await fetchResults(worker(), JOB, join(folder, 'out'))).toMatchObject({ outcome: 'fetched', fileCount: 0 });
    expect(await readdir(join(folder, 'out'))).toEqual(['frames']);
  });

  it('asks for no byte when something is in the way, and replaces it only when it may', async () => {
    const { worker, finish, folder, fetched } = await openDataLab();
    await finish({ 'result.slp': POSES });
    const target = join(folder, 'mouse.slp');
    await writeFile(target, 'precious');
    const events: string[] = [];
    const refused = await failure(
      fetchResults(worker(), JOB, target, { onProgress: ({ type }) => void events.push(type) }),
    );
    expect(refused).toMatchObject({ code: 'refused', exitCode: 8 });
    expect([events, fetched, await readFile(target, 'utf8')]).toEqual([[], [], 'precious']);
    await fetchResults(worker(), JOB, target, { force: true });
    expect((await readFile(target)).equals(POSES)).toBe(true);
  });

  it('goes on over another connection, asks once where they go, and shows nothing before all is there', async () => {
    const { worker, finish, folder, connections } = await openDataLab({
      onConnection({ lanes: [, there] }, number) {
        if (number === 2) cutAfter(there, 1.5 * MEBI);
      },
    });
    await finish({ 'result/poses': POSES, 'result/notes': 'n' });
    let asked = 0;
    const target = () => {
      asked += 1;
      return join(folder, 'out', 'mouse');
    };
    const names: string[][] = [];
    const got = await fetchResults(worker(), JOB, target, {
      onProgress: () => void readdir(join(folder, 'out')).then((found) => names.push(found)),
    });
    expect(connections.length).toBe(3);
    expect(asked).toBe(1);
    expect(got).toMatchObject({ transferredBytes: POSES.length + 1, resumedBytes: 0, reusedBytes: 0 });
    expect(names.flat().filter((name) => name !== 'mouse')).toEqual([]);
    expect(await readdir(join(folder, 'out'))).toEqual(['mouse']);
  });

  it('goes on where an earlier command was broken off, wherever the results are to go now', async () => {
    let isCut = true;
    const { worker, finish, folder } = await openDataLab({
      onConnection({ lanes: [, there] }, number) {
        if (number > 1 && isCut) cutAfter(there, 1.5 * MEBI);
      },
    });
    await finish({ 'result.slp': POSES });
    const stop = new AbortController();
    const cut = fetchResults(worker(), JOB, join(folder, 'one'), {
      signal: stop.signal,
      onProgress: ({ type }) => type === 'reconnecting' && stop.abort(),
    });
    expect(await failure(cut)).toMatchObject({ code: 'cancelled' });
    isCut = false;
    const got = await fetchResults(worker(), JOB, join(folder, 'other'));
    expect(got.resumedBytes).toBeGreaterThanOrEqual(MEBI);
    expect(got.transferredBytes + got.resumedBytes).toBe(POSES.length);
  });

  it('does not fetch what is on this disk, and shares no file with it', async () => {
    const { worker, finish, folder, here } = await openDataLab();
    const model = await importBytes(here, POSES, { copy: true });
    await finish({ 'result.slp': POSES });
    const got = await fetchResults(worker(), JOB, join(folder, 'mouse.slp'));
    expect(got).toMatchObject({ transferredBytes: 0, reusedBytes: POSES.length });
    await writeFile(got.path, 'changed');
    expect(await here.check(model.digest)).toMatchObject({ valid: true });
  });

  it('refuses results that no machine can have', async () => {
    const { worker, finish, folder, there } = await openDataLab({
      handlers: {
        get_results: async () => {
          const opened = await there.openResults(join(folder, 'notes'));
          await opened.reader?.close();
          return { form: 'folder', manifest: opened.manifest, emptyFolders: ['poses/inside' as ModelPath] };
        },
      },
    });
    await finish({ 'result/poses': POSES });
    expect(await failure(fetchResults(worker(), JOB, join(folder, 'out')))).toMatchObject({
      code: 'malformed_message',
    });
    expect(await readdir(folder)).not.toContain('out');
  });

  it("does not give another session's results, or what is no result", async () => {
    const { worker, finish, folder, peer, there } = await openDataLab();
    await finish({ 'result.slp': POSES });
    expect(await failure(fetchResults(worker(), 'zzzzzzzz0123', join(folder, 'out')))).toMatchObject({
      code: 'not_found',
    });
    const { manifest } = await there.hashFileSet(await writeFiles(join(folder, 'secret'), { a: 'secret' }));
    const asker = await peer();
    const [file] = manifest?.files ?? [];
    const wanted = { index: 0, digest: file?.sha256 as NonNullable<typeof file>['sha256'] };
    const asked = asker.request('get_chunks', { digest: wanted.digest, chunks: [wanted] }, {});
    expect(await failure(asked)).toMatchObject({ code: 'not_found' });
  });
});
