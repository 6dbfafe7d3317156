import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { cancelTransfer, prioritizeTransfer, readTransfers } from '@model-rtc/transfer';
import { fetchResults, sendData } from '../../src/index.ts';
import { ChunkHold, failure, importBytes, seededBytes } from '../support/lab.ts';
import { type DataLab, JOB, openDataLab, writeFiles } from './data-lab.ts';

const VIDEO = seededBytes(3 * 1024 * 1024 + 1000, 1);

async function send({ here, worker, folder }: DataLab, options: Parameters<typeof sendData>[2] = {}) {
  await writeFiles(folder, { 'mouse.mp4': VIDEO });
  return await sendData(worker(), [await here.hashFileSet(join(folder, 'mouse.mp4'))], options);
}

const recordsOf = async ({ paths }: DataLab['here']) => await readTransfers(paths.transfers);

/** Resolves with the only transfer of this machine, once some of it has moved. */
async function moving(registry: DataLab['here']) {
  for (;;) {
    const [found] = await recordsOf(registry);
    if (found !== undefined && found.doneBytes > 0) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe('the transfers of a job', () => {
  it('are known on both machines: data that goes to the worker, with what the client said of its priority', async () => {
    const lab = await openDataLab();
    await send(lab, { priority: 'high' });
    const record = { state: 'completed', doneBytes: VIDEO.length, totalBytes: VIDEO.length };
    expect(await recordsOf(lab.here)).toMatchObject([
      { ...record, kind: 'data_push', name: 'mouse.mp4', priority: 'high', peers: ['gpu-box'] },
    ]);
    expect(await recordsOf(lab.there)).toMatchObject([
      { ...record, kind: 'data_receive', name: 'mouse.mp4', priority: 'normal', peers: ['laptop'] },
    ]);
    await send(lab);
    // What is there is not sent, and is no transfer.
    expect(await recordsOf(lab.here)).toHaveLength(1);
  });

  it('can be cancelled at the worker by their ids: the client hears of it', async () => {
    const hold = new ChunkHold(1);
    const lab = await openDataLab({ clientHold: hold });
    const sending = failure(send(lab));
    const { id } = await moving(lab.there);
    expect(await cancelTransfer(lab.there.paths.transfers, id)).toMatchObject({
      transfer: { kind: 'data_receive', state: 'cancelled', reason: 'user_cancelled' },
    });
    expect(await sending).toMatchObject({ code: 'cancelled' });
    expect(await recordsOf(lab.here)).toMatchObject([{ kind: 'data_push', state: 'cancelled' }]);
  });

  it('can be cancelled by their ids and given another priority: results that come back', async () => {
    const hold = new ChunkHold(1);
    const lab = await openDataLab({ hold });
    await lab.finish({ 'result.slp': VIDEO });
    const fetching = failure(fetchResults(lab.worker(), JOB, join(lab.folder, 'out.slp'), { priority: 'low' }));
    const { id, kind, name, priority } = await moving(lab.here);
    expect([kind, name, priority]).toEqual(['results_pull', `job ${JOB}`, 'low']);
    expect(await prioritizeTransfer(lab.here.paths.transfers, id, 'critical')).toMatchObject({ outcome: 'changed' });
    expect(await cancelTransfer(lab.here.paths.transfers, id)).toMatchObject({ outcome: 'cancelled' });
    expect(await fetching).toMatchObject({ code: 'cancelled', details: { transfer: id } });
  });
});

describe('a repair from a worker', () => {
  it('has the priority that was asked for', async () => {
    const lab = await openDataLab();
    await importBytes(lab.there, VIDEO, { alias: 'mouse' });
    await lab.client.pullModel('mouse');
    await lab.client.repairModel('mouse', { priority: 'critical' });
    expect((await recordsOf(lab.here)).find(({ kind }) => kind === 'repair')).toMatchObject({ priority: 'critical' });
  });
});
