import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { FrameOpener, FrameSealer } from '../../../src/lanes/relay/frame-seal.ts';
import { nobleCrypto } from '../../../src/lanes/relay/noble-crypto.ts';
import { nodeCrypto } from '../../../src/lanes/relay/node-crypto.ts';
import type { RelayCrypto } from '../../../src/lanes/relay/relay-crypto.ts';
import { createRelayKeyPair, deriveRelayKeys } from '../../../src/lanes/relay/relay-keys.ts';

interface Frame {
  readonly name: string;
  readonly number: number;
  readonly kind: number;
  readonly body: string;
  readonly frame: string;
}

interface Vectors {
  readonly keys: readonly Readonly<Record<string, string>>[];
  readonly refusedPublicKeys: readonly { readonly name: string; readonly publicKey: string }[];
  readonly firstKey: string;
  readonly nextKeys: readonly string[];
  readonly frames: readonly Frame[];
  readonly refusedFrames: readonly { readonly name: string; readonly number: number; readonly frame: string }[];
}

const file = new URL('../../../../protocol/vectors/relay.json', import.meta.url);
const vectors = JSON.parse(readFileSync(file, 'utf8')) as Vectors;
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const bytesOf = (text: string | undefined) => new Uint8Array(Buffer.from(text ?? '', 'hex'));
const NO_BODY = new Uint8Array();
const FIRST_KEY = bytesOf(vectors.firstKey);

/** Seals and opens in earnest only the frames with the wanted numbers: a million others would take their time. */
function onlyFrames(crypto: RelayCrypto, numbers: readonly number[]): RelayCrypto & { readonly keys: string[] } {
  const wanted = new Set(numbers);
  // What is before these three bytes is zero in all that are near, and is not read: a million frames pass here.
  const isWanted = (nonce: Uint8Array) => {
    const [a, b, c] = [nonce[9] as number, nonce[10] as number, nonce[11] as number];
    return wanted.has((a << 16) | (b << 8) | c);
  };
  const keys: string[] = [];
  const nothing = new Uint8Array(17);
  const createCipher = (key: Uint8Array) => {
    keys.push(hex(key));
    const cipher = crypto.createCipher(key);
    return {
      seal: (nonce: Uint8Array, body: Uint8Array, kind: number) =>
        isWanted(nonce) ? cipher.seal(nonce, body, kind) : nothing,
      open: (nonce: Uint8Array, frame: Uint8Array) => (isWanted(nonce) ? cipher.open(nonce, frame) : nothing),
    };
  };
  return { ...crypto, createCipher, keys };
}

describe.each([
  ['node', nodeCrypto],
  ['noble', nobleCrypto],
] as const)('relay.json by %s', (_, crypto) => {
  it.each(vectors.keys)('has the keys of both directions: $shared', (keys) => {
    const context = {
      ...{ meeting: bytesOf(keys.meeting), asker: bytesOf(keys.askerPublic), answerer: bytesOf(keys.answererPublic) },
    };
    const { toAnswerer, toAsker } = deriveRelayKeys(crypto, bytesOf(keys.shared), context);
    expect([hex(toAnswerer), hex(toAsker)]).toEqual([keys.toAnswerer, keys.toAsker]);
  });

  it.each(vectors.refusedPublicKeys)('has public keys that are refused: $name', ({ publicKey }) => {
    const derive = () => createRelayKeyPair(crypto).derive('asker', bytesOf(publicKey), new Uint8Array(16));
    expect(derive).toThrow(expect.objectContaining({ code: 'refused' }));
  });

  it('has the frames of a direction, past the change of its key', () => {
    const near = vectors.frames.filter(({ number }) => number <= 2 ** 20);
    const ends = onlyFrames(
      crypto,
      near.map(({ number }) => number),
    );
    const [sealer, opener] = [new FrameSealer(ends, FIRST_KEY), new FrameOpener(ends, FIRST_KEY)];
    const byNumber = new Map(near.map((vector) => [vector.number, vector]));
    const seen: string[] = [];
    for (let number = 0; number <= 2 ** 20; number++) {
      const vector = byNumber.get(number);
      const sealed = sealer.seal(vector?.kind ?? 0, vector === undefined ? NO_BODY : bytesOf(vector.body));
      const opened = opener.open(sealed);
      if (vector === undefined) continue;
      expect(hex(sealed)).toBe(vector.frame);
      expect([opened?.kind, hex(opened?.body ?? new Uint8Array())]).toEqual([vector.kind, vector.body]);
      seen.push(vector.name);
    }
    expect(seen).toEqual(near.map(({ name }) => name));
    expect(ends.keys).toEqual([vectors.firstKey, vectors.firstKey, vectors.nextKeys[0], vectors.nextKeys[0]]);
  });

  it.each(vectors.frames)('has frames under the key and nonce of their number: $name', (vector) => {
    let key: Uint8Array = FIRST_KEY;
    const label = new TextEncoder().encode('model-rtc/1/relay/next-key\0');
    for (let left = Math.floor(vector.number / 2 ** 20); left > 0; left--)
      key = crypto.deriveKey(key, new Uint8Array(), label);
    const nonce = new Uint8Array(12);
    new DataView(nonce.buffer).setBigUint64(4, BigInt(vector.number));
    expect(hex(crypto.createCipher(key).seal(nonce, bytesOf(vector.body), vector.kind))).toBe(vector.frame);
  });

  it.each(vectors.refusedFrames.filter(({ number }) => number < 2))('has frames that do not open: $name', (vector) => {
    const opener = new FrameOpener(crypto, FIRST_KEY);
    for (const before of vectors.frames.slice(0, vector.number)) opener.open(bytesOf(before.frame));
    expect(opener.open(bytesOf(vector.frame))).toBeUndefined();
  });
});
