import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { acquireLock } from '@model-rtc/files';
import { rejection } from '../../../test/support/rejection.ts';
import { startChild } from '../../../test/support/script-child.ts';
import { temporaryFolder } from '../../../test/support/temporary-folder.ts';

async function lockPath(): Promise<string> {
  return join(await temporaryFolder(), 'a.lock');
}

describe('a lock', () => {
  it('is held by one process at a time', async () => {
    const path = await lockPath();
    const counter = join(path, '..', 'counter');
    await writeFile(counter, '0');
    const children = Array.from({ length: 4 }, () =>
      startChild(new URL('./children/count-under-lock.ts', import.meta.url), [path, counter, '50']),
    );
    for (const { ended } of children) expect(await ended).toMatchObject({ code: 0 });
    expect(await readFile(counter, 'utf8')).toBe('200');
  }, 60_000);

  it('of a process that was killed is taken at once', async () => {
    const path = await lockPath();
    const child = startChild(new URL('./children/hold-lock.ts', import.meta.url), [path]);
    await child.saw('held');
    expect((await rejection(acquireLock(path, { waitMs: 0 }))).message).toContain(`process ${child.process.pid}`);
    child.process.kill('SIGKILL');
    await child.ended;
    const lock = await acquireLock(path, { waitMs: 0 });
    await lock.release();
    expect(await readdir(join(path, '..'))).toEqual([]);
  }, 30_000);
});
