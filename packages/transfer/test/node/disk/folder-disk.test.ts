import { closeSync, openSync, readFileSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { build } from 'esbuild';
import { type DiskEvent, type DiskPort, type Layout, planLayout } from '../../../src/core/index.ts';
import { type FolderJob, openInlineDisk } from '../../../src/node/disk/folder-disk.ts';
import { openThreadDisk } from '../../../src/node/disk/thread-port.ts';
import { type Journalled, journalTitle, readJournal, readJournalled } from '../../../src/node/journal/journal.ts';
import { diskSuite } from '../../support/disk-suite.ts';
import type { DiskScene } from '../../support/disk-user.ts';
import { contentsOf, makeFileModel } from '../../support/models.ts';
import { temporaryFolder } from '../../support/pulling.ts';
import { rangeDiskSuite } from '../../support/range-disk-suite.ts';
import { spanDiskSuite } from '../../support/span-disk-suite.ts';

type OpenFolder = (job: FolderJob, onEvents: (events: readonly DiskEvent[]) => void) => DiskPort;

/** The thread's program: Node 20 runs no .ts file in a thread. */
let threadEntry: URL;
let programs: string;

beforeAll(async () => {
  programs = await mkdtemp(join(tmpdir(), 'model-rtc-thread-'));
  const bundle = join(programs, 'thread-entry.mjs');
  await build({
    entryPoints: [join(import.meta.dirname, '../../../src/node/disk/thread-entry.ts')],
    outfile: bundle,
    bundle: true,
    format: 'esm',
    platform: 'node',
    conditions: ['@model-rtc/source'],
    logLevel: 'silent',
  });
  threadEntry = pathToFileURL(bundle);
});

afterAll(async () => {
  await rm(programs, { recursive: true, force: true });
});

const openThread: OpenFolder = (job, onEvents) => openThreadDisk(job, onEvents, threadEntry);

async function folderScene(layout: Layout, open: OpenFolder): Promise<DiskScene> {
  const folder = await temporaryFolder();
  const [filesFolder, journalPath] = [join(folder, 'files'), join(folder, 'journal')];
  writeFileSync(journalPath, journalTitle(layout));
  const present = (): Uint8Array => readJournal(journalPath, layout) as Uint8Array;
  const pathOf = (path: string): string => join(filesFolder, path);
  return {
    present,
    open(onEvents) {
      const { present: journalled, sums } = readJournalled(journalPath, layout) as Journalled;
      return open({ layout, filesFolder, journalPath, journalled, sums }, onEvents);
    },
    read(path, start = 0, end) {
      try {
        const bytes = readFileSync(pathOf(path));
        return end !== undefined && bytes.length < end ? undefined : bytes.subarray(start, end);
      } catch {
        return undefined;
      }
    },
    damage(path, offset) {
      const byte = Buffer.alloc(1);
      const file = openSync(pathOf(path), 'r+');
      readSync(file, byte, 0, 1, offset);
      byte[0] = (byte[0] ?? 0) ^ 1;
      writeSync(file, byte, 0, 1, offset);
      closeSync(file);
    },
  };
}

diskSuite('a folder', (layout) => folderScene(layout, openInlineDisk));
diskSuite('a folder with a thread', (layout) => folderScene(layout, openThread));
rangeDiskSuite('a folder', (layout) => folderScene(layout, openInlineDisk));
rangeDiskSuite('a folder with a thread', (layout) => folderScene(layout, openThread));
spanDiskSuite('a folder', (layout) => folderScene(layout, openInlineDisk));
spanDiskSuite('a folder with a thread', (layout) => folderScene(layout, openThread));

describe('a folder that cannot be made', () => {
  const model = makeFileModel(1000, 100);

  async function failure(open: OpenFolder): Promise<unknown> {
    const folder = await temporaryFolder();
    writeFileSync(join(folder, 'files'), 'a file');
    const layout = planLayout(contentsOf(model));
    const journalled = new Uint8Array(layout.sizes.length);
    const job = {
      layout,
      journalled,
      filesFolder: join(folder, 'files', 'below'),
      journalPath: join(folder, 'journal'),
    };
    return await new Promise((resolve) => {
      const port = open(job, (events) => {
        resolve(events);
        void port.close();
      });
    });
  }

  it('is told as a failure by a thread', async () => {
    expect(await failure(openThread)).toMatchObject([{ type: 'failed' }]);
  });

  it('throws without one', async () => {
    await expect(failure(openInlineDisk)).rejects.toMatchObject({ code: 'storage', cause: { code: 'ENOTDIR' } });
  });
});
