import { describe, expect, it } from '@jest/globals';
import { LIMITED_STEP_BYTES, SLOW_ORIGIN_BYTES } from '../../../src/core/limits.ts';
import { OriginFlow } from '../../../src/core/session/origin-flow.ts';

describe('a lane without a right chunk', () => {
  it.each([
    ['is slow while it gets something and its origin gives enough', 1, SLOW_ORIGIN_BYTES, 2, true],
    ['is stalled when its origin gives too little over all lanes', 1, SLOW_ORIGIN_BYTES - 1, 2, false],
    ['is slow though it got nothing, when its turn may not have come', 0, LIMITED_STEP_BYTES * 3, 4, true],
    ['is stalled when it got nothing and the others several steps each', 0, LIMITED_STEP_BYTES * 4, 4, false],
    ['is stalled when it is alone and got nothing', 0, 0, 1, false],
  ])('%s', (_what, ownBytes, originBytes, owing, slow) => {
    expect(new OriginFlow(() => owing).isSlow({ ownBytes, originBytes })).toBe(slow);
  });
});
