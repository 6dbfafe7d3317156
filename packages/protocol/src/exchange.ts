import { z } from 'zod';
import { packValue, unpackValue } from './codec.ts';
import { MAX_ENVELOPE_BYTES } from './limits.ts';
import { errorDataSchema } from './messages.ts';
import { MESSAGE_LIMITS, malformed, type PackLimits } from './msgpack-scan.ts';

/** Each connection that is being set up has a number of the offerer's choice; a fresh attempt has a fresh number. */
const laneSchema = z.number().int().min(0).max(0xffff_ffff);
const sdpSchema = z.string().min(1).max(MAX_ENVELOPE_BYTES);

/** What a visitor and a worker say to each other inside the seal, to bring up connections. */
export const exchangeMessageSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('offer'), lane: laneSchema, engine: z.string().max(64), sdp: sdpSchema }),
  z.object({ type: z.literal('answer'), lane: laneSchema, sdp: sdpSchema }),
  /** A candidate of RFC 8839 as `candidate:...`; an empty one says that there are no more. `mid` is the media section's. */
  z.object({
    type: z.literal('candidate'),
    lane: laneSchema,
    candidate: z.string().max(4096),
    mid: z.string().max(64),
  }),
  /** The sender ends the exchange: an expired token, a worker that is full. */
  z.object({ type: z.literal('refuse'), error: errorDataSchema }),
]);
export type ExchangeMessage = z.infer<typeof exchangeMessageSchema>;

/** Nothing inside the seal is nested but the details of an error. */
const EXCHANGE_LIMITS: PackLimits = {
  ...MESSAGE_LIMITS,
  maxBytes: MAX_ENVELOPE_BYTES,
  maxItems: 1024,
  maxMapEntries: 1024,
  maxValues: 4096,
  maxStringBytes: MAX_ENVELOPE_BYTES,
};

/** @throws ModelRtcError `bad_argument` when it is too long for an envelope. */
export function encodeExchange(message: ExchangeMessage): Uint8Array {
  return packValue(message, EXCHANGE_LIMITS);
}

/** @throws ModelRtcError `malformed_message`. */
export function decodeExchange(bytes: Uint8Array): ExchangeMessage {
  const parsed = exchangeMessageSchema.safeParse(unpackValue(bytes, EXCHANGE_LIMITS));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw malformed(`${issue?.path.join('.') || 'message'}: ${issue?.message ?? 'unknown'}`.slice(0, 500), parsed.error);
}
