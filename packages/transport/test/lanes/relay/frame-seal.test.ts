import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { FRAME_MESSAGE, FRAME_WORD, FrameOpener, FrameSealer } from '../../../src/lanes/relay/frame-seal.ts';
import { nobleCrypto } from '../../../src/lanes/relay/noble-crypto.ts';
import { nodeCrypto } from '../../../src/lanes/relay/node-crypto.ts';
import { SEAL_BYTES } from '../../../src/lanes/relay/relay-crypto.ts';

const CRYPTOS = [
  ['node', nodeCrypto],
  ['noble', nobleCrypto],
] as const;
const key = new Uint8Array(32).fill(7);

describe.each(CRYPTOS)('the seal of frames by %s', (_, crypto) => {
  const sealed = (count: number) => {
    const sealer = new FrameSealer(crypto, key);
    return Array.from({ length: count }, (_, i) => sealer.seal(FRAME_MESSAGE, Uint8Array.of(i, i, i)));
  };

  it('opens what was sealed, in order, whatever it is', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 255 }), fc.uint8Array({ maxLength: 3000 }))), (all) => {
        const [sealer, opener] = [new FrameSealer(crypto, key, 3), new FrameOpener(crypto, key, 3)];
        for (const [kind, body] of all) {
          const opened = opener.open(sealer.seal(kind, body));
          expect(opened?.kind).toBe(kind);
          expect(Buffer.compare(opened?.body ?? Buffer.of(1), body)).toBe(0);
        }
      }),
    );
  });

  it('opens no frame that differs by one bit', () => {
    const [frame] = sealed(1);
    for (let bit = 0; bit < (frame?.length ?? 0) * 8; bit++) {
      const changed = Uint8Array.from(frame ?? []);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(new FrameOpener(crypto, key).open(changed)).toBeUndefined();
    }
  });

  it('opens no frame twice, out of order, after a gap, or cut short', () => {
    const [first, second] = sealed(2) as [Uint8Array, Uint8Array];
    const opener = new FrameOpener(crypto, key);
    expect(opener.open(first)).toMatchObject({ kind: FRAME_MESSAGE });
    expect(opener.open(first)).toBeUndefined();
    expect(new FrameOpener(crypto, key).open(second)).toBeUndefined();
    for (let length = 0; length < first.length; length++) {
      expect(new FrameOpener(crypto, key).open(first.subarray(0, length))).toBeUndefined();
    }
  });

  it('opens none of another key', () => {
    const [frame] = sealed(1) as [Uint8Array];
    expect(new FrameOpener(crypto, new Uint8Array(32).fill(8)).open(frame)).toBeUndefined();
  });

  it('takes a new key after so many frames, on both sides at the same one', () => {
    const sealer = new FrameSealer(crypto, key, 2);
    const frames = Array.from({ length: 4 }, () => sealer.seal(FRAME_WORD, Uint8Array.of(1)));
    const opener = new FrameOpener(crypto, key, 2);
    const oneKeyAlone = new FrameOpener(crypto, key);
    expect(frames.map((frame) => opener.open(frame) !== undefined)).toEqual([true, true, true, true]);
    expect(frames.map((frame) => oneKeyAlone.open(frame) !== undefined)).toEqual([true, true, false, false]);
  });

  it('has the layout of docs/protocol.md', () => {
    const frame = new FrameSealer(crypto, key).seal(FRAME_WORD, Buffer.from('end'));
    expect(frame.length).toBe(3 + SEAL_BYTES);
    // Made with another implementation of AES-256-GCM: key 07.., nonce of zeros, plaintext "end" and 01.
    expect(Buffer.from(frame).toString('hex')).toBe('04b6c0b3badda6eef81111f81cae1b7c969f6c14');
  });
});

describe.each([
  ['node', 'noble', nodeCrypto, nobleCrypto],
  ['noble', 'node', nobleCrypto, nodeCrypto],
])('what %s sealed', (_, other, sealing, opening) => {
  it(`is opened by ${other}, past a change of keys`, () => {
    const [sealer, opener] = [new FrameSealer(sealing, key, 2), new FrameOpener(opening, key, 2)];
    for (const bytes of [0, 1, 15, 16, 17, 100_000]) {
      const body = new Uint8Array(bytes + 1).fill(bytes & 0xff).subarray(1);
      const opened = opener.open(sealer.seal(FRAME_MESSAGE, body));
      expect(opened?.kind).toBe(FRAME_MESSAGE);
      expect(Buffer.compare(opened?.body ?? Buffer.of(1, 2), body)).toBe(0);
    }
  });
});
