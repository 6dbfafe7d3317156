import { access, readdir, readFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { acquireLock } from '@model-rtc/files';
import { type Alias, type Digest, listModelsParams } from '@model-rtc/protocol';
import { startChild } from '../../../../test/support/script-child.ts';
import { openRegistry } from '../../src/index.ts';
import { installFiles } from '../helpers/models.ts';
import { openTestRegistry, warningLog } from '../helpers/registry.ts';

const FILES = { 'best.ckpt': 'weights', 'sub/config.yaml': 'a: 1' };

/** A registry with one model, whose removal was killed just before a step. */
async function killedBefore(step: 'index' | 'rename' | 'rm', keep = false) {
  const registry = await openTestRegistry();
  const { id, digest, localPath } = await installFiles(registry, FILES, { alias: 'mouse' as Alias });
  const home = registry.paths.root;
  const { signal, output } = await startChild(new URL('../children/remove-and-stop.ts', import.meta.url), [
    home,
    id,
    step,
    keep ? 'keep' : 'delete',
  ]).ended;
  expect({ signal, output }).toEqual({ signal: 'SIGKILL', output: 'about to do the step' });
  return { home, paths: registry.paths, digest: digest as Digest, localPath };
}

describe('a removal that is killed', () => {
  it.each([[false], [true]])(
    'before the index is written leaves the model as it was (kept files: %s)',
    async (keep) => {
      const { home, paths, digest, localPath } = await killedBefore('index', keep);
      expect(await readdir(paths.models)).not.toContain(basename(localPath));
      const log = warningLog();
      await using again = await openRegistry({ home, log });
      expect((await again.resolve('mouse')).entry).toMatchObject({ digest, localPath, displayStatus: 'completed' });
      expect(await again.check(digest)).toMatchObject({ valid: true });
      expect(await readdir(paths.staging)).toEqual([]);
      expect(log.warnings).toHaveLength(1);
    },
  );

  it.each(['rename', 'rm'] as const)('after it, before the %s, is finished by the next process', async (step) => {
    const { home, paths } = await killedBefore(step);
    await using again = await openRegistry({ home });
    expect((await again.list(listModelsParams.parse({}))).total).toBe(0);
    expect(await readdir(paths.staging)).toEqual([]);
    expect(await readdir(paths.models)).toEqual(['registry.json']);
  });

  it('after it still keeps the files that were to be kept', async () => {
    const { home, paths, localPath } = await killedBefore('rename', true);
    await using again = await openRegistry({ home });
    expect((await again.list(listModelsParams.parse({}))).total).toBe(0);
    const kept = join(paths.kept, basename(localPath));
    expect(await readFile(join(kept, 'best.ckpt'), 'utf8')).toBe('weights');
    expect(await readdir(paths.staging)).toEqual([]);
  });

  it('never brings half a model back, even when the index is lost as well', async () => {
    const { home, paths } = await killedBefore('rm');
    await rm(paths.registryFile);
    await using again = await openRegistry({ home });
    expect((await again.list(listModelsParams.parse({}))).total).toBe(0);
    expect(await readdir(paths.staging)).toEqual([]);
  });

  it('is finished by a process that goes on with other things, and not by one while the first still deletes', async () => {
    const { home, paths } = await killedBefore('rm');
    const [doomed] = (await readdir(paths.staging)).filter((name) => /^doomed-[0-9a-f]+$/.test(name));
    const lockPath = join(paths.staging, `${doomed}.lock`);
    await rm(lockPath, { force: true });
    const lock = await acquireLock(lockPath);
    await using other = await openRegistry({ home });
    expect(await readdir(paths.staging)).toContain(doomed);
    await lock.release();
    await installFiles(other, FILES);
    expect(await readdir(paths.staging)).toEqual([]);
  });

  it('at any moment leaves each model whole or gone', async () => {
    const registry = await openTestRegistry();
    const { root: home, models, staging } = registry.paths;
    const entries = [];
    for (let i = 0; i < 12; i++) entries.push(await installFiles(registry, { ...FILES, number: `${i}` }));
    let left = entries.map(({ id }) => id);
    for (const place of [0, 3]) {
      const child = startChild(new URL('../children/remove-many.ts', import.meta.url), [home, ...left]);
      await child.saw(`removing ${place}`);
      child.process.kill('SIGKILL');
      await child.ended;
      await using again = await openRegistry({ home });
      const page = await again.list(listModelsParams.parse({ limit: 100 }));
      left = page.models.map(({ id }) => id);
      for (const { digest } of page.models) expect(await again.check(digest as Digest)).toMatchObject({ valid: true });
      for (const { id, localPath } of entries) {
        const isThere = await access(localPath).then(
          () => true,
          () => false,
        );
        expect({ id, isThere }).toEqual({ id, isThere: left.includes(id) });
      }
      expect(await readdir(staging)).toEqual([]);
      // One that was killed before it wrote its name into the lock's file leaves it empty: that counts as dead after a while.
      const temporary = (await readdir(models)).filter((name) => name.endsWith('.tmp'));
      const written = await Promise.all(temporary.map(async (name) => await readFile(join(models, name), 'utf8')));
      expect(written.filter((text) => text !== '')).toEqual([]);
    }
    expect(left.length).toBeLessThanOrEqual(9);
  });
});
