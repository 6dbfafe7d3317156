import { lstat, mkdir, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type Alias, manifestDigest } from '@model-rtc/protocol';
import { startChild } from '../../../../test/support/script-child.ts';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { installFiles, manifestOf } from '../helpers/models.ts';
import { openTestRegistry, warningLog } from '../helpers/registry.ts';

const FILES = { 'best.ckpt': 'weights', 'sub/config.yaml': 'a: 1' };
const DIGEST = manifestDigest(manifestOf(FILES));

describe('an installer killed between moving the folder and writing the index', () => {
  it('loses nothing: the next one that opens the registry takes the model in', async () => {
    const home = await temporaryFolder();
    const child = startChild(new URL('../children/stop-before-index.ts', import.meta.url), [home, 'skip']);
    expect(await child.ended).toMatchObject({ signal: 'SIGKILL' });
    const registry = await openTestRegistry({ home });
    const { entry } = await registry.resolve('orphan');
    expect(entry).toMatchObject({ digest: DIGEST, notes: 'from the killed child' });
    expect((await registry.check(DIGEST)).valid).toBe(true);
  }, 30_000);

  it('loses nothing: the next one that registers a model takes it in', async () => {
    const home = await temporaryFolder();
    const registry = await openTestRegistry({ home });
    await startChild(new URL('../children/stop-before-index.ts', import.meta.url), [home, 'skip']).ended;
    await installFiles(registry, { a: 'b' });
    expect((await registry.resolve('orphan')).entry.digest).toBe(DIGEST);
  }, 30_000);

  it('while overwriting leaves the new files and their entry, and nothing in staging', async () => {
    const home = await temporaryFolder();
    const registry = await openTestRegistry({ home });
    const old = await installFiles(registry, FILES, { alias: 'mine' as Alias, entry: { notes: 'old' } });
    await startChild(new URL('../children/stop-before-index.ts', import.meta.url), [home, 'overwrite']).ended;
    const again = await openTestRegistry({ home });
    expect((await again.resolve('orphan')).entry).toMatchObject({ id: old.id, notes: 'from the killed child' });
    expect((await again.check(DIGEST)).valid).toBe(true);
    expect(await readdir(registry.paths.staging)).toEqual([]);
  }, 30_000);

  it('between taking the old folder out and moving the new one in brings the old one back', async () => {
    const home = await temporaryFolder();
    const registry = await openTestRegistry({ home });
    const { localPath, id } = await installFiles(registry, FILES);
    await mkdir(registry.paths.staging, { recursive: true });
    await rename(localPath, join(registry.paths.staging, `replaced-centroid_${id}`));
    const log = warningLog();
    const again = await openTestRegistry({ home, log });
    expect((await lstat(localPath)).isDirectory()).toBe(true);
    expect((await again.check(DIGEST)).valid).toBe(true);
    expect(log.warnings).toHaveLength(1);
  });
});
