import { ed25519 } from '@noble/curves/ed25519.js';

/** The part of Node's `crypto` that is used here; its keys are opaque. */
interface NativeCrypto {
  createPrivateKey(options: DerKey): object;
  createPublicKey(key: DerKey | object): { export(options: { format: 'der'; type: 'spki' }): Uint8Array };
  sign(algorithm: null, bytes: Uint8Array, key: object): Uint8Array;
  verify(algorithm: null, bytes: Uint8Array, key: object, signature: Uint8Array): boolean;
}
interface DerKey {
  readonly key: Uint8Array;
  readonly format: 'der';
  readonly type: 'pkcs8' | 'spki';
}

/** What stands before the 32 bytes of a key in DER (RFC 8410). */
const PKCS8_HEAD = [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
const SPKI_HEAD = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
/** A mesh has its members' keys checked again and again. */
const MAX_KEPT_KEYS = 1_024;

const native = findNative();
/** Public keys that passed the strict check, the one used longest ago first. */
const strictKeys = new Map<string, object>();

/** The two halves of a key: its public one and what signs with its private one. */
export function keyPair(seed: Uint8Array): { publicKey: Uint8Array; sign(bytes: Uint8Array): Uint8Array } {
  if (native === undefined) {
    const privateKey = Uint8Array.from(seed);
    return { publicKey: ed25519.getPublicKey(privateKey), sign: (bytes) => ed25519.sign(bytes, privateKey) };
  }
  const privateKey = native.createPrivateKey({ key: der(PKCS8_HEAD, seed), format: 'der', type: 'pkcs8' });
  return {
    publicKey: publicHalf(native, privateKey),
    sign: (bytes) => Uint8Array.from(native.sign(null, bytes, privateKey)),
  };
}

/**
 * Whether the key signed the bytes, by the strict rules of RFC 8032. OpenSSL, where this runs in Node, is several times as fast and takes
 * keys that those rules refuse, so each key is checked once in JavaScript. What OpenSSL refuses is for JavaScript to judge: the answer is the
 * same in a browser.
 *
 * @throws Error for what is no key or signature at all
 */
export function isSigned(publicKey: Uint8Array, bytes: Uint8Array, signature: Uint8Array): boolean {
  const isWhole = publicKey.length === KEY_BYTES && signature.length === SIGNATURE_BYTES;
  if (native !== undefined && isWhole) {
    const key = strictKey(native, publicKey);
    if (key === undefined) return false;
    if (native.verify(null, bytes, key, signature)) return true;
  }
  return isSignedInJavaScript(publicKey, bytes, signature);
}

/** Other implementations must come to the same answer, and keys of small order sign anything. */
export function isSignedInJavaScript(publicKey: Uint8Array, bytes: Uint8Array, signature: Uint8Array): boolean {
  return ed25519.verify(signature, bytes, publicKey, { zip215: false });
}

function strictKey({ createPublicKey }: NativeCrypto, publicKey: Uint8Array): object | undefined {
  const name = String.fromCharCode(...publicKey);
  let key = strictKeys.get(name);
  if (key === undefined) {
    if (ed25519.Point.fromBytes(publicKey, false).isSmallOrder()) return undefined;
    key = createPublicKey({ key: der(SPKI_HEAD, publicKey), format: 'der', type: 'spki' });
  }
  strictKeys.delete(name);
  strictKeys.set(name, key);
  const [oldest] = strictKeys.keys();
  if (strictKeys.size > MAX_KEPT_KEYS && oldest !== undefined) strictKeys.delete(oldest);
  return key;
}

/** A page has no such thing, and an OpenSSL may be built without this algorithm. */
function findNative(): NativeCrypto | undefined {
  const { process } = globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } };
  try {
    const crypto = process?.getBuiltinModule?.('node:crypto') as NativeCrypto | undefined;
    const seed = new Uint8Array(KEY_BYTES);
    const key = crypto?.createPrivateKey({ key: der(PKCS8_HEAD, seed), format: 'der', type: 'pkcs8' });
    return key === undefined || crypto?.sign(null, seed, key).length !== SIGNATURE_BYTES ? undefined : crypto;
  } catch {
    return undefined;
  }
}

function publicHalf({ createPublicKey }: NativeCrypto, privateKey: object): Uint8Array {
  return Uint8Array.from(
    createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(SPKI_HEAD.length),
  );
}

function der(head: readonly number[], key: Uint8Array): Uint8Array {
  if (key.length !== KEY_BYTES) throw new RangeError(`an Ed25519 key has ${KEY_BYTES} bytes, not ${key.length}`);
  return Uint8Array.from([...head, ...key]);
}
