import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { acquireLock } from '@model-rtc/files';
import { silentLog } from '@model-rtc/protocol';
import { rejection } from '../../../test/support/rejection.ts';
import { temporaryFolder } from '../../../test/support/temporary-folder.ts';
import { keepStatusFile, readWorkerStatus, type WorkerStatus, workerLockPath } from '../src/status-file.ts';

const STATUS: WorkerStatus = {
  ...{ name: 'lab', version: '1.0.0', startedAt: '2026-01-01T00:00:00Z', keyId: 'abcd', urls: [], folders: [] },
  ...{ signaling: [], clients: [] },
};

describe('the file with the status of a worker', () => {
  it('is readable by its owner only while the worker runs, and gone after', async () => {
    const root = await temporaryFolder();
    const lock = await acquireLock(workerLockPath(root));
    const stop = keepStatusFile(root, () => STATUS, silentLog);
    await stop();
    expect(await readdir(root)).toEqual(['worker.lock']);
    expect(await readWorkerStatus(root)).toMatchObject({ process: { pid: process.pid }, status: undefined });
    await lock.release();
    expect(await rejection(readWorkerStatus(root))).toMatchObject({ code: 'not_found_locally', exitCode: 4 });
  });

  it('says what the worker says', async () => {
    const root = await temporaryFolder();
    await using _lock = await acquireLock(workerLockPath(root));
    const stop = keepStatusFile(root, () => STATUS, silentLog);
    const path = join(root, 'worker-status.json');
    while (!(await readdir(root)).includes('worker-status.json')) await new Promise((resolve) => setImmediate(resolve));
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(JSON.parse(await readFile(path, 'utf8'))).toEqual(STATUS);
    expect((await readWorkerStatus(root)).status).toEqual(STATUS);
    await stop();
  });
});
