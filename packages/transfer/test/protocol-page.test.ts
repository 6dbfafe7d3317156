import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import * as limits from '../src/core/limits.ts';

const page = readFileSync(new URL('../../../docs/protocol.md', import.meta.url), 'utf8').replaceAll(/\s+/g, ' ');
const seconds = (ms: number) => `${ms / 1000} s`;
const minutes = (ms: number) => `${ms / 60_000} min`;

describe('what docs/protocol.md says that a receiver expects', () => {
  it.each([
    ['a chunk in pieces', `more than ${limits.MAX_GAPS} separate runs of bytes`],
    ['requests without a reply', `all chunks of more than ${limits.MAX_UNANSWERED_REQUESTS} requests without a reply`],
    ['chunks that come wrong', `did not come before the reply, ${limits.MAX_REFETCHES} times`],
    ['sources that give wrong chunks', `dropped after ${limits.MAX_WRONG_CHUNKS} wrong chunks`],
    ['a lane that stalls', `brought no right one for ${seconds(limits.SOURCE_STALL_MS)}`],
    ['a slow lane', `at least ${limits.SLOW_ORIGIN_BYTES.toLocaleString('en')} bytes came over all lanes`],
    ['a transfer that stalls', `no data came for ${minutes(limits.STALL_ABORT_MS)}`],
    ['a slow transfer', `no chunk got whole for ${minutes(limits.SLOW_ABORT_MS)}`],
    [
      'chunks that are missing',
      `after ${seconds(limits.ASK_AGAIN_MS)}, and after up to ${seconds(limits.LONGEST_ASK_AGAIN_MS)}`,
    ],
  ])('is what the code does: %s', (_, sentence) => {
    expect(page).toContain(sentence);
  });
});
