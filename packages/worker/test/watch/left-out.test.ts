import { appendFile, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type Log, listModelsParams, silentLog } from '@model-rtc/protocol';
import type { LeftOut, Registry } from '@model-rtc/registry';
import { type WatchEvent, type WatchFoldersOptions, watchFolders } from '../../src/index.ts';
import { afterTest, openTestRegistry, temporaryFolder } from '../support/registry.ts';

const QUICK = {
  stableMs: 20,
  oldMs: 60_000,
  pausedMs: 200,
  hintMs: 5,
  gapMs: 10,
  pollMs: 50,
  recordMs: 10,
  goneMs: 50,
};
/** A header that says that 8 bytes of a tensor follow. */
const HEADER = '{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}';
const LENGTH = Buffer.alloc(8);
LENGTH.writeBigUInt64LE(BigInt(HEADER.length));
const WHOLE = Buffer.concat([LENGTH, Buffer.from(HEADER), Buffer.alloc(8, 1)]);

interface Watch {
  readonly registry: Registry;
  readonly folder: string;
  readonly events: WatchEvent[];
  readonly warnings: string[];
}

async function watch(folder: string, options: Partial<WatchFoldersOptions> = {}): Promise<Watch> {
  const registry = await openTestRegistry();
  const [events, warnings]: [WatchEvent[], string[]] = [[], []];
  const log: Log = { ...silentLog, warn: (_fields, message) => void warnings.push(message) };
  const onEvent = (event: WatchEvent) => void events.push(event);
  const watched = await watchFolders({ registry, folders: [folder], timing: QUICK, onEvent, log, ...options });
  afterTest(() => watched.close());
  await watched.looked;
  return { registry, folder, events, warnings };
}

/** Resolves when it is so; the test's own time limit ends a wait in vain. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 10));
}

const hasModels = ({ registry }: Watch, count: number) =>
  until(async () => (await registry.list(listModelsParams.parse({}))).total === count);

async function leftOut({ registry }: Watch): Promise<readonly LeftOut[]> {
  return (await registry.folderReports()).flatMap((report) => report.leftOut);
}

async function folderWith(files: Readonly<Record<string, Buffer | string>>): Promise<string> {
  const folder = await temporaryFolder();
  for (const [path, content] of Object.entries(files)) {
    await mkdir(join(folder, path, '..'), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  return folder;
}

describe('what a watched folder has and the registry has not', () => {
  it('is said once a cause, with the path and the reason, and noted for other commands', async () => {
    const folder = await folderWith({ 'whole/a.safetensors': WHOLE, 'cut/a.safetensors': WHOLE.subarray(0, -3) });
    await symlink('/nowhere/at/all', join(folder, 'gone.pt'));
    const watched = await watch(folder);
    await until(() => watched.events.some(({ type }) => type === 'looked'));
    expect(watched.events.filter(({ type }) => type === 'looked')).toEqual([
      { type: 'looked', folder, models: 1, leftOut: 2, open: 0 },
    ]);
    // More looks say nothing more.
    await writeFile(join(folder, 'whole', 'notes.txt'), 'x');
    await until(() => watched.events.filter(({ type }) => type === 'registered').length === 2);
    expect(watched.warnings).toEqual([
      expect.stringMatching(/gone\.pt: it is a link to nothing/),
      expect.stringMatching(/cut: it is not whole: a\.safetensors is cut off: it has 67 bytes of 70 bytes/),
    ]);
    expect((await leftOut(watched)).map(({ kind }) => kind).sort()).toEqual(['dangling_link', 'incomplete']);
    expect(await watched.registry.folderReports()).toMatchObject([{ folder, models: 1 }]);
  });

  it('is no longer told of once it is whole', async () => {
    const folder = await folderWith({ 'net/a.safetensors': WHOLE.subarray(0, -3) });
    const watched = await watch(folder);
    await until(async () => (await leftOut(watched)).length === 1);
    await writeFile(join(folder, 'net', 'a.safetensors'), WHOLE);
    await hasModels(watched, 1);
    await until(async () => (await leftOut(watched)).length === 0);
  });

  it('is named shard by shard when some are missing, and copied no more', async () => {
    const folder = await folderWith({ 'net/model-00001-of-00002.safetensors': WHOLE });
    const watched = await watch(folder);
    await until(() => watched.warnings.length > 0);
    expect(watched.warnings).toEqual([expect.stringContaining('model-00002-of-00002.safetensors is missing')]);
  });

  it('is not told of while it is still being copied, and is a model at the end', async () => {
    const folder = await folderWith({ 'net/a.safetensors': WHOLE.subarray(0, 20) });
    const watched = await watch(folder, { timing: { ...QUICK, pausedMs: 60_000 } });
    for (let at = 20; at < WHOLE.length; at += 5) {
      await appendFile(join(folder, 'net', 'a.safetensors'), WHOLE.subarray(at, at + 5));
      // Longer than it takes until files count as stable.
      await new Promise((resolve) => setTimeout(resolve, 60));
    }
    await until(() => watched.events.some(({ type }) => type === 'registered'));
    expect(watched.warnings).toEqual([]);
  });

  it('is forgotten when a worker starts without the folder', async () => {
    const folder = await folderWith({ 'net/a.safetensors': WHOLE.subarray(0, -3) });
    const watched = await watch(folder);
    await until(async () => (await leftOut(watched)).length === 1);
    const other = await watchFolders({ registry: watched.registry, folders: [] });
    await other.close();
    expect(await watched.registry.folderReports()).toEqual([]);
  });
});
