import { readFile, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { describeSelf } from '@model-rtc/files';
import { temporaryFolder } from '../../../../../test/support/temporary-folder.ts';
import { VirtualClock } from '../../../../../test/support/virtual-clock.ts';
import {
  type Priority,
  prioritizeTransfer,
  readTransfers,
  type TrackedTransfer,
  trackTransfer,
} from '../../../src/index.ts';
import { wantedPriority } from '../../../src/node/transfers/asks.ts';
import { TransferPace } from '../../../src/node/transfers/pace.ts';
import { readRecord, type StoredTransfer } from '../../../src/node/transfers/record-file.ts';

interface Running {
  readonly transfer: TrackedTransfer;
  readonly end: () => Promise<unknown>;
}

async function begin(folder: string, clock: VirtualClock, priority?: Priority): Promise<Running> {
  let finish = (): void => {};
  let done: Promise<unknown> | undefined;
  const about = { kind: 'pull', name: 'mouse', priority } as const;
  const transfer = await new Promise<TrackedTransfer>((started) => {
    done = trackTransfer({ folder, about, clock }, async (running) => {
      started(running);
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
    });
  });
  return {
    transfer,
    async end() {
      finish();
      await done;
    },
  };
}

/** The record of a transfer that another process runs. */
async function leaveRival(folder: string, changes: object = {}, owner: object = {}, id = '00000000aa'): Promise<void> {
  const at = new Date().toISOString();
  const record = {
    ...{ version: 1, id, kind: 'pull', name: 'rat', peers: [], state: 'transferring', priority: 'critical' },
    ...{ doneBytes: 1, totalBytes: 2, bytesPerSecond: 9_000_000, startedAt: at, updatedAt: at },
    owner: { ...(await describeSelf(id)), ...owner },
  };
  await writeFile(join(folder, `${id}.json`), JSON.stringify({ ...record, ...changes }));
}

/** Waits until it gives way, or no more. */
async function untilGivingWay(isGiving: boolean, { transfer }: Running, clock: VirtualClock): Promise<void> {
  await until(clock, () => (transfer.limiter.room() !== Number.POSITIVE_INFINITY) === isGiving);
}

/** Reading files takes real time, whatever the clock says. The test's own time limit ends a wait in vain. */
async function until(clock: VirtualClock, isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) {
    await clock.advance(500);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe('the priority of a transfer', () => {
  it('is in its record, and normal where nobody said it', async () => {
    const [folder, clock] = [await temporaryFolder(), new VirtualClock()];
    const all = [await begin(folder, clock), await begin(folder, clock, 'low')];
    expect((await readTransfers(folder)).map(({ priority }) => priority).sort()).toEqual(['low', 'normal']);
    for (const { end } of all) await end();
    await leaveRival(folder, { priority: undefined });
    expect((await readTransfers(folder)).find(({ name }) => name === 'rat')?.priority).toBe('normal');
  });

  it('makes it give way to a more urgent transfer of another process, until that is over', async () => {
    const [folder, clock] = [await temporaryFolder(), new VirtualClock()];
    const running = await begin(folder, clock);
    expect(running.transfer.limiter.room()).toBe(Number.POSITIVE_INFINITY);
    await leaveRival(folder);
    await untilGivingWay(true, running, clock);
    expect(running.transfer.limiter.room()).toBeLessThan(900_000);
    await leaveRival(folder, { state: 'completed' });
    await untilGivingWay(false, running, clock);
    await running.end();
  });

  it.each([
    ['is no more urgent', { priority: 'normal' }, {}],
    ['moves nothing', { bytesPerSecond: 0 }, {}],
    ['only waits', { state: 'idle' }, {}],
    ['moves data the other way', { kind: 'push' }, {}],
    ['was killed', {}, { pid: 2 ** 22 + 7, host: hostname() }],
    ['is silent, as a stopped process is', { updatedAt: '2026-01-01T00:00:00.000Z' }, {}],
  ])('holds up nobody for a transfer that %s', async (_, changes, owner) => {
    const [folder, clock] = [await temporaryFolder(), new VirtualClock()];
    const { transfer, end } = await begin(folder, clock);
    const own = { ...(await readRecord(folder, transfer.id)), bytesPerSecond: 1_000 } as StoredTransfer;
    const pace = new TransferPace(folder, clock);
    const room = async (): Promise<number> => {
      clock.sleep(2_000);
      await pace.look(() => own);
      return pace.limiter.room();
    };
    await leaveRival(folder, changes, owner);
    expect(await room()).toBe(Number.POSITIVE_INFINITY);
    await leaveRival(folder, {}, {}, '00000000bb');
    expect(await room()).toBeLessThan(900_000);
    await end();
  });

  it('can be changed while it runs, by another process', async () => {
    const [folder, clock] = [await temporaryFolder(), new VirtualClock()];
    const { transfer, end } = await begin(folder, clock);
    const heard: Priority[] = [];
    transfer.onPriority((priority) => heard.push(priority));
    const changing = prioritizeTransfer(folder, transfer.id.slice(0, 8), 'critical');
    const record = async () => JSON.parse(await readFile(join(folder, `${transfer.id}.json`), 'utf8'));
    await until(clock, async () => (await record()).priority === 'critical');
    expect(await changing).toMatchObject({ outcome: 'changed', before: 'normal', transfer: { priority: 'critical' } });
    expect(heard).toEqual(['normal', 'critical']);
    expect(await prioritizeTransfer(folder, transfer.id, 'critical')).toMatchObject({ outcome: 'unchanged' });
    await end();
    expect(await prioritizeTransfer(folder, transfer.id, 'low')).toMatchObject({ outcome: 'over_already' });
  });

  it('stays as it is when the file that changes it makes no sense', async () => {
    const [folder, clock] = [await temporaryFolder(), new VirtualClock()];
    const { transfer, end } = await begin(folder, clock);
    await writeFile(join(folder, `${transfer.id}.priority`), 'urgent!\n');
    expect(await wantedPriority(folder, transfer.id)).toBeUndefined();
    await writeFile(join(folder, `${transfer.id}.priority`), 'low\n');
    expect(await wantedPriority(folder, transfer.id)).toBe('low');
    await end();
  });
});
