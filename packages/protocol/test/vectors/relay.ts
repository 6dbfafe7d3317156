import { gcm } from '@noble/ciphers/aes.js';
import { x25519 } from '@noble/curves/ed25519.js';
import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { counting, toHex, turned } from './bytes.ts';

// Written from docs/protocol.md, apart from the code of relay lanes: that has to give the same.

const KEY_LABEL = utf8ToBytes('model-rtc/1/relay/key\0');
const NEXT_KEY_LABEL = utf8ToBytes('model-rtc/1/relay/next-key\0');
const FRAMES_PER_KEY = 2 ** 20;
const FIRST_KEY = new Uint8Array(32).fill(7);
const END = utf8ToBytes('end');

/** Public keys with which the shared secret is zero, whatever the other key is (RFC 7748, section 6.1). */
const SMALL_ORDER: readonly (readonly [string, string])[] = [
  ['zero', '00'.repeat(32)],
  ['one', `01${'00'.repeat(31)}`],
  ['a point of order 8', 'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800'],
  ['the other point of order 8', '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157'],
  ['p - 1', `ec${'ff'.repeat(30)}7f`],
  ['p, which is zero', `ed${'ff'.repeat(30)}7f`],
  ['p + 1, which is one', `ee${'ff'.repeat(30)}7f`],
];

function keys(askerSeed: number, answererSeed: number) {
  const [askerPrivate, answererPrivate] = [askerSeed, answererSeed].map((seed) => new Uint8Array(32).fill(seed)) as [
    Uint8Array,
    Uint8Array,
  ];
  const [askerPublic, answererPublic] = [x25519.getPublicKey(askerPrivate), x25519.getPublicKey(answererPrivate)];
  const meeting = new Uint8Array(16).fill(askerSeed + answererSeed);
  const shared = x25519.getSharedSecret(askerPrivate, answererPublic);
  const keyTo = (direction: number) =>
    hkdf(sha256, shared, meeting, concatBytes(KEY_LABEL, Uint8Array.of(direction), askerPublic, answererPublic), 32);
  const all = { askerPrivate, answererPrivate, askerPublic, answererPublic, meeting, shared };
  return mapped({ ...all, toAnswerer: keyTo(1), toAsker: keyTo(2) });
}

function mapped<K extends string>(values: Readonly<Record<K, Uint8Array>>): Record<K, string> {
  const texts = Object.entries<Uint8Array>(values).map(([name, bytes]) => [name, toHex(bytes)] as const);
  return Object.fromEntries(texts) as Record<K, string>;
}

function keyOf(frameNumber: number): Uint8Array {
  let key = FIRST_KEY;
  for (let left = Math.floor(frameNumber / FRAMES_PER_KEY); left > 0; left -= 1)
    key = hkdf(sha256, key, new Uint8Array(), NEXT_KEY_LABEL, 32);
  return key;
}

function sealed(number: number, kind: number, body: Uint8Array): Uint8Array {
  const nonce = new Uint8Array(12);
  new DataView(nonce.buffer).setBigUint64(4, BigInt(number));
  return gcm(keyOf(number), nonce).encrypt(concatBytes(body, Uint8Array.of(kind)));
}

function frame(name: string, number: number, kind: number, body: Uint8Array) {
  return { name, number, kind, body: toHex(body), frame: toHex(sealed(number, kind, body)) };
}

export function relayVectors() {
  const first = sealed(0, 1, END);
  return {
    description:
      'Relay lanes, all bytes as hex. "frames" and "refusedFrames" are of one direction, whose first key is "firstKey".',
    keys: [keys(1, 2), keys(0x77, 0x20)],
    refusedPublicKeys: SMALL_ORDER.map(([name, publicKey]) => ({ name, publicKey })),
    firstKey: toHex(FIRST_KEY),
    nextKeys: [1, 2].map((times) => toHex(keyOf(times * FRAMES_PER_KEY))),
    frames: [
      frame('a word', 0, 1, END),
      frame('a message', 1, 0, counting(40)),
      frame('of a kind that is passed over', 2, 9, counting(3)),
      frame('the last one of the first key', FRAMES_PER_KEY - 1, 0, counting(5)),
      frame('the first one of the second key', FRAMES_PER_KEY, 0, counting(5)),
      frame('one whose number has more than 32 bits', 2 ** 32 + 1, 0, counting(5)),
    ],
    refusedFrames: [
      { name: 'a changed bit', number: 0, frame: toHex(turned(first, 0)) },
      { name: 'cut off', number: 0, frame: toHex(first.subarray(0, -1)) },
      { name: 'repeated', number: 1, frame: toHex(first) },
      { name: 'under the first key still', number: FRAMES_PER_KEY, frame: toHex(first) },
      { name: 'nothing', number: 0, frame: '' },
    ],
  };
}
