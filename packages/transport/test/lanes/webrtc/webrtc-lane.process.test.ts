import { afterEach, describe, expect, it } from '@jest/globals';
import type { ExchangeMessage } from '@model-rtc/protocol';
import { isLongRun } from '../../../../../test/support/suites.ts';
import type { WebRtcEngine } from '../../../src/lanes/webrtc/engine.ts';
import { laneConformance } from '../../support/lane-conformance.ts';
import { type LanePair, type Side, startLanePair } from './lane-pair.ts';

type Pairing = readonly [WebRtcEngine['name'], WebRtcEngine['name']];
const PAIRINGS: readonly Pairing[] = [
  ['native', 'native'],
  ['native', 'werift'],
  ['werift', 'native'],
  ['browser', 'native'],
];
const LONG_PAIRINGS: readonly Pairing[] = [
  ['werift', 'werift'],
  ['native', 'browser'],
  ['browser', 'werift'],
  ['werift', 'browser'],
];
const TRIED = isLongRun ? [...PAIRINGS, ...LONG_PAIRINGS] : PAIRINGS;

for (const [left, right] of TRIED)
  laneConformance(`${left} to ${right} webrtc`, async () => startLanePair(left, right));

describe.each(TRIED)('a webrtc lane from %s to %s', (left, right) => {
  let pair: LanePair;
  // werift by itself would keep a process whose handshake did not end for half a minute.
  afterEach(async () => pair.close(), 20_000);

  it.each(['left', 'right'] as const)(
    'never opens when the fingerprint that the %s side sent was changed',
    async (victim) => {
      pair = startLanePair(left, right);
      const tamper = (message: ExchangeMessage, from: Side) => (from === victim ? swapFingerprint(message) : message);
      await expect(pair.open({ timeoutMs: 4_000, tamper })).rejects.toMatchObject({
        code: expect.stringMatching(/^(timeout|network)$/),
      });
      await pair.open();
    },
    60_000,
  );

  it('opens with larger packets than by itself, and carries messages', async () => {
    pair = startLanePair(left, right);
    const offered: unknown[] = [];
    const tamper = (message: ExchangeMessage) => {
      if (message.type === 'offer') offered.push(message.mtu);
      return message;
    };
    await pair.play('delivers messages of every size whole and in order, in both directions at once', {
      mtu: 4000,
      tamper,
    });
    expect(offered).toEqual([4000]);
  }, 60_000);

  it.each(['close', 'abort'] as const)(
    'can %s when the other process was killed with data on the way',
    async (how) => {
      pair = startLanePair(left, right);
      await pair.open();
      await pair.order('left', { kind: 'flood' });
      await pair.kill('right');
      await pair.order('left', { kind: 'end', how });
    },
    60_000,
  );
});

/** A certificate that is not the sender's: what a server in the middle would put in. */
function swapFingerprint(message: ExchangeMessage): ExchangeMessage {
  if (message.type !== 'offer' && message.type !== 'answer') return message;
  const sdp = message.sdp.replace(/(a=fingerprint:sha-256 )([0-9A-F]{2})/i, (_, prefix, byte) => {
    return prefix + (Number.parseInt(byte, 16) ^ 0xff).toString(16).toUpperCase().padStart(2, '0');
  });
  if (sdp === message.sdp) throw new Error('the SDP has no fingerprint to change');
  return { ...message, sdp };
}
