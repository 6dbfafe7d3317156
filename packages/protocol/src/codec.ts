import { Packr, RESET_BUFFER_MODE } from 'msgpackr/pack';
import { Unpackr } from 'msgpackr/unpack';
import { ModelRtcError } from './errors.ts';
import { isMessageType, type Message, messageSchema } from './messages.ts';
import { MESSAGE_LIMITS, malformed, type PackLimits, scanMsgpack } from './msgpack-scan.ts';
import { schemaProblem } from './schema-problem.ts';

/** Plain MessagePack: no records or other extensions of msgpackr, so that any implementation can read it. */
const PLAIN = { useRecords: false, mapsAsObjects: true, int64AsType: 'number', copyBuffers: true } as const;

/** A key with the value undefined is left out; a `toJSON` in hostile data is a value as any other. */
const packr = new Packr({ ...PLAIN, encodeUndefinedAsNil: true, ...{ skipValues: [undefined], useToJSON: false } });
const unpackr = new Unpackr({ ...PLAIN });

/**
 * Any value of nil, booleans, numbers, strings, Uint8Arrays, arrays and plain objects as MessagePack.
 * @throws ModelRtcError `bad_argument` when it is larger than a receiver takes, or is of another type.
 */
export function packValue(value: unknown, limits: PackLimits = MESSAGE_LIMITS): Uint8Array {
  try {
    return packChecked(value, limits);
  } catch {
    // The rare value with an unpaired surrogate, which UTF-8 cannot hold: it goes as U+FFFD. Or one without a prototype,
    // whose `toJSON` would be called though it is a value. All else fails again.
    return packRepaired(value, limits);
  }
}

/**
 * The value of MessagePack bytes from anywhere.
 * @throws ModelRtcError `malformed_message` before anything is built from bytes that break a rule or limit.
 */
export function unpackValue(bytes: Uint8Array, limits: PackLimits = MESSAGE_LIMITS): unknown {
  // A view of its own class and without own properties: msgpackr treats a Buffer otherwise, and leaves its mark on it.
  const view = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  scanMsgpack(view, limits);
  try {
    return unpackr.unpack(view);
  } catch (cause) {
    throw malformed('it cannot be decoded', cause);
  }
}

/** @throws ModelRtcError `bad_argument` when the message is longer than a receiver takes. */
export function encodeMessage(message: Message): Uint8Array {
  return packValue(message);
}

/**
 * A message from a lane. Unknown fields are left out of it.
 * @throws ModelRtcError `malformed_message`.
 */
export function decodeMessage(bytes: Uint8Array): Message {
  return parseMessage(unpackValue(bytes));
}

/**
 * The same from a side that may be of a newer version.
 * @returns undefined for a message of a type that this version does not know: it is passed over.
 * @throws ModelRtcError `malformed_message`.
 */
export function decodeKnownMessage(bytes: Uint8Array): Message | undefined {
  const value = unpackValue(bytes);
  const type = (value as { type?: unknown } | null)?.type;
  return typeof type === 'string' && type.length <= 64 && !isMessageType(type) ? undefined : parseMessage(value);
}

function parseMessage(value: unknown): Message {
  const parsed = messageSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw malformed(schemaProblem(parsed.error, 'message').slice(0, 500), parsed.error);
}

function packChecked(value: unknown, limits: PackLimits): Uint8Array {
  // A copy, since msgpackr packs the next value into the same memory.
  const bytes = new Uint8Array(packr.pack(value, RESET_BUFFER_MODE));
  scanMsgpack(bytes, limits);
  return bytes;
}

function packRepaired(value: unknown, limits: PackLimits): Uint8Array {
  try {
    return packChecked(wellFormed(value, limits.maxNesting), limits);
  } catch (cause) {
    throw unsendable(cause);
  }
}

function unsendable(cause: unknown): ModelRtcError {
  const problem = cause instanceof ModelRtcError ? cause.details?.problem : cause;
  return new ModelRtcError('bad_argument', `This cannot be sent to the other side: ${problem}.`, { cause });
}

function wellFormed(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return value.replace(/\p{Surrogate}/gu, '\ufffd');
  if (depth < 0) return value;
  if (Array.isArray(value)) return value.map((item) => wellFormed(item, depth - 1));
  if (!isPlainObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [wellFormed(key, 0), wellFormed(item, depth - 1)]),
  );
}

function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
