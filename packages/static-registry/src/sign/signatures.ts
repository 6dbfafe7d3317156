import { createHash } from 'node:crypto';
import { type Digest, type Identity, isDigest, ModelRtcError, verifySignature } from '@model-rtc/protocol';
import { registryError } from '../format/errors.ts';
import { MAX_SIGNATURES } from '../limits.ts';

/** A publisher's word that a list of models is the one of a moment. All of it is signed. */
export interface ListSignature {
  /** The publisher's public key: 64 lower-case hex characters. */
  readonly key: string;
  /** Grows with each list of a registry. */
  readonly sequence: number;
  /** When it was signed: ISO 8601, UTC. */
  readonly time: string;
  /** The SHA-256 of the bytes of models.json. */
  readonly sha256: Digest;
  /** 128 lower-case hex characters. */
  readonly signature: string;
}

const DOMAIN = 'model-rtc/1/models.json\0';
const KEY = /^[0-9a-f]{64}$/;
const SIGNATURE = /^[0-9a-f]{128}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** A public key as a person gives it. @throws ModelRtcError `bad_argument` */
export function parsePublicKey(text: string): string {
  const key = text.trim().toLowerCase();
  if (KEY.test(key)) return key;
  throw new ModelRtcError(
    'bad_argument',
    `"${text.trim().slice(0, 80)}" is no publisher's key. A key has 64 hex characters; the publisher sees it with: models key`,
  );
}

export function publicKeyOf({ publicKey }: Identity): string {
  return Buffer.from(publicKey).toString('hex');
}

/** Signs a list of models. @param sequence - above that of every list before */
export function signList(
  signer: Identity,
  { sha256, sequence, time }: Pick<ListSignature, 'sha256' | 'sequence' | 'time'>,
): ListSignature {
  const signature = Buffer.from(signer.sign(signedText({ sha256, sequence, time }))).toString('hex');
  return { key: publicKeyOf(signer), sequence, time, sha256, signature };
}

/** Whether the signature is that of its key. */
export function isGenuine(signature: ListSignature): boolean {
  return verifySignature(bytesOf(signature.key), signedText(signature), bytesOf(signature.signature));
}

/**
 * Reads `models.json.sig`. An entry of another form is passed over: a later version may write such.
 * @throws ModelRtcError `verification_failed` for something else
 */
export function parseSignatures(bytes: Uint8Array): ListSignature[] {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw registryError('signature_invalid', `${NOT_SIGNATURES} It is not JSON.`, {}, error);
  }
  const entries = typeof value === 'object' && value !== null && 'signatures' in value ? value.signatures : undefined;
  if (!Array.isArray(entries)) throw registryError('signature_invalid', `${NOT_SIGNATURES} It has no "signatures".`);
  return entries.slice(0, MAX_SIGNATURES).flatMap((entry) => signatureOf(entry) ?? []);
}

export function signaturesText(signatures: readonly ListSignature[]): string {
  return `${JSON.stringify({ signatures }, undefined, 2)}\n`;
}

export function listDigest(bytes: Uint8Array): Digest {
  return createHash('sha256').update(bytes).digest('hex') as Digest;
}

const NOT_SIGNATURES = "The registry's models.json.sig does not hold signatures. Tell the publisher.";

function signedText({ sha256, sequence, time }: Pick<ListSignature, 'sha256' | 'sequence' | 'time'>): Uint8Array {
  return new TextEncoder().encode(`${DOMAIN}${sha256}\n${sequence}\n${time}\n`);
}

function bytesOf(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'));
}

function signatureOf(value: unknown): ListSignature | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { key, sequence, time, sha256, signature } = value as Record<string, unknown>;
  if (typeof key !== 'string' || !KEY.test(key) || typeof signature !== 'string' || !SIGNATURE.test(signature))
    return undefined;
  if (typeof time !== 'string' || !TIME.test(time) || typeof sha256 !== 'string' || !isDigest(sha256)) return undefined;
  if (typeof sequence !== 'number' || !Number.isSafeInteger(sequence) || sequence < 1) return undefined;
  return { key, sequence, time, sha256, signature };
}
