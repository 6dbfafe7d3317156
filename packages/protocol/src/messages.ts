import * as z from 'zod';
import { MAX_MESSAGE_BYTES } from './limits.ts';

/** A number of a request or chunk: u32. */
export const requestIdSchema = z.number().int().min(0).max(0xffff_ffff);

export const errorDataSchema = z.object({
  /** An unknown code of a newer version is taken as `unexpected`. */
  code: z.string().max(64),
  message: z.string().max(4096),
  details: z.record(z.string(), z.unknown()).optional(),
});

export const helloSchema = z.object({
  type: z.literal('hello'),
  protocol: z.object({ major: z.number().int().min(0), minor: z.number().int().min(0) }),
  agent: z.object({
    role: z.enum(['worker', 'client']),
    name: z.string().max(256),
    version: z.string().max(64),
  }),
  /** Optional abilities; an unknown one is ignored. */
  capabilities: z.array(z.string().max(64)).max(256),
  limits: z.object({
    /** The longest message, after joining its fragments, that this agent takes. */
    maxMessageBytes: z.number().int().min(65_536).max(MAX_MESSAGE_BYTES),
    /** Requests that it answers at once. */
    maxOpenRequests: z.number().int().min(1).max(1024),
  }),
});
export type Hello = z.infer<typeof helloSchema>;

const requestSchema = z.object({
  type: z.literal('request'),
  id: requestIdSchema,
  method: z.string().min(1).max(64),
  params: z.unknown(),
  /** The lane that carried the request was lost: it is asked again, with the same id, and answered once. */
  again: z.literal(true).optional(),
});
const replySchema = z.object({ type: z.literal('reply'), id: requestIdSchema, result: z.unknown() });
const errorSchema = z.object({ type: z.literal('error'), id: requestIdSchema, error: errorDataSchema });
const eventSchema = z.object({ type: z.literal('event'), id: requestIdSchema, event: z.unknown() });
const cancelSchema = z.object({ type: z.literal('cancel'), id: requestIdSchema });
const pingSchema = z.object({ type: z.literal('ping'), nonce: requestIdSchema });
const pongSchema = z.object({ type: z.literal('pong'), nonce: requestIdSchema });
/** The sender is about to close the peer; the error says why, unless it is an ordinary end. */
const byeSchema = z.object({ type: z.literal('bye'), error: errorDataSchema.optional() });

/** Sets up another lane of the same peer: the content of a sealed envelope, sent over a lane instead. */
const exchangeSchema = z.object({ type: z.literal('exchange'), message: z.unknown() });

/** Everything that crosses a lane besides frames. */
export const messageSchema = z.discriminatedUnion('type', [
  helloSchema,
  requestSchema,
  replySchema,
  errorSchema,
  eventSchema,
  cancelSchema,
  pingSchema,
  pongSchema,
  byeSchema,
  exchangeSchema,
]);
export type Message = z.infer<typeof messageSchema>;

const MESSAGE_TYPES: ReadonlySet<string> = new Set(messageSchema.options.map(({ shape }) => shape.type.value));

export function isMessageType(type: string): boolean {
  return MESSAGE_TYPES.has(type);
}
