import { type Identity, identityFromSeed, type Scope, scopeSchema } from '@model-rtc/protocol';
import { bytesToHex } from '@noble/hashes/utils.js';
import * as z from 'zod';
import { MAX_INVITE_USES, MAX_RECORD_BYTES } from '../limits.ts';
import {
  countSchema,
  decodeRecord,
  keySchema,
  malformedRecord,
  nodeNameSchema,
  parseBody,
  refusedRecord,
  requireSignature,
  type SignedRecord,
  signRecord,
  timeSchema,
  type Verify,
} from '../record.ts';

const scopesSchema = z.array(scopeSchema).min(1).max(8);

const inviteBody = z.object({
  meshId: keySchema,
  /** The key that signs the memberships of those who join. */
  key: keySchema,
  meshName: nodeNameSchema,
  scopes: scopesSchema,
  issuedAt: timeSchema,
  expiresAt: timeSchema,
  /** Of the roster when it was made: it cannot bring back whoever was removed later. */
  epoch: countSchema,
  /** How many nodes may join with it; as many as a mesh can have when left out. */
  maxJoins: z.number().int().min(1).max(MAX_INVITE_USES).optional(),
});
export type InviteCertificate = z.output<typeof inviteBody>;

const membershipBody = z.object({
  meshId: keySchema,
  node: keySchema,
  name: nodeNameSchema,
  scopes: scopesSchema,
  joinedAt: timeSchema,
  epoch: countSchema,
  /** The record of the invite's certificate; absent when the authority itself lets the node in. */
  invite: z
    .instanceof(Uint8Array)
    .refine((bytes) => bytes.length <= MAX_RECORD_BYTES / 4, 'it is too long')
    .optional(),
});

const leaveBody = z.object({ meshId: keySchema, node: keySchema, leftAt: timeSchema });

/** A membership whose signatures are right. Whether it counts is for the roster and the time to say. */
export interface MembershipCertificate {
  readonly record: SignedRecord;
  /** The node's key: 64 hex characters. */
  readonly key: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly joinedAtMs: number;
  readonly epoch: number;
  readonly invite: (InviteCertificate & { readonly keyText: string }) | undefined;
}

export interface LeaveCertificate {
  readonly record: SignedRecord;
  readonly key: string;
  readonly leftAtMs: number;
}

/** @param authority the identity whose public key is the mesh's id */
export function signInvite(fields: Omit<InviteCertificate, 'meshId'>, authority: Identity): SignedRecord {
  return signRecord('invite', { meshId: authority.publicKey, ...fields }, [authority]);
}

/** @throws ModelRtcError `malformed_message`, `refused` */
export function readInvite(record: SignedRecord, verify: Verify): InviteCertificate {
  if (record.kind !== 'invite') throw malformedRecord('it is no invite');
  const body = parseBody(inviteBody, record);
  requireSignature(record, 0, body.meshId, verify);
  return body;
}

export interface JoinOptions {
  /** The record of the certificate, and the key that belongs to it. */
  readonly invite: SignedRecord;
  readonly inviteSeed: Uint8Array;
  readonly node: Identity;
  readonly name: string;
  /** Those of the invite unless fewer are wanted. */
  readonly scopes?: readonly Scope[] | undefined;
  readonly nowMs: number;
}

/** The membership that whoever holds an invite makes for itself. @throws ModelRtcError `malformed_message` for a bad name */
export function signMembership({ invite, inviteSeed, node, name, scopes, nowMs }: JoinOptions): SignedRecord {
  const { meshId, epoch, scopes: allowed } = parseBody(inviteBody, invite);
  const body = {
    meshId,
    node: node.publicKey,
    name,
    scopes: scopes ?? allowed,
    joinedAt: nowMs,
    epoch,
    invite: invite.bytes,
  };
  return signRecord('membership', body, [identityFromSeed(inviteSeed), node]);
}

/** The membership of the node that made the mesh, or of one that the authority's machine lets in by itself. */
export function signFounder(
  { node, name, scopes, nowMs, epoch = 0 }: Omit<JoinOptions, 'invite' | 'inviteSeed'> & { readonly epoch?: number },
  authority: Identity,
): SignedRecord {
  const body = { meshId: authority.publicKey, node: node.publicKey, name, scopes, joinedAt: nowMs, epoch };
  return signRecord('membership', body, [authority, node]);
}

export function signLeave(meshId: Uint8Array, node: Identity, nowMs: number): SignedRecord {
  return signRecord('leave', { meshId, node: node.publicKey, leftAt: nowMs }, [node]);
}

/** @throws ModelRtcError `malformed_message`, `refused` when a signature is wrong or it allows itself too much */
export function readMembership(record: SignedRecord, meshId: string, verify: Verify): MembershipCertificate {
  const body = parseBody(membershipBody, record);
  if (bytesToHex(body.meshId) !== meshId) throw refusedRecord('it is about another mesh');
  const invite = body.invite === undefined ? undefined : readInvite(decodeRecord(body.invite), verify);
  if (invite !== undefined) {
    if (bytesToHex(invite.meshId) !== meshId) throw refusedRecord('its invite is to another mesh');
    if (invite.epoch !== body.epoch) throw refusedRecord('it claims another epoch than its invite');
    if (!body.scopes.every((scope) => invite.scopes.includes(scope)))
      throw refusedRecord('it claims more than its invite allows');
  }
  requireSignature(record, 0, invite?.key ?? body.meshId, verify);
  requireSignature(record, 1, body.node, verify);
  return {
    record,
    key: bytesToHex(body.node),
    name: body.name,
    scopes: body.scopes,
    joinedAtMs: body.joinedAt,
    epoch: body.epoch,
    invite: invite === undefined ? undefined : { ...invite, keyText: bytesToHex(invite.key) },
  };
}

/** @throws ModelRtcError `malformed_message`, `refused` */
export function readLeave(record: SignedRecord, meshId: string, verify: Verify): LeaveCertificate {
  const body = parseBody(leaveBody, record);
  if (bytesToHex(body.meshId) !== meshId) throw refusedRecord('it is about another mesh');
  requireSignature(record, 0, body.node, verify);
  return { record, key: bytesToHex(body.node), leftAtMs: body.leftAt };
}
