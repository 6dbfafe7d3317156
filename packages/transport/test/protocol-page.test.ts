import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { EXCHANGE_TIMEOUT_MS, MAX_ASKS, MAX_PENDING_ASKS, MAX_PENDING_FURTHER } from '../src/core/connect/limits.ts';
import { HELLO_TIMEOUT_MS, MIN_LANE_MESSAGE_BYTES } from '../src/core/peer/limits.ts';
import { DIAL_TIMEOUT_MS, EXPECT_TIMEOUT_MS } from '../src/lanes/direct/limits.ts';
import { LANE_OPEN_TIMEOUT_MS } from '../src/lanes/webrtc/connect-lane.ts';

const page = readFileSync(new URL('../../../docs/protocol.md', import.meta.url), 'utf8').replaceAll(/\s+/g, ' ');

describe('what docs/protocol.md says of lanes', () => {
  it.each([
    ['a direct token', `good for one connection, and for ${EXPECT_TIMEOUT_MS / 1000} s`],
    ['dialling', `all within ${DIAL_TIMEOUT_MS / 1000} s`],
    [
      'the offers of an exchange',
      `A worker gives an exchange ${MAX_ASKS} offers and asks, ${MAX_PENDING_ASKS} at once, and ${EXCHANGE_TIMEOUT_MS / 1000} s`,
    ],
    ['further lanes', `A worker brings up ${MAX_PENDING_FURTHER} at once`],
    ['an attempt', `An attempt that is not open after ${LANE_OPEN_TIMEOUT_MS / 1000} s is given up`],
    ['the shortest messages of an SDP', `a value from 1 to ${MIN_LANE_MESSAGE_BYTES - 1} is refused`],
    ['a side that says no hello', `nothing within ${HELLO_TIMEOUT_MS / 1000} s`],
  ])('is what the code does: %s', (_, sentence) => {
    expect(page).toContain(sentence);
  });
});
