import { appendFile, mkdir, open, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { discardStaging, type TransferProgress } from '../src/index.ts';
import { openInlineDisk } from '../src/node/disk/folder-disk.ts';
import { expectFiles } from './support/expectations.ts';
import { makeModel, seededBytes, type TestModel } from './support/models.ts';
import { breakOff, failedPull, pullModel, temporaryFolder } from './support/pulling.ts';
import { memorySource, networkError } from './support/sources.ts';

const model = makeModel({ a: seededBytes(55_000, 1), 'b/c': seededBytes(45_000, 2) }, [10_000]);

/** A staging folder where an attempt got this many chunks. */
async function brokenOff(partly: TestModel, chunks: number): Promise<string> {
  const staging = await temporaryFolder();
  await breakOff(staging, partly, chunks);
  return staging;
}

describe('resuming', () => {
  it('leaves nothing behind of an attempt that got nothing, and what there is of one that got a chunk', async () => {
    const staging = await temporaryFolder();
    const mute = memorySource(model, {
      alter: () => {
        throw networkError();
      },
    });
    await failedPull(model, { staging, sources: [mute] });
    expect(await readdir(staging)).toEqual([]);
    await breakOff(staging, model, 1);
    await failedPull(model, { staging, sources: [mute] });
    expect(await readdir(staging)).toEqual([model.digest]);
  });

  it('passes over a torn last line of the journal', async () => {
    const staging = await brokenOff(model, 6);
    const journal = join(staging, model.digest, 'journal');
    const { size } = await stat(journal);
    await truncate(journal, size - 5);
    const source = memorySource(model);
    const outcome = await pullModel(model, { staging, sources: [source] });
    await expectFiles(outcome.filesFolder, model);
    expect(outcome).toMatchObject({ resumedBytes: 50_000, transferredBytes: 50_000 });
    await outcome.release();
  });

  it('writes on after a torn line without joining the next one to it', async () => {
    const staging = await brokenOff(model, 3);
    await appendFile(join(staging, model.digest, 'journal'), '9 ab');
    let sent = 0;
    const again = memorySource(model, {
      alter: (_c, pieces) => {
        if (sent++ < 3) return pieces;
        throw networkError();
      },
    });
    await failedPull(model, { staging, sources: [again] });
    const source = memorySource(model);
    const outcome = await pullModel(model, { staging, sources: [source] });
    expect(source.asked).toHaveLength(4);
    await expectFiles(outcome.filesFolder, model);
    await outcome.release();
  });

  it.each(['zeros', 'noise', 'other chunks', 'huge numbers'])('does not believe a journal of %s', async (what) => {
    const staging = await brokenOff(model, 3);
    const journal = join(staging, model.digest, 'journal');
    const [title] = (await readFile(journal, 'utf8')).split('\n');
    const junk = {
      zeros: '\0'.repeat(4096),
      noise: seededBytes(4096, 5).toString('latin1'),
      'other chunks': '4 00000000\n5 ffffffff\n',
      'huge numbers': '9999999 00000000\n99999999999 00000000\n-1 00000000\n',
    }[what];
    await writeFile(journal, `${title}\n${junk}`, 'latin1');
    const source = memorySource(model);
    const outcome = await pullModel(model, { staging, sources: [source] });
    await expectFiles(outcome.filesFolder, model);
    expect(source.asked).toHaveLength(10);
    await outcome.release();
  });

  it('fetches again what the journal has but the disk lost, as after a power cut', async () => {
    const staging = await brokenOff(model, 8);
    const file = await open(join(staging, model.digest, 'files', 'a'), 'r+');
    await file.write(Buffer.alloc(4096), 0, 4096, 22_000);
    await file.close();
    const source = memorySource(model);
    const outcome = await pullModel(model, { staging, sources: [source] });
    await expectFiles(outcome.filesFolder, model);
    expect(source.asked.map(({ index }) => index).sort()).toEqual([2, 8, 9]);
    expect(outcome).toMatchObject({ resumedBytes: 70_000, refetchedChunks: 1 });
    await outcome.release();
  });

  it('fetches all again when the journal is whole but the files are cut short or gone', async () => {
    const staging = await brokenOff(model, 8);
    await truncate(join(staging, model.digest, 'files', 'a'), 5);
    await rm(join(staging, model.digest, 'files', 'b'), { recursive: true });
    const outcome = await pullModel(model, { staging, sources: [memorySource(model)] });
    await expectFiles(outcome.filesFolder, model);
    await outcome.release();
  });

  it('cuts off what does not belong to a file', async () => {
    const staging = await brokenOff(model, 8);
    await appendFile(join(staging, model.digest, 'files', 'a'), 'more');
    const outcome = await pullModel(model, { staging, sources: [memorySource(model)] });
    await expectFiles(outcome.filesFolder, model);
    await outcome.release();
  });

  it('starts over when the files were moved out and only the journal is left', async () => {
    const staging = await brokenOff(model, 8);
    await rm(join(staging, model.digest, 'files'), { recursive: true });
    const source = memorySource(model);
    const outcome = await pullModel(model, { staging, sources: [source] });
    expect(source.asked).toHaveLength(10);
    await outcome.release();
  });

  it('checks what is on disk against another chunk list of the same model, and keeps what is right', async () => {
    const staging = await brokenOff(model, 6);
    const files = Object.fromEntries(model.files);
    const recut = makeModel(files, [15_000]);
    expect(recut.digest).toBe(model.digest);
    const source = memorySource(recut);
    const told: TransferProgress[] = [];
    const outcome = await pullModel(recut, { staging, sources: [source], onProgress: (event) => told.push(event) });
    await expectFiles(outcome.filesFolder, recut);
    expect(outcome.resumedBytes).toBe(60_000);
    expect(source.asked).toHaveLength(3);
    expect(told).toContainEqual(expect.objectContaining({ state: 'preparing', reason: 'checking_disk' }));
    await outcome.release();
  });

  it('takes chunks out of what another unfinished transfer left', async () => {
    const staging = await brokenOff(model, 5);
    const other = makeModel({ x: seededBytes(55_000, 1), y: seededBytes(10_000, 9) }, [10_000]);
    const source = memorySource(other);
    const outcome = await pullModel(other, { staging, sources: [source] });
    await expectFiles(outcome.filesFolder, other);
    expect(outcome).toMatchObject({ reusedBytes: 50_000, transferredBytes: 15_000 });
    await outcome.release();
  });

  it('is not troubled by another staging folder that holds nonsense', async () => {
    const staging = await temporaryFolder();
    const folder = join(staging, 'f'.repeat(64));
    await mkdir(folder);
    await writeFile(join(folder, 'manifest.json'), '{"version":1,"files":[{"path":"../../etc/passwd"}]}');
    const outcome = await pullModel(model, { staging, sources: [memorySource(model)] });
    await expectFiles(outcome.filesFolder, model);
    await outcome.release();
  });

  it('asks for what is missing before it reads what is there', async () => {
    const staging = await brokenOff(model, 9);
    let readsBefore: number | undefined;
    let reads = 0;
    const source = memorySource(model);
    const outcome = await pullModel(model, {
      staging,
      sources: [
        {
          ...source,
          fetch: (chunks, options) => {
            readsBefore ??= reads;
            return source.fetch(chunks, options);
          },
        },
      ],
      components: {
        openDisk: (job, onEvents) =>
          openInlineDisk(job, (events) => {
            reads += events.length;
            onEvents(events);
          }),
      },
    });
    expect(readsBefore).toBe(0);
    expect(source.asked).toHaveLength(1);
    await outcome.release();
  });
});

describe('the staging folder', () => {
  it('makes a second pull of the same model wait, and say so', async () => {
    const staging = await temporaryFolder();
    const first = await pullModel(model, { staging, sources: [memorySource(model)] });
    const told: TransferProgress[] = [];
    const second = pullModel(model, {
      staging,
      sources: [memorySource(model)],
      onProgress: (progress) => {
        told.push(progress);
        if (progress.state === 'preparing' && progress.reason === 'waiting_for_lock') void first.release();
      },
    });
    const outcome = await second;
    expect(told).toContainEqual(expect.objectContaining({ state: 'preparing', reason: 'waiting_for_lock' }));
    expect(outcome.resumedBytes).toBe(100_000);
    await outcome.release();
  });

  it('is waited for no longer when the wait is cancelled', async () => {
    const staging = await temporaryFolder();
    const first = await pullModel(model, { staging, sources: [memorySource(model)] });
    const cancel = new AbortController();
    const error = await failedPull(model, {
      staging,
      sources: [memorySource(model)],
      signal: cancel.signal,
      onProgress: (progress) => {
        if (progress.state === 'preparing' && progress.reason === 'waiting_for_lock') cancel.abort();
      },
    });
    expect(error.code).toBe('cancelled');
    await first.release();
  });

  it('can be discarded, and is not there to resume from then', async () => {
    const staging = await brokenOff(model, 6);
    await discardStaging({ staging, key: model.digest });
    await expect(stat(join(staging, model.digest))).rejects.toMatchObject({ code: 'ENOENT' });
    await discardStaging({ staging, key: model.digest });
    const outcome = await pullModel(model, { staging, sources: [memorySource(model)] });
    expect(outcome.resumedBytes).toBe(0);
    await outcome.release();
  });
});
