import * as z from 'zod';
import { packValue, unpackValue } from './codec.ts';
import { MAX_ENVELOPE_BYTES, MAX_SEALED_PIECE_BYTES } from './limits.ts';
import { errorDataSchema } from './messages.ts';
import { MESSAGE_LIMITS, malformed, type PackLimits } from './msgpack-scan.ts';
import { schemaProblem } from './schema-problem.ts';

/** Each connection that is being set up has a number of the offerer's choice; a fresh attempt has a fresh number. */
const laneSchema = z.number().int().min(0).max(0xffff_ffff);
const bytesSchema = (length: number) =>
  z.instanceof(Uint8Array).refine((bytes) => bytes.length === length, `${length} bytes`);
const pieceSchema = z.custom<Uint8Array>(
  (value) => value instanceof Uint8Array && value.length <= MAX_SEALED_PIECE_BYTES,
  `at most ${MAX_SEALED_PIECE_BYTES} bytes`,
);
const sdpSchema = z.string().min(1).max(MAX_ENVELOPE_BYTES);

/** The messages of a visitor and a worker inside the seal: they bring up connections, or do without. */
export const exchangeMessageSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('offer'),
    lane: laneSchema,
    engine: z.string().max(64),
    sdp: sdpSchema,
    /** The largest IP packets, in bytes, that both sides should send on this lane, if their engines can. */
    mtu: z.number().int().min(1280).max(65_535).optional(),
  }),
  z.object({ type: z.literal('answer'), lane: laneSchema, sdp: sdpSchema }),
  /** A candidate of RFC 8839 as `candidate:...`; an empty one says that there are no more. `mid` is the media section's. */
  z.object({
    type: z.literal('candidate'),
    lane: laneSchema,
    candidate: z.string().max(4096),
    mid: z.string().max(64),
  }),
  /** Asks for a TLS connection to the worker's own port; answered by `direct_offer` or `unavailable`. */
  z.object({ type: z.literal('direct_ask'), lane: laneSchema }),
  z.object({
    type: z.literal('direct_offer'),
    lane: laneSchema,
    /** Where the worker listens: IPv4 or IPv6 addresses or host names; the first is the likeliest. */
    addresses: z
      .array(z.object({ host: z.string().min(1).max(253), port: z.number().int().min(1).max(65_535) }))
      .max(64),
    /** SHA-256 of the certificate (DER) that the worker shows there. */
    certificate: bytesSchema(32),
    /** Good for one connection. */
    token: bytesSchema(32),
  }),
  /** Asks to meet at the signaling server's relay; answered by `relay_offer` or `unavailable`. */
  z.object({
    type: z.literal('relay_ask'),
    lane: laneSchema,
    /** The name under which both come to the relay; random. */
    meeting: bytesSchema(16),
    /** X25519, made for this lane alone. */
    publicKey: bytesSchema(32),
  }),
  z.object({ type: z.literal('relay_offer'), lane: laneSchema, publicKey: bytesSchema(32) }),
  /** The worker cannot offer such a lane; `message` says why. */
  z.object({ type: z.literal('unavailable'), lane: laneSchema, message: z.string().max(1024) }),
  /** A piece of a request that needs no connection, as a message of a lane has it. Its number is one of those of lanes. */
  z.object({ type: z.literal('request'), lane: laneSchema, bytes: pieceSchema, more: z.literal(true).optional() }),
  /** A piece of its answer. */
  z.object({ type: z.literal('reply'), lane: laneSchema, bytes: pieceSchema, more: z.literal(true).optional() }),
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

/** @returns undefined for a message of a kind that this version does not know. @throws ModelRtcError `malformed_message`. */
export function decodeExchange(bytes: Uint8Array): ExchangeMessage | undefined {
  return parseExchange(unpackValue(bytes, EXCHANGE_LIMITS));
}

/** The same of a value that came over a lane. @returns and throws like `decodeExchange`. */
export function parseExchange(value: unknown): ExchangeMessage | undefined {
  const parsed = exchangeMessageSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const type = typeof value === 'object' && value !== null && 'type' in value ? value.type : undefined;
  const isKnown = exchangeMessageSchema.options.some(({ shape }) => shape.type.value === type);
  if (typeof type === 'string' && !isKnown) return undefined;
  throw malformed(schemaProblem(parsed.error, 'message').slice(0, 500), parsed.error);
}
