import { parseJson } from '@model-rtc/protocol';
import * as z from 'zod';
import { MAX_PAYLOAD_CHARS } from './limits.ts';

/**
 * Bytes as base64url without padding (RFC 4648, section 5), in the one spelling that protocol.fromBase64Url takes: the
 * unused bits of the last character are zero.
 */
const BASE64URL = /^(?:[A-Za-z0-9_-]{4})*(?:[A-Za-z0-9_-][AQgw]|[A-Za-z0-9_-]{2}[AEIMQUYcgkosw048])?$/;

function base64url(maxChars: number) {
  return z.string().max(maxChars).regex(BASE64URL, 'is not base64url');
}

function base64urlOf(bytes: number) {
  return base64url(MAX_PAYLOAD_CHARS).length(Math.ceil((bytes * 4) / 3), `is not ${bytes} bytes of base64url`);
}

const payload = base64url(MAX_PAYLOAD_CHARS);
const publicKey = base64urlOf(32);
const signature = base64urlOf(64);
/** The SHA-256 that a room is called by (protocol.roomOf). */
const room = base64urlOf(32);
const visitorName = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/);
/** What a worker signs for instead of a host when it uses only one server: no other server could use the signature. */
export const ANY_HOST = '*';
/** A host as in a URL: a name, an IPv4 address or an IPv6 address in brackets, with the port unless it is the scheme's own. */
const host = z
  .string()
  .max(260)
  .regex(/^(?:\*|[A-Za-z0-9._:[\]-]+)$/, 'is not a host');
/** Identifies one run of a worker: anything that differs between two runs. */
const instance = z.string().regex(/^[A-Za-z0-9_-]{8,64}$/);

/** What a client (worker or visitor) says to the server. Unknown fields are ignored, unknown types are not. */
export const clientMessageSchema = z.discriminatedUnion('type', [
  /** Opens the room of the key. The signature is over protocol.registrationText(host, nonce of the challenge). */
  z.object({ type: z.literal('register'), publicKey, host, instance, signature }),
  z.object({ type: z.literal('visit'), room }),
  /** A payload for the other side. A worker names the visitor; a visitor has one worker. */
  z.object({ type: z.literal('send'), visitor: visitorName.optional(), payload }),
  /** A worker is done with a visitor. A visitor just closes its connection. */
  z.object({ type: z.literal('end'), visitor: visitorName }),
  z.object({ type: z.literal('ping') }),
]);
export type ClientMessage = z.infer<typeof clientMessageSchema>;

/** Why the server did not do what was asked. */
export const SERVER_ERRORS = [
  'worker_offline',
  'peer_gone',
  'too_large',
  'too_many',
  'malformed',
  'refused',
  'wrong_host',
  'timeout',
] as const;
export type ServerErrorCode = (typeof SERVER_ERRORS)[number];

/** What the server says. A client ignores types that it does not know, so that a server may be newer. */
export const serverMessageSchema = z.discriminatedUnion('type', [
  /** The first message on every connection. */
  z.object({ type: z.literal('challenge'), nonce: base64url(256).min(16) }),
  z.object({ type: z.literal('registered'), room }),
  /** To a visitor: the worker is there. */
  z.object({ type: z.literal('visiting'), room }),
  /** To a worker: someone came. */
  z.object({ type: z.literal('visitor'), visitor: visitorName }),
  z.object({ type: z.literal('from'), visitor: visitorName.optional(), payload }),
  /** The other side is gone: it ended the link, or its connection was lost. */
  z.object({ type: z.literal('gone'), visitor: visitorName.optional(), reason: z.enum(['ended', 'lost']) }),
  /** To a worker: another run with the same key took the room. It must not come back by itself. */
  z.object({ type: z.literal('replaced') }),
  z.object({
    type: z.literal('error'),
    code: z.enum(SERVER_ERRORS),
    message: z.string().max(1024),
    visitor: visitorName.optional(),
  }),
  z.object({ type: z.literal('pong') }),
]);
export type ServerMessage = z.infer<typeof serverMessageSchema>;

export type Parsed<T> = { readonly message: T } | { readonly problem: string };

/** A client's text frame, or what is wrong with it. Never throws. */
export function parseClientMessage(text: string): Parsed<ClientMessage> {
  return parseWith(clientMessageSchema, text);
}

/** A server's text frame, or what is wrong with it; undefined for a type that this version does not know. Never throws. */
export function parseServerMessage(text: string): Parsed<ServerMessage> | undefined {
  const parsed = parseWith(serverMessageSchema, text);
  return 'problem' in parsed && hasUnknownType(text) ? undefined : parsed;
}

const SERVER_TYPES: ReadonlySet<string> = new Set(serverMessageSchema.options.map((option) => option.shape.type.value));

function parseWith<T>(schema: z.ZodType<T>, text: string): Parsed<T> {
  const value = parseJson(text);
  if (value === undefined) return { problem: 'it is not JSON' };
  const result = schema.safeParse(value);
  if (result.success) return { message: result.data };
  const issue = result.error.issues[0];
  // Which field and rule, never the value: it is the sender's, and may be large.
  return { problem: `${issue?.path.join('.') || 'the message'}: ${issue?.message ?? 'is not valid'}` };
}

function hasUnknownType(text: string): boolean {
  const value = parseJson(text);
  if (typeof value !== 'object' || value === null || !('type' in value)) return false;
  return typeof value.type === 'string' && !SERVER_TYPES.has(value.type);
}
