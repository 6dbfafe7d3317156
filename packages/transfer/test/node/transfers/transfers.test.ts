import { readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { describeSelf } from '@model-rtc/files';
import { ModelRtcError } from '@model-rtc/protocol';
import { rejection } from '../../../../../test/support/rejection.ts';
import { temporaryFolder } from '../../../../../test/support/temporary-folder.ts';
import { VirtualClock } from '../../../../../test/support/virtual-clock.ts';
import {
  cancelTransfer,
  findTransfer,
  readTransfers,
  type TrackedTransfer,
  trackTransfer,
} from '../../../src/index.ts';
import { tidyTransfers } from '../../../src/node/transfers/record-file.ts';

const ABOUT = { kind: 'pull', name: 'mouse', peers: ['lab'] } as const;

interface Running {
  readonly transfer: TrackedTransfer;
  readonly done: Promise<unknown>;
  fail(error: unknown): void;
  complete(): void;
}

/** A transfer whose end the test decides, unless it is cancelled before. */
async function begin(folder: string, clock = new VirtualClock(), signal?: AbortSignal): Promise<Running> {
  let end: { resolve: () => void; reject: (error: unknown) => void } | undefined;
  let started: (transfer: TrackedTransfer) => void = () => {};
  const running = new Promise<TrackedTransfer>((resolve) => {
    started = resolve;
  });
  const done = trackTransfer({ folder, about: ABOUT, clock, signal }, async (transfer) => {
    await new Promise<void>((resolve, reject) => {
      end = { resolve, reject };
      transfer.signal.addEventListener('abort', () => reject(transfer.signal.reason));
      started(transfer);
    });
  });
  done.catch(() => undefined);
  const transfer = await running;
  return { transfer, done, fail: (error) => end?.reject(error), complete: () => end?.resolve() };
}

async function only(folder: string) {
  const [record, ...others] = await readTransfers(folder);
  expect(others).toEqual([]);
  return record;
}

/** A record as another process would have left it. */
async function leave(folder: string, id: string, changes: object = {}, owner: object = {}): Promise<void> {
  const at = '2026-11-01T10:00:00.000Z';
  await writeFile(
    join(folder, `${id}.json`),
    JSON.stringify({
      ...{ version: 1, id, kind: 'pull', name: 'mouse', peers: [], state: 'transferring' },
      ...{ doneBytes: 1, totalBytes: 2, bytesPerSecond: 3, startedAt: at, updatedAt: at },
      owner: { pid: 2 ** 22 + 7, host: hostname(), token: 'x', ...owner },
      ...changes,
    }),
  );
}

describe('the record of a transfer', () => {
  it('says how far it is, and is written about once a second', async () => {
    const folder = await temporaryFolder();
    const clock = new VirtualClock();
    const { transfer, complete, done } = await begin(folder, clock);
    expect(await only(folder)).toMatchObject({ ...ABOUT, id: transfer.id, state: 'connecting', pid: process.pid });
    transfer.note({ state: 'transferring', doneBytes: 10, totalBytes: 100, bytesPerSecond: 5 });
    await expectSoon(() => only(folder), { state: 'transferring', doneBytes: 10 });
    for (let doneBytes = 11; doneBytes <= 50; doneBytes++) transfer.note({ state: 'transferring', doneBytes });
    await clock.advance(400);
    expect(await only(folder)).toMatchObject({ doneBytes: 10 });
    await clock.advance(1_000);
    await expectSoon(() => only(folder), { doneBytes: 50, totalBytes: 100 });
    complete();
    await done;
    expect(await only(folder)).toMatchObject({ state: 'completed', doneBytes: 100, bytesPerSecond: 0 });
  });

  it.each([
    ['verification_failed', 'failed', 'hash_mismatch'],
    ['timeout', 'failed', 'timeout'],
    ['network', 'failed', 'network_error'],
    ['worker_offline', 'failed', 'network_error'],
    ['storage_full', 'failed', 'storage_full'],
    ['cancelled', 'cancelled', 'user_cancelled'],
    ['alias_taken', 'failed', 'alias_taken'],
  ] as const)('after %s is %s because of %s', async (code, state, reason) => {
    const folder = await temporaryFolder();
    const { fail, done } = await begin(folder);
    fail(new ModelRtcError(code, 'Why.'));
    expect(await rejection(done)).toMatchObject({ code, message: 'Why.' });
    expect(await only(folder)).toMatchObject({ state, reason, message: 'Why.' });
  });

  it('of a process that ended without a word is failed from then on', async () => {
    const folder = await temporaryFolder();
    await leave(folder, '00000000aa');
    expect(await only(folder)).toMatchObject({ state: 'failed', reason: 'process_ended', bytesPerSecond: 0 });
    expect(JSON.parse(await readFile(join(folder, '00000000aa.json'), 'utf8'))).toMatchObject({ state: 'failed' });
  });

  it('of another machine counts as failed once it is silent', async () => {
    const folder = await temporaryFolder();
    await leave(folder, '00000000aa', {}, { host: 'elsewhere' });
    expect((await readTransfers(folder, new Date('2026-11-01T10:01:00Z')))[0]).toMatchObject({ state: 'transferring' });
    expect((await readTransfers(folder, new Date('2026-11-01T10:05:00Z')))[0]).toMatchObject({ state: 'failed' });
  });

  it('is left out when it is damaged, and the others are shown', async () => {
    const folder = await temporaryFolder();
    await leave(folder, '00000000aa', { state: 'completed' });
    await leave(folder, '00000000bb', { doneBytes: -1 });
    await leave(folder, '00000000cc', { id: '../../etc' });
    await writeFile(join(folder, '00000000dd.json'), '{"version":1');
    await writeFile(join(folder, '00000000ee.json'), 'x'.repeat(100_000));
    await writeFile(join(folder, 'notes.json'), '{}');
    expect((await readTransfers(folder)).map(({ id }) => id)).toEqual(['00000000aa']);
  });

  it('is cut where another machine gave long names', async () => {
    const folder = await temporaryFolder();
    const about = { ...ABOUT, name: 'n'.repeat(5000), peers: Array.from({ length: 99 }, () => 'p'.repeat(999)) };
    await trackTransfer({ folder, about }, async () => undefined);
    expect((await only(folder))?.name).toHaveLength(1024);
  });

  it('that cannot be written stops no transfer', async () => {
    const folder = join(await temporaryFolder(), 'file');
    await writeFile(folder, 'not a folder');
    expect(await trackTransfer({ folder, about: ABOUT }, async () => 'done')).toBe('done');
  });

  it('goes when there are many or it is old, and never while it runs', async () => {
    const folder = await temporaryFolder();
    const ended = { state: 'completed', endedAt: '2026-11-02T10:00:00.000Z' };
    for (let i = 0; i < 260; i++) {
      const startedAt = new Date(Date.parse('2026-11-01T10:00:00Z') + i * 1000).toISOString();
      await leave(folder, i.toString(16).padStart(10, '0'), { ...ended, startedAt });
    }
    await leave(folder, 'ffffffffff', {}, await describeSelf('x'));
    await tidyTransfers(folder, new Date('2026-11-03T10:00:00Z'));
    expect(await readdir(folder)).toHaveLength(201);
    expect(await readdir(folder)).not.toContain('0000000000.json');
    const old = new Date('2026-01-01');
    for (const name of await readdir(folder)) await utimes(join(folder, name), old, old);
    await tidyTransfers(folder, new Date('2027-11-03T10:00:00Z'));
    expect(await readdir(folder)).toEqual(['ffffffffff.json']);
  });
});

describe('cancelling a transfer', () => {
  it('ends the one that is meant and no other', async () => {
    const folder = await temporaryFolder();
    const clock = new VirtualClock();
    const first = await begin(folder, clock);
    const second = await begin(folder, clock);
    const cancelling = cancelTransfer(folder, second.transfer.id.slice(0, 9), { clock: realClock() });
    const error = await untilRejected(clock, second.done);
    expect(error).toMatchObject({ code: 'cancelled', message: expect.stringContaining(second.transfer.id) });
    expect(await cancelling).toMatchObject({ outcome: 'cancelled', transfer: { state: 'cancelled' } });
    expect(first.transfer.signal.aborted).toBe(false);
    first.complete();
    await first.done;
    expect((await readdir(folder)).filter((name) => name.endsWith('.cancel'))).toEqual([]);
  });

  it('changes nothing of one that has ended, or whose process has', async () => {
    const folder = await temporaryFolder();
    await leave(folder, '00000000aa', { state: 'completed' });
    await leave(folder, '00000000bb');
    expect(await cancelTransfer(folder, '00000000a')).toMatchObject({ outcome: 'over_already' });
    expect(await cancelTransfer(folder, '00000000b')).toMatchObject({ outcome: 'over_already' });
    expect(await readdir(folder)).toEqual(['00000000aa.json', '00000000bb.json']);
  });

  it('needs an id that begins one transfer alone', async () => {
    const folder = await temporaryFolder();
    await leave(folder, '00000000aa');
    await leave(folder, '00000000bb');
    expect(await rejection(findTransfer(folder, '0000'))).toMatchObject({ code: 'ambiguous' });
    expect(await rejection(findTransfer(folder, 'ff'))).toMatchObject({ code: 'not_found_locally' });
    expect(await rejection(findTransfer(folder, '../x'))).toMatchObject({ code: 'bad_argument' });
  });

  it('by its own signal says so', async () => {
    const folder = await temporaryFolder();
    const controller = new AbortController();
    const { done } = await begin(folder, new VirtualClock(), controller.signal);
    controller.abort(new ModelRtcError('cancelled', 'Cancelled.'));
    expect(await rejection(done)).toMatchObject({ message: 'Cancelled.' });
    expect(await only(folder)).toMatchObject({ state: 'cancelled', reason: 'user_cancelled' });
  });
});

function realClock() {
  return {
    nowMs: () => performance.now(),
    after: (ms: number, callback: () => void) => {
      const timer = setTimeout(callback, Math.min(ms, 5));
      return () => clearTimeout(timer);
    },
    every: () => () => {},
  };
}

async function untilRejected(clock: VirtualClock, done: Promise<unknown>): Promise<unknown> {
  let error: unknown;
  void done.catch((thrown: unknown) => {
    error = thrown;
  });
  while (error === undefined) {
    await clock.advance(500);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return error;
}

/** A record is written while the transfer goes on, so what it says comes a moment later. */
async function expectSoon(read: () => Promise<unknown>, wanted: object): Promise<void> {
  for (let tries = 0; ; tries++) {
    const found = await read();
    if (tries < 4_000 && !matches(found, wanted)) await new Promise((resolve) => setTimeout(resolve, 5));
    else return expect(found).toMatchObject(wanted);
  }
}

function matches(found: unknown, wanted: object): boolean {
  return Object.entries(wanted).every(([name, value]) => (found as Record<string, unknown>)?.[name] === value);
}
