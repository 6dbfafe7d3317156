import { describe, expect, it } from '@jest/globals';
import type { LaneInfo } from '@model-rtc/transport';
import { VirtualClock } from '../../../test/support/virtual-clock.ts';
import { TransferStats } from '../src/transfer-stats.ts';

/** What a receiver tells of 100 bytes. */
function told(state: string, reusedBytes: number, resumedBytes: number, transferredBytes: number) {
  const doneBytes = reusedBytes + resumedBytes + transferredBytes;
  return { type: 'progress' as const, state, doneBytes, totalBytes: 100, reusedBytes, resumedBytes, transferredBytes };
}

describe('TransferStats', () => {
  it('counts what each connection brought once, and what was there before apart', () => {
    const stats = new TransferStats();
    stats.begin();
    stats.note(told('preparing', 0, 0, 0));
    stats.note(told('transferring', 0, 10, 0));
    stats.note(told('transferring', 20, 10, 15));
    stats.begin();
    stats.note(told('preparing', 0, 0, 0));
    stats.note(told('transferring', 5, 45, 10));
    stats.begin();
    stats.note(told('transferring', 0, 60, 40));
    const report = stats.report([], told('completed', 0, 60, 40));
    expect(report).toMatchObject({ resumedBytes: 10, reusedBytes: 25, transferredBytes: 65 });
  });

  it('counts as wasted what was fetched of a content that changed', () => {
    const stats = new TransferStats();
    stats.begin();
    stats.note(told('transferring', 0, 0, 30));
    stats.startOver();
    stats.begin();
    stats.note(told('transferring', 25, 0, 0));
    const report = stats.report([], told('completed', 25, 0, 75));
    expect(report).toMatchObject({ resumedBytes: 0, reusedBytes: 25, transferredBytes: 75, wastedBytes: 30 });
  });

  it('takes only new bytes for progress, over all connections', () => {
    const clock = new VirtualClock();
    const stats = new TransferStats(clock);
    stats.note(told('transferring', 0, 0, 30));
    clock.sleep(50_000);
    stats.begin();
    stats.note(told('preparing', 0, 30, 0));
    expect(stats.watchdog.quietMs).toBeGreaterThanOrEqual(50_000);
    stats.note(told('transferring', 0, 30, 1));
    expect(stats.watchdog.quietMs).toBeLessThan(50_000);
  });

  it('warns of a push that stands still, and no more when it goes on', () => {
    const clock = new VirtualClock();
    const stats = new TransferStats(clock);
    const tell = (state: string, doneBytes: number) => {
      const { transferredBytes: _, ...event } = told(state, 0, 0, doneBytes);
      return stats.noteRemote(event, [], 'gpu-box').warning;
    };
    expect(tell('preparing', 0)).toBeUndefined();
    clock.sleep(100_000);
    // It waited for another transfer until now.
    expect(tell('transferring', 0)).toBeUndefined();
    clock.sleep(31_000);
    expect(tell('transferring', 0)).toMatchObject({ kind: 'stalled', message: expect.stringContaining('31 s') });
    expect(tell('transferring', 1)).toBeUndefined();
    clock.sleep(60_000);
    expect(tell('verifying', 1)).toBeUndefined();
  });

  it('says how fast each lane of a push sends', () => {
    const clock = new VirtualClock();
    const stats = new TransferStats(clock);
    const { transferredBytes: _, ...event } = told('transferring', 0, 0, 10);
    const lane = (id: number, sentBytes: number): LaneInfo => ({
      ...{ id, sentBytes, kind: 'direct', engine: undefined, receivedBytes: 0, rttMs: undefined },
    });
    stats.noteRemote(event, [lane(1, 0), lane(2, 0)], 'gpu-box');
    clock.sleep(2000);
    const news = stats.noteRemote({ ...event, doneBytes: 3000 }, [lane(1, 4000), lane(2, 0)], 'gpu-box');
    const { lanes } = news;
    expect(lanes.map(({ source, id, bytes }) => [source, id, bytes])).toEqual([
      ['gpu-box', 1, 4000],
      ['gpu-box', 2, 0],
    ]);
    // What was sent and has not arrived yet is no part of the rate.
    expect(lanes[0]?.bytesPerSecond).toBe(news.bytesPerSecond);
    expect(news.bytesPerSecond).toBeGreaterThan(1000);
    expect(lanes[1]?.bytesPerSecond).toBe(0);
  });

  it('takes the lanes of a new connection for new ones, though they have the same numbers', () => {
    const clock = new VirtualClock();
    const stats = new TransferStats(clock);
    const { transferredBytes: _, ...event } = told('transferring', 0, 0, 10);
    let doneBytes = 0;
    const sent = (sentBytes: number) => {
      const lane: LaneInfo = { id: 0, kind: 'relay', engine: undefined, sentBytes, receivedBytes: 0, rttMs: undefined };
      doneBytes += 1000;
      return stats.noteRemote({ ...event, doneBytes }, [lane], 'gpu-box').lanes[0]?.bytesPerSecond;
    };
    stats.begin();
    sent(0);
    for (let second = 0; second < 9; second++) {
      clock.sleep(1000);
      sent(1_000_000);
    }
    stats.begin();
    sent(0);
    clock.sleep(1000);
    expect(sent(4000)).toBeGreaterThan(500);
  });

  it('tells a rate and a time left that a new connection does not disturb', () => {
    const clock = new VirtualClock();
    const stats = new TransferStats(clock);
    stats.begin();
    const { transferredBytes: _, ...first } = told('transferring', 0, 0, 30);
    stats.noteRemote(first, [], 'gpu-box');
    clock.sleep(1000);
    stats.begin();
    const { transferredBytes: __, ...second } = told('transferring', 0, 30, 20);
    const progress = stats.noteRemote(second, [], 'gpu-box');
    expect(progress.bytesPerSecond).toBeGreaterThan(30);
    expect(progress.bytesPerSecond).toBeLessThanOrEqual(50);
    expect(progress.secondsLeft).toBe(Math.ceil(50 / progress.bytesPerSecond));
  });
});
