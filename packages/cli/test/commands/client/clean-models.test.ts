import { describe, expect, it } from '@jest/globals';
import type { Digest } from '@model-rtc/protocol';
import type { CleanCandidate, RegistryEntry } from '@model-rtc/registry';
import { type Cleaning, countOf, tablesOf } from '../../../src/commands/client/clean-models.ts';

const entry = { id: '4f1c22ab', modelType: 'centered_instance' } as RegistryEntry;
const candidate: CleanCandidate = {
  entry,
  reason: 'its alias "good-mouse" went to 874b442f on 2026-11-21; 3 models were made from it',
  freesBytes: 1_500_000,
};
const transfer = {
  model: `abcdef01${'0'.repeat(56)}` as Digest,
  folder: '/data/staging/x',
  bytes: 2_000_000,
  lastWrittenAt: new Date('2026-01-02T03:04:05'),
  isRunning: false,
};
const nothing: Cleaning = { remove: [], spared: [], kept: [], transfers: [], unknown: [], freesBytes: 0 };

describe('what cleaning shows', () => {
  it('fits the terminal', () => {
    const text = tablesOf({ ...nothing, remove: [candidate], spared: [candidate], transfers: [transfer] }, 60);
    const lines = text.split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(60);
    expect(text).toContain('4f1c22ab');
    expect(text).toContain('1.5 MB');
    expect(text).toContain('Staying:');
    expect(text).toMatch(/abcdef01 +2 MB +2026-01-02 03:04/);
  });

  it('names the files of deleted models, without any control character of their names', () => {
    const text = tablesOf({ ...nothing, kept: [{ path: '/data/kept/a\u001b[31mb', bytes: 5 }] }, undefined);
    expect(text).toContain('5 B  /data/kept/a\u{fffd}[31mb');
  });

  it('is nothing when there is nothing', () => {
    expect(tablesOf(nothing, 80)).toBe('');
  });

  it.each([
    [1, 0, 0, '1 model'],
    [2, 0, 0, '2 models'],
    [0, 1, 0, '1 interrupted transfer'],
    [1, 2, 0, '1 model and 2 interrupted transfers'],
    [0, 0, 1, '1 unknown folder'],
    [0, 0, 0, 'nothing'],
  ])('counts %s models, %s transfers and %s folders as: %s', (models, transfers, folders, expected) => {
    const remove = Array.from({ length: models }, () => candidate);
    const unknown = Array.from({ length: folders }, () => ({ folder: 'a_b', path: '/m/a_b', files: 1, bytes: 5 }));
    expect(countOf({ remove, transfers: Array.from({ length: transfers }, () => transfer), unknown })).toBe(expected);
  });
});
