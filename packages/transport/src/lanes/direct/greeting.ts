import { MIN_MESSAGE_BYTES } from './limits.ts';

/** "MRD1": direct lanes of model-rtc, version 1. */
const MAGIC = Buffer.from('MRD1', 'latin1');
const TOKEN_BYTES = 32;

/** The first bytes of the side that dialled: magic, the longest message that it takes (u32), the token. */
export const GREETING_BYTES = 40;
/** The first bytes of the side that listens, once it knows the token: magic, the longest message that it takes (u32). */
export const WELCOME_BYTES = 8;

export interface Greeting {
  readonly maxMessageSize: number;
  readonly token: Uint8Array;
}

export function encodeGreeting({ maxMessageSize, token }: Greeting): Uint8Array {
  return Buffer.concat([encodeWelcome(maxMessageSize), token], GREETING_BYTES);
}

/** @returns undefined when it is no greeting of this version. */
export function decodeGreeting(bytes: Uint8Array): Greeting | undefined {
  const maxMessageSize = decodeWelcome(bytes.subarray(0, WELCOME_BYTES));
  if (maxMessageSize === undefined || bytes.byteLength !== GREETING_BYTES) return undefined;
  return { maxMessageSize, token: bytes.slice(WELCOME_BYTES, WELCOME_BYTES + TOKEN_BYTES) };
}

export function encodeWelcome(maxMessageSize: number): Uint8Array {
  const bytes = Buffer.alloc(WELCOME_BYTES);
  bytes.set(MAGIC);
  bytes.writeUInt32BE(maxMessageSize, MAGIC.length);
  return bytes;
}

/** @returns the longest message that the other side takes; undefined when it is no welcome of this version. */
export function decodeWelcome(bytes: Uint8Array): number | undefined {
  if (bytes.byteLength !== WELCOME_BYTES || MAGIC.compare(bytes, 0, MAGIC.length) !== 0) return undefined;
  const size = new DataView(bytes.buffer, bytes.byteOffset).getUint32(MAGIC.length);
  return size < MIN_MESSAGE_BYTES ? undefined : size;
}
