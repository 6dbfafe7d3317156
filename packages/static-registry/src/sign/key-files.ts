import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type Identity, identityFromSeed, ModelRtcError } from '@model-rtc/protocol';
import { parsePublicKey } from './signatures.ts';

/**
 * Public keys as a person gives them: in hex, or in a file, `@FILE`, in hex or PEM.
 * @throws ModelRtcError `bad_argument`
 */
export async function readPublicKeys(texts: Iterable<string>): Promise<string[]> {
  return await Promise.all([...texts].map(readPublicKey));
}

/** The keys that a person gave, else those in MODEL_RTC_TRUST_KEY. @throws ModelRtcError `bad_argument` */
export async function givenPublicKeys(
  given: Iterable<string> | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string[]> {
  const texts = [...(given ?? [])];
  const { MODEL_RTC_TRUST_KEY: inEnvironment = '' } = env;
  return await readPublicKeys(texts.length > 0 ? texts : inEnvironment.split(/[\s,]+/).filter((text) => text !== ''));
}

/** The key to sign with that a file holds: a seed in hex, or PEM. @throws ModelRtcError `bad_argument` */
export async function readSigner(path: string): Promise<Identity> {
  const content = await readKeyFile(path);
  if (/^[0-9a-f]{64}$/i.test(content)) return identityFromSeed(new Uint8Array(Buffer.from(content, 'hex')));
  return identityFromSeed(new Uint8Array(fieldOf(path, 'd', () => createPrivateKey(content))));
}

async function readPublicKey(text: string): Promise<string> {
  if (!text.startsWith('@')) return parsePublicKey(text);
  const path = text.slice(1);
  const content = await readKeyFile(path);
  if (!content.includes('BEGIN PUBLIC KEY')) return parsePublicKey(content);
  return fieldOf(path, 'x', () => createPublicKey(content)).toString('hex');
}

/** A field of an Ed25519 key, of 32 bytes. */
function fieldOf(path: string, field: 'd' | 'x', open: () => KeyObject): Buffer {
  try {
    const key = open();
    const bytes = Buffer.from(key.export({ format: 'jwk' })[field] ?? '', 'base64url');
    if (key.asymmetricKeyType === 'ed25519' && bytes.length === 32) return bytes;
  } catch (error) {
    throw ModelRtcError.because(error, 'bad_argument', noKey(path));
  }
  throw new ModelRtcError('bad_argument', noKey(path));
}

function noKey(path: string): string {
  return `"${path}" holds no Ed25519 key: 64 hex characters, or PEM. Make one with: openssl genpkey -algorithm ed25519`;
}

async function readKeyFile(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    throw ModelRtcError.because(error, 'bad_argument', `Cannot read the key file "${path}".`);
  }
}
