import { identityFromSeed, registrationText, roomOf } from '../../src/index.ts';
import { counting, toHex } from './bytes.ts';

/** Keys of small order (RFC 8032), in every encoding: they take a signature of zeros for many texts, the first for all. */
const SMALL_ORDER: readonly (readonly [string, string])[] = [
  ['the neutral point', `01${'00'.repeat(31)}`],
  ['the neutral point with a sign', `01${'00'.repeat(30)}80`],
  ['the neutral point as p + 1', `ee${'ff'.repeat(30)}7f`],
  ['the point of order 2', `ec${'ff'.repeat(30)}7f`],
  ['a point of order 4', '00'.repeat(32)],
  ['the other point of order 4', `${'00'.repeat(31)}80`],
  ['a point of order 4 as p', `ed${'ff'.repeat(30)}7f`],
  ['a point of order 8', '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'],
  ['another point of order 8', 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a'],
];
/** The neutral point and zero. */
const ZERO_SIGNATURE = `01${'00'.repeat(63)}`;
/** The order of the base point. */
const L = 2n ** 252n + 27_742_317_777_372_353_535_851_937_790_883_648_493n;

export function identityVectors() {
  return {
    description:
      'Ed25519 identities: a seed, its public key, the room of that key, and the signature that opens the room at a host.',
    accepted: [
      identity(counting(32), '127.0.0.1:8787', counting(32, 0x20)),
      identity(counting(32, 0xe0), 'signal.example.org', counting(16, 1)),
    ],
    refusedSignatures: [
      ...SMALL_ORDER.map(([name, publicKey]) => ({
        ...{ name, publicKey, text: toHex(counting(8)), signature: ZERO_SIGNATURE },
      })),
      unreduced(counting(32), counting(8)),
    ],
  };
}

function identity(seed: Uint8Array, host: string, nonce: Uint8Array) {
  const { publicKey, sign } = identityFromSeed(seed);
  const text = registrationText(host, nonce);
  return {
    seed: toHex(seed),
    publicKey: toHex(publicKey),
    room: roomOf(publicKey),
    registration: { host, nonce: toHex(nonce), text: toHex(text), signature: toHex(sign(text)) },
  };
}

/** A right signature whose number has the order of the base point added to it, which is another encoding of the same. */
function unreduced(seed: Uint8Array, text: Uint8Array) {
  const { publicKey, sign } = identityFromSeed(seed);
  const signature = Buffer.from(sign(text));
  const number = BigInt(`0x${Buffer.from(signature.subarray(32)).reverse().toString('hex')}`) + L;
  const bytes = Buffer.from(number.toString(16).padStart(64, '0'), 'hex').reverse();
  signature.set(bytes, 32);
  const name = 'a number that is not reduced';
  return { name, publicKey: toHex(publicKey), text: toHex(text), signature: toHex(signature) };
}
