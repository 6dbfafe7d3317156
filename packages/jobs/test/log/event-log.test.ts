import { appendFile, mkdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type JobEvent, silentLog } from '@model-rtc/protocol';
import { rejection } from '../../../../test/support/rejection.ts';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { EventLog } from '../../src/log/event-log.ts';
import { readEvents } from '../../src/log/read-events.ts';

async function openLog(path: string, maxBytes = 1e9): Promise<EventLog> {
  return await EventLog.open({ path, maxBytes, now: () => new Date(), log: silentLog });
}

function line(text: string) {
  return { type: 'log', stream: 'stdout', text } as const;
}

async function read(path: string, log: EventLog | undefined, fromEvent = 1, wait = false): Promise<JobEvent[]> {
  const all: JobEvent[] = [];
  for await (const events of readEvents(path, log, { fromEvent, wait, signal: undefined })) all.push(...events);
  return all;
}

describe('the events of a job', () => {
  it('are read from any number on, in batches that fit into a message', async () => {
    const path = join(await temporaryFolder(), 'log.jsonl');
    const log = await openLog(path);
    for (let i = 1; i <= 5_000; i++) log.add(line(`line ${i}`));
    await log.end();
    expect(await read(path, undefined, 4_999)).toMatchObject([
      { number: 4_999, text: 'line 4999' },
      { number: 5_000, text: 'line 5000' },
    ]);
    const sizes: number[] = [];
    for await (const events of readEvents(path, log, { fromEvent: 1, wait: true, signal: undefined })) {
      sizes.push(JSON.stringify(events).length);
    }
    expect(Math.max(...sizes)).toBeLessThan(64 * 1024);
  });

  it('come to those who wait, and end when the job does', async () => {
    const path = join(await temporaryFolder(), 'log.jsonl');
    const log = await openLog(path);
    const readers = [1, 2, 3].map((from) => read(path, log, from, true));
    for (let i = 1; i <= 3; i++) {
      log.add(line(String(i)));
      await log.flush();
    }
    await log.end();
    const seen = await Promise.all(readers);
    expect(seen.map((events) => events.map(({ number }) => number))).toEqual([[1, 2, 3], [2, 3], [3]]);
  });

  it('end for a reader that goes away', async () => {
    const path = join(await temporaryFolder(), 'log.jsonl');
    const controller = new AbortController();
    const events = readEvents(path, await openLog(path), { fromEvent: 1, wait: true, signal: controller.signal });
    const next = rejection(events[Symbol.asyncIterator]().next());
    controller.abort();
    expect((await next).code).toBe('cancelled');
  });

  it('go on from the last whole line of a worker that was killed', async () => {
    const path = join(await temporaryFolder(), 'log.jsonl');
    const log = await openLog(path);
    log.add(line('whole'));
    await log.end();
    await appendFile(path, '{"number": 2, "type"');
    const again = await openLog(path);
    again.add(line('next'));
    await again.end();
    expect(await read(path, undefined)).toMatchObject([{ number: 1 }, { number: 2, text: 'next' }]);
  });

  it('that somebody damaged are passed over', async () => {
    const path = join(await temporaryFolder(), 'log.jsonl');
    const log = await openLog(path);
    log.add(line('one'));
    await log.end();
    await appendFile(
      path,
      `not json\n{"type": "log"}\n${JSON.stringify({ ...line('four'), number: 4, at: new Date() })}\n`,
    );
    expect((await read(path, undefined)).map(({ number }) => number)).toEqual([1, 4]);
  });

  it('stop neither the program nor the job when the disk takes nothing, and go on when it does', async () => {
    const path = join(await temporaryFolder(), 'log.jsonl');
    const log = await openLog(path);
    await mkdir(path);
    for (let i = 0; i < 40_000; i++) {
      log.add(line(`${i} ${'x'.repeat(100)}`));
      await log.room();
    }
    await log.flush();
    await rm(path, { recursive: true });
    log.addTail();
    await log.end();
    const events = await read(path, log);
    expect(events.map(({ number }) => number)).toEqual(events.map((_, index) => index + 1));
    expect(events.at(0)).toMatchObject({ text: expect.stringMatching(/^0 x/) });
    expect(events.at(-1)).toMatchObject({ text: expect.stringMatching(/^39999 x/) });
    expect(events.length).toBeLessThan(20_000);
  });

  it('take no more of the disk than the limit and the last lines', async () => {
    const path = join(await temporaryFolder(), 'log.jsonl');
    const log = await openLog(path, 100_000);
    for (let i = 0; i < 50_000; i++) {
      log.add(line(`${i} ${'x'.repeat(1000)}`));
      await log.room();
    }
    log.addTail();
    await log.end();
    expect((await stat(path)).size).toBeLessThan(500_000);
    expect(await readFile(path, 'utf8')).toContain('"49999 x');
  });
});
