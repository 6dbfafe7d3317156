import { describe, expect, it } from '@jest/globals';
import type { ModelPlan, PullPlan, WorkerBytes } from '@model-rtc/client';
import { planText, transferText, workersText } from '../../../src/commands/client/transfer.ts';
import { formatShare } from '../../../src/console/format.ts';

const PLAN: ModelPlan & Pick<PullPlan, 'reusedFrom'> = {
  id: '4f1c22ab',
  digest: '4'.repeat(64) as never,
  alias: 'tuned',
  exists: false,
  totalBytes: 14_000_000_000,
  transferBytes: 1_300_000_000,
  reusedBytes: 12_700_000_000,
  resumedBytes: 0,
  reusedFrom: [{ id: 'aaaaaaaa', alias: 'base-model', bytes: 12_700_000_000 }],
};

const WORKERS: WorkerBytes[] = [
  {
    name: 'lab',
    bytes: 900_000_000,
    lanes: [
      { kind: 'direct', engine: undefined, count: 2, bytes: 800_000_000 },
      { kind: 'relay', engine: undefined, count: 1, bytes: 100_000_000 },
    ],
  },
  { name: 'gpu', bytes: 400_000_000, lanes: [{ kind: 'webrtc', engine: 'native', count: 8, bytes: 400_000_000 }] },
];

describe('planText', () => {
  it('says how much of how much would move, and where the rest is', () => {
    expect(planText(PLAN, 'here')).toBe('tuned: 1.3 of 14.0 GB would be sent; 12.7 GB are here already in base-model');
    const resumed = { ...PLAN, reusedBytes: 0, resumedBytes: 12_700_000_000, reusedFrom: [] };
    expect(planText(resumed, 'at lab')).toBe(
      'tuned: 1.3 of 14.0 GB would be sent; 12.7 GB were fetched by an earlier attempt',
    );
  });

  it('names a few models, and says when nothing would move', () => {
    const reusedFrom = ['a', 'b', 'c', 'd', 'e'].map((id) => ({ id, alias: undefined, bytes: 1 }));
    expect(planText({ ...PLAN, reusedFrom }, 'here')).toMatch(/in a, b, c and 2 more$/);
    expect(planText({ ...PLAN, exists: true, transferBytes: 0 }, 'at lab')).toBe(
      'Nothing would be sent: tuned (14 GB) is at lab already',
    );
  });
});

describe('transferText and workersText', () => {
  const report = {
    entry: { size: 14_000_000_000 },
    ...{ transferredBytes: 1_300_000_000, reusedBytes: 12_700_000_000, resumedBytes: 0, seconds: 13 },
    ...{ bytesPerSecond: 100_000_000, lanes: [], wastedBytes: 0, firstChunkMs: 1, workers: WORKERS },
  };

  it('say how much of how much moved, and over what', () => {
    expect(transferText(report)).toBe(
      ': 1.3 of 14.0 GB sent in 13s (100 MB/s) over direct x2 + relay + webrtc/native x8, verified\n  not sent: 12.7 GB that were there, or repeat in the model',
    );
    expect(transferText({ ...report, transferredBytes: 0 })).toBe(': nothing to send, all 14 GB were there');
  });

  it('say what each of several workers gave', () => {
    expect(workersText(WORKERS)).toEqual([
      '  900 MB from lab over direct x2 800 MB, relay 100 MB',
      '  400 MB from gpu over webrtc/native x8',
    ]);
    expect(workersText(WORKERS.slice(0, 1))).toEqual([]);
  });
});

describe('formatShare', () => {
  it.each([
    [0, 14e9, '0.0 of 14.0 GB'],
    [1.39e9, 14e9, '1.3 of 14.0 GB'],
    [5_000, 14e9, '5 kB of 14 GB'],
    [3, 999, '3 B of 999 B'],
    [1e6, 1e6, '1.0 of 1.0 MB'],
  ])('%d of %d is %s', (bytes, total, text) => {
    expect(formatShare(bytes, total)).toBe(text);
  });
});
