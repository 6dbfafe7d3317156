import { type Identity, identityFromSeed, type Scope } from '@model-rtc/protocol';
import { bytesToHex } from '@noble/hashes/utils.js';
import { decodeRecord, makeInvite, parseInvite, type SignedRecord, signMembership } from '../../src/core/index.ts';

export const START_MS = Date.UTC(2026, 0, 1);
export const seedOf = (number: number): Uint8Array => new Uint8Array(32).fill(number);
export const identityOf = (number: number): Identity => identityFromSeed(seedOf(number));
export const keyTextOf = (number: number): string => bytesToHex(identityOf(number).publicKey);

export const AUTHORITY = identityOf(200);
export const MESH_ID = bytesToHex(AUTHORITY.publicKey);

interface InviteFields {
  readonly seed?: number;
  readonly scopes?: readonly Scope[];
  readonly forMs?: number;
  readonly maxJoins?: number;
  readonly epoch?: number;
  readonly nowMs?: number;
}

export function inviteText({ seed = 100, scopes = ['read'], epoch = 0, nowMs = START_MS, ...rest }: InviteFields = {}) {
  const options = { meshName: 'lab', urls: ['ws://10.0.0.1:8787'], members: [], seed: seedOf(seed) };
  return makeInvite(AUTHORITY, { ...options, scopes, epoch, nowMs, ...rest });
}

/** A membership as the node with this number makes it from an invite. */
export function joined(number: number, fields: InviteFields & { readonly atMs?: number } = {}): SignedRecord {
  const { record, seed } = parseInvite(inviteText(fields).text);
  const node = identityOf(number);
  const nowMs = fields.atMs ?? START_MS;
  return signMembership({ invite: record, inviteSeed: seed, node, name: `node-${number}`, nowMs });
}

/** The record with one byte of it changed. */
export function damaged(record: SignedRecord, at = record.bytes.length - 10): SignedRecord {
  const bytes = record.bytes.slice();
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  return decodeRecord(bytes);
}
