import { link, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { silentLog } from '@model-rtc/protocol';
import { partFiles } from '../../src/files/break-hard-links.ts';

describe('partFiles', () => {
  it('gives files with a second name bytes of their own, at any depth, and leaves the others as they are', async () => {
    const root = await mkdtemp(join(tmpdir(), 'model-rtc-part-'));
    const [kept, other] = [join(root, 'kept'), join(root, 'other')];
    await mkdir(join(kept, 'deep'), { recursive: true });
    await writeFile(other, 'weights', { mode: 0o640 });
    await link(other, join(kept, 'deep', 'weights'));
    await writeFile(join(kept, 'config'), 'own');
    const own = await stat(join(kept, 'config'));
    await partFiles(kept, silentLog);
    await writeFile(join(kept, 'deep', 'weights'), 'changed');
    expect(await readFile(other, 'utf8')).toBe('weights');
    const parted = await stat(join(kept, 'deep', 'weights'));
    expect([parted.nlink, parted.mode & 0o777]).toEqual([1, 0o640]);
    expect((await stat(join(kept, 'config'))).ino).toBe(own.ino);
    expect(await readdir(join(kept, 'deep'))).toEqual(['weights']);
    await rm(root, { recursive: true });
  });
});
