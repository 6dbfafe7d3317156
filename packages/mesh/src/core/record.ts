import {
  type Identity,
  MESSAGE_LIMITS,
  ModelRtcError,
  type PackLimits,
  packValue,
  schemaProblem,
  unpackValue,
  verifySignature,
} from '@model-rtc/protocol';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import * as z from 'zod';
import { MAX_NODE_NAME_CHARS, MAX_RECORD_BYTES } from './limits.ts';
import { NODE_NAME } from './node-name.ts';

/** What members sign and pass on. An invite's certificate travels inside of memberships. */
export const RECORD_KINDS = ['invite', 'membership', 'roster', 'leave', 'model_catalog'] as const;
export type RecordKind = (typeof RECORD_KINDS)[number];

/** Checks a signature of 64 bytes: `verifySignature`, or a faster one that gives the same answers. */
export type Verify = (publicKey: Uint8Array, bytes: Uint8Array, signature: Uint8Array) => boolean;
export const defaultVerify: Verify = verifySignature;

/** A signed body. The bytes are kept as they came: nobody has to encode a body again to check it. */
export interface SignedRecord {
  readonly kind: RecordKind;
  /** MessagePack. */
  readonly body: Uint8Array;
  readonly signatures: readonly Uint8Array[];
  /** The whole record as it is sent and kept. */
  readonly bytes: Uint8Array;
  /** The first 16 bytes of the SHA-256 of `bytes`, as 32 hex characters. */
  readonly id: string;
}

export const RECORD_LIMITS: PackLimits = {
  ...MESSAGE_LIMITS,
  maxBytes: MAX_RECORD_BYTES,
  maxNesting: 6,
  maxItems: 4_096,
  maxMapEntries: 64,
  maxValues: 32_768,
  maxStringBytes: MAX_RECORD_BYTES,
};

export const bytesSchema = (length: number) =>
  z.custom<Uint8Array>(
    (value) => value instanceof Uint8Array && value.length === length,
    `it must have ${length} bytes`,
  );
export const keySchema = bytesSchema(32);
export const hashSchema = bytesSchema(32);
/** Milliseconds since 1970. */
export const timeSchema = z.number().int().min(0).max(253_402_300_799_999);
export const countSchema = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

export const nodeNameSchema = z
  .string()
  .regex(NODE_NAME, `a name is 1 to ${MAX_NODE_NAME_CHARS} of A-Z, a-z, 0-9, ".", "_" and "-"`);

/** A text that can be shown in a line: no control characters, no marks that change the direction of what follows. */
export const lineSchema = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .regex(
      /^[^\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]+$/u,
      'it cannot be shown in a line',
    );

const envelopeSchema = z.object({
  kind: z.enum(RECORD_KINDS),
  body: z.instanceof(Uint8Array),
  signatures: z.array(bytesSchema(64)).min(1).max(2),
});

/** @param signers each signs the same text, in this order */
export function signRecord(kind: RecordKind, body: object, signers: readonly Pick<Identity, 'sign'>[]): SignedRecord {
  const packed = packValue(body, RECORD_LIMITS);
  const text = signedText(kind, packed);
  const signatures = signers.map((signer) => signer.sign(text));
  const bytes = packValue({ kind, body: packed, signatures }, RECORD_LIMITS);
  return { kind, body: packed, signatures, bytes, id: recordId(bytes) };
}

/**
 * A record from anywhere; its signatures are not checked yet.
 * @throws ModelRtcError `malformed_message`
 */
export function decodeRecord(bytes: Uint8Array): SignedRecord {
  const { kind, body, signatures } = parseWith(envelopeSchema, unpackValue(bytes, RECORD_LIMITS), 'record');
  return { kind, body, signatures, bytes, id: recordId(bytes) };
}

/** The body of a record. @throws ModelRtcError `malformed_message` */
export function parseBody<T extends z.ZodType>(schema: T, record: SignedRecord): z.output<T> {
  return parseWith(schema, unpackValue(record.body, RECORD_LIMITS), record.kind);
}

/** @throws ModelRtcError `malformed_message` */
export function parseWith<T extends z.ZodType>(schema: T, value: unknown, what: string): z.output<T> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw malformedRecord(`its ${what} is not valid: ${schemaProblem(parsed.error).slice(0, 300)}`, parsed.error);
}

export function malformedRecord(problem: string, cause?: unknown): ModelRtcError {
  return new ModelRtcError(
    'malformed_message',
    `A member of the mesh sent a record that is not valid (${problem}). It was ignored.`,
    { details: { problem }, ...(cause === undefined ? {} : { cause }) },
  );
}

/** A record that is well formed and does not count here. */
export function refusedRecord(problem: string): ModelRtcError {
  return new ModelRtcError('refused', `A record of the mesh was refused: ${problem}.`, { details: { problem } });
}

/** A record that whoever sent it could have seen to be false. */
function forgedRecord(problem: string): ModelRtcError {
  const { code, message, details } = refusedRecord(problem);
  return new ModelRtcError(code, message, { details: { ...details, isForged: true } });
}

/** @throws ModelRtcError `refused` unless the n-th signature is the key's */
export function requireSignature(record: SignedRecord, index: number, key: Uint8Array, verify: Verify): void {
  const signature = record.signatures[index];
  if (signature !== undefined && verify(key, signedText(record.kind, record.body), signature)) return;
  throw forgedRecord(`the signature of its ${record.kind} is wrong`);
}

export function recordId(bytes: Uint8Array): string {
  return bytesToHex(sha256(bytes).subarray(0, 16));
}

function signedText(kind: RecordKind, body: Uint8Array): Uint8Array {
  return concatBytes(utf8ToBytes(`model-rtc/1/mesh/${kind}\0`), body);
}
