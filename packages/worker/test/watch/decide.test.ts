import { describe, expect, it } from '@jest/globals';
import type { FoundPlace, PlaceState } from '@model-rtc/registry';
import { type Action, type Decision, decide, type Remembered, remember } from '../../src/watch/decide.ts';
import { WATCH_TIMING } from '../../src/watch/types.ts';

const NOW = 1_000_000_000;
const MINUTE = 60_000;
const SETTLE = WATCH_TIMING.stableMs;
const FOLDER: FoundPlace = { kind: 'folder', path: '/models/net' };
const RUN: FoundPlace = { kind: 'run', path: '/models/run' };

function state(more: Partial<PlaceState> = {}): PlaceState {
  return { fingerprint: 'a', writtenAtMs: NOW, touchedAtMs: NOW, isPartial: false, hasWeights: true, ...more };
}

/** What is decided at the first look, and then `laterMs` later, when the files are the same. */
function decideAfter(place: FoundPlace, seen: PlaceState, laterMs: number, done?: Remembered['done']): Decision {
  const first = remember({ fingerprint: undefined, sinceMs: 0, done }, seen, NOW);
  const nowMs = NOW + laterMs;
  const options = { nowMs, timing: WATCH_TIMING, interruptedAfterMs: 10 * MINUTE };
  return decide(place, seen, remember(first, seen, nowMs), options);
}

describe('a folder of weights', () => {
  it('is taken in when its files have stayed the same for a while', () => {
    expect(decideAfter(FOLDER, state(), 0)).toEqual({ lookAgainInMs: SETTLE });
    expect(decideAfter(FOLDER, state(), SETTLE - 1)).toEqual({ lookAgainInMs: 1 });
    expect(decideAfter(FOLDER, state(), SETTLE)).toEqual({ action: 'take' });
  });

  it('is taken in at once when nothing about it changed for long, whatever time its files were given', () => {
    expect(decideAfter(FOLDER, state({ touchedAtMs: NOW - MINUTE }), 0)).toEqual({ action: 'take' });
    expect(decideAfter(FOLDER, state({ writtenAtMs: 0 }), 0)).toEqual({ lookAgainInMs: SETTLE });
    expect(decideAfter(FOLDER, state({ touchedAtMs: NOW + 60 * MINUTE }), SETTLE)).toEqual({ action: 'take' });
  });

  it('waits anew with each change', () => {
    const before = remember(undefined, state(), NOW);
    const after = remember(before, state({ fingerprint: 'b' }), NOW + SETTLE);
    expect(after.sinceMs).toBe(NOW + SETTLE);
    expect(remember(after, state({ fingerprint: 'b' }), NOW + 2 * SETTLE)).toBe(after);
  });

  it.each([
    ['there are no weights in it', state({ hasWeights: false })],
    ['it cannot be read', state({ fingerprint: undefined })],
  ])('is left alone while %s', (_why, seen) => {
    expect(decideAfter(FOLDER, seen, MINUTE)).toEqual({});
  });

  it('without some of its parts is looked into once the copy pauses, so that someone hears what is missing', () => {
    const paused = WATCH_TIMING.pausedMs;
    const partial = state({ isPartial: true });
    expect(decideAfter(FOLDER, partial, SETTLE)).toEqual({ lookAgainInMs: paused - SETTLE });
    expect(decideAfter(FOLDER, partial, paused)).toEqual({ action: 'take' });
  });

  it('is not taken in twice with the same files', () => {
    const done = { action: 'take', fingerprint: 'a', atMs: NOW } as const;
    expect(decideAfter(FOLDER, state(), SETTLE, done)).toEqual({});
    expect(decideAfter(FOLDER, state({ fingerprint: 'b' }), SETTLE, done)).toEqual({ action: 'take' });
  });
});

describe('a training run', () => {
  it.each<[string, Partial<PlaceState>, number, Action]>([
    ['trains while it is written', { progress: 'unfinished' }, 0, 'training'],
    ['trains until the time is over', { progress: 'unfinished' }, 10 * MINUTE - 1, 'training'],
    ['is interrupted after that', { progress: 'unfinished' }, 10 * MINUTE, 'interrupted'],
    [
      'is interrupted at the first look when it is old',
      { progress: 'unfinished', writtenAtMs: NOW - 11 * MINUTE },
      0,
      'interrupted',
    ],
    [
      'is interrupted when its files are of tomorrow',
      { progress: 'unfinished', writtenAtMs: NOW + 9e7 },
      10 * MINUTE,
      'interrupted',
    ],
    ['trains before its first checkpoint', { progress: 'unknown', hasWeights: false }, MINUTE, 'training'],
    ['is interrupted without any checkpoint', { progress: 'unknown', hasWeights: false }, 10 * MINUTE, 'interrupted'],
    ['trains while its losses may recover', { progress: 'diverged' }, MINUTE, 'training'],
    ['has failed when they did not', { progress: 'diverged' }, 10 * MINUTE, 'failed'],
    ['has failed when it ends without weights', { progress: 'finished', hasWeights: false }, 10 * MINUTE, 'failed'],
    ['has failed when its log says so, as soon as nothing is written', { progress: 'failed' }, SETTLE, 'failed'],
    ['trains while something is written behind a trace', { progress: 'failed' }, SETTLE - 1, 'training'],
    ['is a model when it is finished', { progress: 'finished' }, SETTLE, 'take'],
    ['is a model when it has weights and no log', { progress: 'unknown' }, SETTLE, 'take'],
  ])('%s', (_what, more, laterMs, action) => {
    expect(decideAfter(RUN, state(more), laterMs).action).toBe(action);
  });

  it('is looked at again when it would count as interrupted', () => {
    expect(decideAfter(RUN, state({ progress: 'unfinished' }), MINUTE)).toEqual({
      action: 'training',
      lookAgainInMs: 9 * MINUTE,
    });
  });

  it('is recorded again with new files only, and not many times a second', () => {
    const seen = state({ progress: 'unfinished' });
    const same = { action: 'training', fingerprint: 'a', atMs: NOW } as const;
    expect(decideAfter(RUN, seen, 0, same)).toEqual({ lookAgainInMs: 10 * MINUTE });
    const older = { ...same, fingerprint: 'older' };
    expect(decideAfter(RUN, seen, 1000, older)).toEqual({ lookAgainInMs: WATCH_TIMING.recordMs - 1000 });
    expect(decideAfter(RUN, seen, WATCH_TIMING.recordMs, older).action).toBe('training');
    expect(decideAfter(RUN, seen, 0, { ...same, action: 'interrupted' }).action).toBe('training');
  });
});
