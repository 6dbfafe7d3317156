import { readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { Alias, Digest } from '@model-rtc/protocol';
import { installFiles } from '../helpers/models.ts';
import { openTestRegistry } from '../helpers/registry.ts';
import { makeLlama } from './make-model.ts';

async function installed() {
  const registry = await openTestRegistry();
  const entry = await installFiles(registry, makeLlama(), { alias: 'mouse' as Alias });
  return { registry, entry };
}

describe('an entry without a folder', () => {
  it('is found, and one with its folder is not', async () => {
    const { registry, entry } = await installed();
    expect(await registry.entriesWithoutFolders()).toEqual([]);
    await rm(entry.localPath, { recursive: true });
    expect((await registry.entriesWithoutFolders()).map(({ id }) => id)).toEqual([entry.id]);
  });

  it('leaves the registry, and is kept beside with all that was said of it', async () => {
    const { registry, entry } = await installed();
    await registry.update(entry.id, { notes: 'the good one' });
    await rm(entry.localPath, { recursive: true });
    const kept = (await registry.dropEntry(entry.id)) as string;
    expect(JSON.parse(await readFile(join(kept, 'entry.json'), 'utf8'))).toMatchObject({
      ...{ digest: entry.digest, alias: 'mouse', notes: 'the good one' },
    });
    expect(await registry.find(entry.digest as Digest)).toBeUndefined();
    expect(await registry.dropEntry(entry.id)).toBeUndefined();
  });

  it('stays when its folder came back meanwhile', async () => {
    const { registry, entry } = await installed();
    const aside = join(registry.paths.root, 'aside');
    await rename(entry.localPath, aside);
    expect(await registry.entriesWithoutFolders()).toHaveLength(1);
    await rename(aside, entry.localPath);
    expect(await registry.dropEntry(entry.id)).toBeUndefined();
    expect((await registry.verify('mouse')).state).toBe('sound');
  });
});

describe('noting what one check found', () => {
  it('keeps what the others found', async () => {
    const { registry, entry } = await installed();
    const digest = entry.digest as Digest;
    await registry.validate('mouse', { version: '1.0.0' });
    const failed = { check: 'checksums', outcome: 'failed', detail: 'wrong' } as const;
    await registry.noteCheck(digest, failed, '2.0.0');
    const { validation } = (await registry.resolve('mouse')).entry;
    expect(validation?.version).toBe('2.0.0');
    expect(validation?.results.filter(({ check }) => check === 'checksums')).toEqual([failed]);
    expect(validation?.results.find(({ check }) => check === 'config')?.outcome).toBe('passed');
  });
});
