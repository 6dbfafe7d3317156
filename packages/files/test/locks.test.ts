import { readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { acquireLock, withLock } from '@model-rtc/files';
import { rejection } from '../../../test/support/rejection.ts';
import { temporaryFolder } from '../../../test/support/temporary-folder.ts';
import { describeSelf } from '../src/lock-owner.ts';

async function lockPath(): Promise<string> {
  return join(await temporaryFolder(), 'a.lock');
}

describe('a lock', () => {
  it('is held by one taker at a time within a process', async () => {
    const path = await lockPath();
    let inside = 0;
    let most = 0;
    await Promise.all(
      Array.from({ length: 20 }, () =>
        withLock(path, {}, async () => {
          most = Math.max(most, ++inside);
          await new Promise((resolve) => setImmediate(resolve));
          inside--;
        }),
      ),
    );
    expect(most).toBe(1);
  });

  it('leaves no file behind when it is released, and may be released twice', async () => {
    const path = await lockPath();
    const lock = await acquireLock(path);
    await lock.release();
    await lock.release();
    expect(await readdir(join(path, '..'))).toEqual([]);
  });

  it('of a process whose id another process has now is taken at once', async () => {
    const path = await lockPath();
    await writeFile(path, JSON.stringify({ ...(await describeSelf('old')), startTicks: '1' }));
    await (await acquireLock(path, { waitMs: 0 })).release();
  });

  it('names its living owner and when that took it, and promises nothing', async () => {
    const path = await lockPath();
    await using _held = await acquireLock(path);
    const error = await rejection(acquireLock(path, { waitMs: 0 }));
    expect(error.message).toMatch(new RegExp(`process ${process.pid} on ${hostname()}, since 20\\d\\d-`));
    expect(error.message).not.toContain('frees itself');
  });

  it('of an earlier boot of this machine is taken at once', async () => {
    const path = await lockPath();
    await writeFile(path, JSON.stringify({ ...(await describeSelf('old')), boot: 'before' }));
    await (await acquireLock(path, { waitMs: 0 })).release();
  });

  it('of another machine is respected while it shows life, and taken when it does not', async () => {
    const path = await lockPath();
    await writeFile(path, JSON.stringify({ pid: 1, host: `not-${hostname()}`, token: 'far' }));
    const error = await rejection(acquireLock(path, { waitMs: 0 }));
    expect(error).toMatchObject({ code: 'busy', details: { host: `not-${hostname()}`, pid: 1 } });
    expect(error.message).toMatch(/process 1 on not-.*its lock frees itself within 60 s/);
    const long = Date.now() / 1000 - 600;
    await utimes(path, long, long);
    await (await acquireLock(path, { waitMs: 0 })).release();
  });

  it('with nothing readable in it is respected when fresh, and taken when it is old', async () => {
    const path = await lockPath();
    await writeFile(path, '{');
    expect((await rejection(acquireLock(path, { waitMs: 0 }))).code).toBe('busy');
    const long = Date.now() / 1000 - 600;
    await utimes(path, long, long);
    await (await acquireLock(path, { waitMs: 0 })).release();
  });

  it('left by a dead owner is taken by one of many that find it', async () => {
    const path = await lockPath();
    await writeFile(path, JSON.stringify({ ...(await describeSelf('old')), startTicks: '1' }));
    const results = await Promise.allSettled(Array.from({ length: 10 }, () => acquireLock(path, { waitMs: 50 })));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect((await stat(path)).isFile()).toBe(true);
  });

  it('tells a waiter once who holds it, and the wait ends by the signal', async () => {
    const path = await lockPath();
    await using _ = await acquireLock(path);
    const controller = new AbortController();
    const owners: (number | undefined)[] = [];
    const onWait = (owner: { pid: number } | undefined): void => {
      owners.push(owner?.pid);
      setTimeout(() => controller.abort(), 100);
    };
    const error = await rejection(acquireLock(path, { signal: controller.signal, onWait }));
    expect(error.code).toBe('cancelled');
    expect(owners).toEqual([process.pid]);
  });

  it('that someone else took over is left to them on release', async () => {
    const path = await lockPath();
    const lock = await acquireLock(path);
    const other = JSON.stringify(await describeSelf('other'));
    await writeFile(path, other);
    await lock.release();
    expect(await readFile(path, 'utf8')).toBe(other);
  });
});
