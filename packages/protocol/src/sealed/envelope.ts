import { concatBytes } from '@noble/hashes/utils.js';
import { ModelRtcError } from '../errors.ts';
import { MAX_ENVELOPE_BYTES } from '../limits.ts';

const VERSION = 1;
const KIND_VISITOR = 1;
const KIND_WORKER = 2;
const KIND_REFUSAL = 3;

export const EXCHANGE_ID_BYTES = 16;
export const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const SIGNATURE_BYTES = 64;

/** Version (1), kind (1), key id (8), exchange id (16), sequence (4), nonce (12). */
const VISITOR_HEADER_BYTES = 42;
/** Version (1), kind (1), exchange id (16), sequence (4), seen (4), nonce (12). */
const WORKER_HEADER_BYTES = 38;
/** Version (1), kind (1), exchange id (16). */
const REFUSAL_HEADER_BYTES = 18;

/** An envelope from the visitor: header, ciphertext with its tag. The header is authenticated with the ciphertext. */
export interface VisitorEnvelope {
  readonly keyId: Uint8Array;
  readonly exchangeId: Uint8Array;
  readonly sequence: number;
  readonly nonce: Uint8Array;
  readonly header: Uint8Array;
  readonly ciphertext: Uint8Array;
}

/** An envelope from the worker: header, signature, ciphertext with its tag. */
export interface WorkerEnvelope {
  readonly kind: 'worker';
  readonly exchangeId: Uint8Array;
  readonly sequence: number;
  /** How many of the visitor's envelopes the worker had processed. */
  readonly seen: number;
  readonly nonce: Uint8Array;
  readonly header: Uint8Array;
  readonly signature: Uint8Array;
  readonly ciphertext: Uint8Array;
}

/** The answer of a worker that cannot open the first envelope: header, signature, an error in the clear. */
export interface RefusalEnvelope {
  readonly kind: 'refusal';
  readonly exchangeId: Uint8Array;
  readonly header: Uint8Array;
  readonly signature: Uint8Array;
  readonly error: Uint8Array;
}

export function visitorHeader(fields: Omit<VisitorEnvelope, 'header' | 'ciphertext'>): Uint8Array {
  const { keyId, exchangeId, sequence, nonce } = fields;
  return concatBytes(Uint8Array.of(VERSION, KIND_VISITOR), keyId, exchangeId, u32(sequence), nonce);
}

export function workerHeader(fields: Pick<WorkerEnvelope, 'exchangeId' | 'sequence' | 'seen' | 'nonce'>): Uint8Array {
  const { exchangeId, sequence, seen, nonce } = fields;
  return concatBytes(Uint8Array.of(VERSION, KIND_WORKER), exchangeId, u32(sequence), u32(seen), nonce);
}

export function refusalHeader(exchangeId: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(VERSION, KIND_REFUSAL), exchangeId);
}

/** @throws ModelRtcError `refused` when it is not a visitor's envelope. */
export function readVisitorEnvelope(bytes: Uint8Array): VisitorEnvelope {
  checkVersion(bytes);
  if (bytes[1] !== KIND_VISITOR) throw interference('an envelope is of the wrong kind or direction');
  if (bytes.length < VISITOR_HEADER_BYTES + TAG_BYTES) throw interference('an envelope is cut off');
  return {
    keyId: bytes.subarray(2, 10),
    exchangeId: bytes.subarray(10, 26),
    sequence: viewOf(bytes).getUint32(26),
    nonce: bytes.subarray(30, VISITOR_HEADER_BYTES),
    header: bytes.subarray(0, VISITOR_HEADER_BYTES),
    ciphertext: bytes.subarray(VISITOR_HEADER_BYTES),
  };
}

/** @throws ModelRtcError `refused` when it is not a worker's envelope. */
export function readWorkerEnvelope(bytes: Uint8Array): WorkerEnvelope | RefusalEnvelope {
  checkVersion(bytes);
  if (bytes[1] === KIND_REFUSAL) return readRefusal(bytes);
  if (bytes[1] !== KIND_WORKER) throw interference('an envelope is of the wrong kind or direction');
  const start = WORKER_HEADER_BYTES + SIGNATURE_BYTES;
  if (bytes.length < start + TAG_BYTES) throw interference('an envelope is cut off');
  const view = viewOf(bytes);
  return {
    kind: 'worker',
    exchangeId: bytes.subarray(2, 18),
    sequence: view.getUint32(18),
    seen: view.getUint32(22),
    nonce: bytes.subarray(26, WORKER_HEADER_BYTES),
    header: bytes.subarray(0, WORKER_HEADER_BYTES),
    signature: bytes.subarray(WORKER_HEADER_BYTES, start),
    ciphertext: bytes.subarray(start),
  };
}

function readRefusal(bytes: Uint8Array): RefusalEnvelope {
  const start = REFUSAL_HEADER_BYTES + SIGNATURE_BYTES;
  if (bytes.length <= start) throw interference('an envelope is cut off');
  return {
    kind: 'refusal',
    exchangeId: bytes.subarray(2, 18),
    header: bytes.subarray(0, REFUSAL_HEADER_BYTES),
    signature: bytes.subarray(REFUSAL_HEADER_BYTES, start),
    error: bytes.subarray(start),
  };
}

/** The exchange id of bytes that may not be an envelope; missing bytes are zero. */
export function exchangeIdOf(bytes: Uint8Array): Uint8Array {
  const id = new Uint8Array(EXCHANGE_ID_BYTES);
  id.set(bytes.subarray(10, 26));
  return id;
}

/** @throws ModelRtcError `bad_argument` when what was sealed is too long to be sent. */
export function checkEnvelopeSize(envelope: Uint8Array): Uint8Array {
  if (envelope.length <= MAX_ENVELOPE_BYTES) return envelope;
  throw new ModelRtcError(
    'bad_argument',
    `A sealed message has ${envelope.length} bytes; the signaling server accepts at most ${MAX_ENVELOPE_BYTES}.`,
  );
}

/** The error for every envelope that cannot be trusted. */
export function interference(problem: string, cause?: unknown): ModelRtcError {
  return new ModelRtcError(
    'refused',
    `The connection was refused because ${problem}. The signaling server may be interfering; ` +
      'try again. If it keeps happening, get a session token for another signaling server.',
    cause === undefined ? {} : { cause },
  );
}

function checkVersion(bytes: Uint8Array): void {
  if (bytes.length > MAX_ENVELOPE_BYTES) throw interference('an envelope is too long');
  if (bytes[0] !== VERSION) throw interference('an envelope is of an unknown version');
}

function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
