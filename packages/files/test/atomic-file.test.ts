import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { removeTemporaries, storageError, writeFileAtomic } from '@model-rtc/files';
import { rejection } from '../../../test/support/rejection.ts';
import { temporaryFolder } from '../../../test/support/temporary-folder.ts';

describe('writeFileAtomic', () => {
  it('replaces a file and leaves nothing beside it', async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'a.json');
    await writeFileAtomic(path, 'one');
    await writeFileAtomic(path, 'two');
    expect(await readFile(path, 'utf8')).toBe('two');
    expect(await readdir(folder)).toEqual(['a.json']);
  });

  it('gives a new file its mode', async () => {
    const path = join(await temporaryFolder(), 'key');
    await writeFileAtomic(path, 'secret', { mode: 0o600 });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it('keeps the old file and leaves nothing when the new one cannot take its place', async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'a.json');
    await mkdir(join(path, 'in-the-way'), { recursive: true });
    const error = await rejection(writeFileAtomic(path, 'new'));
    expect(error.code).toBe('storage');
    expect(error.message).toContain(path);
    expect(await readdir(folder)).toEqual(['a.json']);
  });

  it('names the path and says what to do when the disk is full', () => {
    const full = storageError(Object.assign(new Error('no space left'), { code: 'ENOSPC' }), '/data/a.json', 'written');
    expect(full).toMatchObject({ code: 'storage_full', exitCode: 7 });
    expect(full.message).toMatch(/\/data\/a\.json.*Free some space/);
  });

  it('removes what killed writers of one file left, and no other file', async () => {
    const folder = await temporaryFolder();
    // The second is of another file, and the third of somebody who waits for the lock.
    const others = ['b.json.12-0123456789ab.tmp', 'a.json.lock.0123456789abcdef01234567.tmp'];
    for (const name of ['a.json.12-0123456789ab.tmp', ...others]) await writeFile(join(folder, name), '');
    await writeFile(join(folder, 'a.json'), '');
    await removeTemporaries(join(folder, 'a.json'));
    expect((await readdir(folder)).sort()).toEqual(['a.json', ...others].sort());
  });
});
