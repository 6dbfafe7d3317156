import { describe, expect, it } from '@jest/globals';
import type { ModelProgress } from '@model-rtc/client';
import { ERROR_CODES, type ErrorCode, ProgressEvents } from '@model-rtc/protocol';
import { tellProgress } from '../../src/console/progress-events.ts';

function setup() {
  const clock = { ms: 0 };
  const written: Record<string, unknown>[] = [];
  const events = new ProgressEvents(
    (event) => written.push({ ...event }),
    () => clock.ms,
  );
  return { clock, written, events, states: () => written.map(({ state }) => state) };
}

function transferring(doneBytes: number, more: object = {}): ModelProgress {
  return {
    ...{ type: 'transfer', state: 'transferring', doneBytes, totalBytes: 1000, transferredBytes: doneBytes },
    ...{ reusedBytes: 0, resumedBytes: 0, duplicateBytes: 0, wastedBytes: 0, bytesPerSecond: 100, secondsLeft: 9 },
    ...{ sources: [], dropped: [], ...more },
    lanes: [{ source: 'lab', id: 1, kind: 'direct', engine: undefined, bytes: doneBytes, bytesPerSecond: 100 }],
  } as ModelProgress;
}

describe('the events of a transfer', () => {
  it('tell each change of state at once, and the same state about four times a second', () => {
    const { clock, events, written, states } = setup();
    events.begin();
    tellProgress(events, { type: 'connecting' });
    for (let ms = 0; ms < 1000; ms += 10) {
      clock.ms = ms;
      tellProgress(events, transferring(ms));
    }
    expect(states().slice(0, 3)).toEqual(['idle', 'connecting', 'transferring']);
    expect(written.length).toBeLessThanOrEqual(7);
    events.complete();
    expect(written.at(-1)).toMatchObject({ state: 'completed', doneBytes: 1000, totalBytes: 1000, secondsLeft: 0 });
  });

  it('name the lanes and how fast each is', () => {
    const { events, written } = setup();
    events.begin();
    tellProgress(events, transferring(500));
    expect(written.at(-1)).toEqual({
      ...{ event: 'progress', state: 'transferring', doneBytes: 500, totalBytes: 1000, transferredBytes: 500 },
      ...{ reusedBytes: 0, resumedBytes: 0, duplicateBytes: 0, wastedBytes: 0, bytesPerSecond: 100, secondsLeft: 9 },
      ...{ sources: [], dropped: [] },
      lanes: [{ source: 'lab', id: 1, kind: 'direct', engine: undefined, bytes: 500, bytesPerSecond: 100 }],
    });
  });

  it('warn of a stall once, keep the counts while the connection is made again, and end with why it failed', () => {
    const { events, written, states } = setup();
    events.begin();
    tellProgress(events, transferring(500));
    const warning = { kind: 'stalled', quietMs: 30_000, message: 'No data came for 30 s.' };
    for (let i = 0; i < 3; i++) tellProgress(events, transferring(500, { warning }));
    tellProgress(events, { type: 'reconnecting', reason: 'The other side is gone.' });
    events.fail({ code: 'timeout', message: 'Given up.' });
    tellProgress(events, transferring(600));
    expect(states()).toEqual(['idle', 'transferring', 'transferring', 'connecting', 'failed']);
    expect(written[2]).toMatchObject({ warning });
    expect(written[3]).toMatchObject({ reason: 'network_error', doneBytes: 500, bytesPerSecond: 0, lanes: [] });
    expect(written[4]).toMatchObject({ reason: 'timeout', code: 'timeout', doneBytes: 500 });
  });

  it('say of a dry run how much is there already, of how much', () => {
    const { events, written } = setup();
    events.begin();
    tellProgress(events, { type: 'local', phase: 'hash', doneBytes: 7, totalBytes: 7 });
    events.planned({ doneBytes: 300, totalBytes: 1000 });
    events.complete();
    expect(written.at(-1)).toMatchObject({ state: 'completed', doneBytes: 300, totalBytes: 1000, secondsLeft: 0 });
  });

  it('say that the user cancelled it', () => {
    const { events, written } = setup();
    events.begin();
    events.fail({ code: 'cancelled', message: 'Cancelled.' });
    expect(written.at(-1)).toMatchObject({ state: 'cancelled', reason: 'user_cancelled' });
  });

  it('have a reason for every error', () => {
    for (const code of Object.keys(ERROR_CODES) as ErrorCode[]) {
      const { events, written } = setup();
      events.begin();
      events.fail({ code, message: '' });
      expect(written.at(-1)?.reason).toMatch(/^[a-z_]+$/);
    }
  });

  it('tell what becomes of each worker by events of their own', () => {
    const { events, written } = setup();
    events.begin();
    tellProgress(events, { type: 'worker', name: 'gpu', state: 'offline', reason: 'It is off.' });
    expect(written.at(-1)).toEqual({ event: 'worker', worker: 'gpu', state: 'offline', reason: 'It is off.' });
  });

  it('take what a newer worker says of its state for something that is known here', () => {
    const { events, states } = setup();
    events.begin();
    tellProgress(events, { ...transferring(1), type: 'remote', state: 'thinking' } as ModelProgress);
    tellProgress(events, { ...transferring(1000), type: 'remote', state: 'completed' } as ModelProgress);
    expect(states()).toEqual(['idle', 'preparing', 'verifying']);
  });
});

describe('the events of work on this machine', () => {
  it('are none when it is done at once, even when it fails', () => {
    const { events, written } = setup();
    tellProgress(events, { type: 'local', phase: 'hash', doneBytes: 1, totalBytes: 2 });
    events.fail({ code: 'storage', message: 'No.' });
    expect([written, events.areUsed]).toEqual([[], false]);
  });

  it('tell of work that goes on', () => {
    const { clock, events, written } = setup();
    tellProgress(events, { type: 'local', phase: 'hash', doneBytes: 1, totalBytes: 2 });
    clock.ms = 300;
    tellProgress(events, { type: 'local', phase: 'hash', doneBytes: 2, totalBytes: 2 });
    tellProgress(events, { type: 'local', phase: 'verify', doneBytes: 1, totalBytes: 2 });
    expect(written.map(({ state, phase }) => [state, phase])).toEqual([
      ['preparing', 'hash'],
      ['verifying', 'verify'],
    ]);
  });
});
