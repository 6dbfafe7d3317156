import { describe, expect, it } from '@jest/globals';
import { type Digest, silentLog } from '@model-rtc/protocol';
import { createPulls } from '../../src/models/pulls.ts';
import type { RemoteModels } from '../../src/types.ts';

const [MOUSE, RAT] = ['a', 'b'].map((letter) => letter.repeat(64)) as [Digest, Digest];

describe('pulls that requests start', () => {
  it('are refused when too many are asked for, and whoever keeps the audit is told which', () => {
    const throttled: [digest: Digest, sentence: string][] = [];
    const remote = {
      pull: () => new Promise<void>(() => {}),
      onThrottled: (digest: Digest, { message }: Error) => void throttled.push([digest, message]),
    } as unknown as RemoteModels;
    const waits = [0, 5_000];
    const pulls = createPulls({ remote, log: silentLog, rate: { take: () => waits.shift() ?? 0 }, onEnd: () => {} });
    pulls.start(MOUSE);
    expect(() => pulls.start(RAT)).toThrow('models were asked for in a minute');
    // It is being fetched already.
    pulls.start(MOUSE);
    expect(throttled).toEqual([[RAT, expect.stringContaining('were asked for in a minute')]]);
  });
});
