import {
  type CheckedText,
  decodeChecked,
  encodeChecked,
  isSignalingUrl,
  ModelRtcError,
  packValue,
  pastedText,
  unpackValue,
  verifySignature,
} from '@model-rtc/protocol';
import * as z from 'zod';
import { MAX_INVITE_CHARS, MAX_INVITE_MEMBERS, MAX_MEETINGS } from '../limits.ts';
import { decodeRecord, keySchema, RECORD_LIMITS, type SignedRecord } from '../record.ts';
import { type InviteCertificate, readInvite } from './certificates.ts';

const TEXT: CheckedText = { prefix: 'mrtcmesh1_', domain: 'model-rtc/1/mesh/invite-text\0' };
const MAX_URLS = 16;

const urlsSchema = z.array(z.string().refine(isSignalingUrl, 'an address is not a ws:// or wss:// URL')).max(MAX_URLS);
const textSchema = z.object({
  certificate: z.instanceof(Uint8Array),
  /** The private key that belongs to the certificate. */
  seed: keySchema,
  urls: urlsSchema,
  members: z.array(z.object({ key: keySchema, urls: urlsSchema })).max(MAX_INVITE_MEMBERS),
  meetings: z.array(keySchema).max(MAX_MEETINGS).default([]),
});

/** What lets a machine join a mesh. Whoever holds it can join until it expires, so it is a secret. */
export interface Invite {
  readonly record: SignedRecord;
  readonly certificate: InviteCertificate;
  readonly seed: Uint8Array;
  /** Signaling servers at which members meet. */
  readonly urls: readonly string[];
  /** Members to reach first. */
  readonly members: readonly { readonly key: Uint8Array; readonly urls: readonly string[] }[];
  /** Secrets of the rooms where other members can be found at these servers, the newest first: 32 bytes each. */
  readonly meetings: readonly Uint8Array[];
}

/** @throws ModelRtcError `bad_argument` when it gets too long */
export function encodeInvite({ record, seed, urls, members, meetings }: Omit<Invite, 'certificate'>): string {
  const body = packValue({ certificate: record.bytes, seed, urls, members, meetings }, RECORD_LIMITS);
  const text = encodeChecked(TEXT, body);
  if (text.length > MAX_INVITE_CHARS) throw notAnInvite('its addresses are too long; use fewer');
  return text;
}

/**
 * Parses an invite that was typed or pasted. Whether it has expired is for the caller to say: `requireValid`.
 * @throws ModelRtcError `bad_argument` that says what to do, and never repeats the text: it is a secret
 */
export function parseInvite(text: string): Invite {
  const trimmed = pastedText(text);
  checkPrefix(trimmed);
  const body = checkedBody(trimmed);
  try {
    const { certificate, ...rest } = textSchema.parse(unpackValue(body, RECORD_LIMITS));
    const record = decodeRecord(certificate);
    return { ...rest, record, certificate: readInvite(record, verifySignature) };
  } catch (cause) {
    throw notAnInvite('what is in it is not valid', cause);
  }
}

/** @throws ModelRtcError `token_expired` */
export function requireValid({ expiresAt, meshName }: InviteCertificate, nowMs: number): void {
  if (nowMs <= expiresAt) return;
  throw new ModelRtcError(
    'token_expired',
    `The invite to the mesh "${meshName}" expired on ${new Date(expiresAt).toISOString().slice(0, 16).replace('T', ' ')} UTC. Ask for another one: model-rtc mesh invite.`,
  );
}

function checkPrefix(text: string): void {
  if (text.length > MAX_INVITE_CHARS) throw notAnInvite('it is too long');
  if (text.startsWith(TEXT.prefix)) return;
  if (/^mrtcmesh[0-9]+_/.test(text)) {
    throw new ModelRtcError(
      'bad_argument',
      'The invite was made by another version of model-rtc. Upgrade this machine.',
    );
  }
  if (/^mrtc[0-9]+_/.test(text)) {
    throw new ModelRtcError(
      'bad_argument',
      'This is a session token, not an invite. Pass it with --worker, or ask for an invite: model-rtc mesh invite.',
    );
  }
  throw notAnInvite(`an invite starts with "${TEXT.prefix}"`);
}

function checkedBody(text: string): Uint8Array {
  const body = decodeChecked(TEXT, text);
  if (body !== undefined && body.length > 0) return body;
  throw new ModelRtcError('bad_argument', 'The invite is mistyped or cut off; copy it again.');
}

function notAnInvite(problem: string, cause?: unknown): ModelRtcError {
  return new ModelRtcError(
    'bad_argument',
    `This is not an invite to a mesh (${problem}). Copy it again from the machine that ran model-rtc mesh invite.`,
    { ...(cause === undefined ? {} : { cause }) },
  );
}
