import { type Identity, type Scope, scopeSchema } from '@model-rtc/protocol';
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import * as z from 'zod';
import { MAX_MEETINGS, MAX_MEMBERS, MAX_PARTS, MAX_REMOVED, MAX_REVOKED_INVITES } from '../limits.ts';
import { isPartCount, type Part, readPart, spreadOverParts } from '../parts.ts';
import {
  countSchema,
  hashSchema,
  keySchema,
  nodeNameSchema,
  parseBody,
  refusedRecord,
  requireSignature,
  type SignedRecord,
  signRecord,
  timeSchema,
  type Verify,
} from '../record.ts';

const rosterBody = z.object({
  meshId: keySchema,
  meshName: nodeNameSchema,
  /** Grows with each removal. */
  epoch: countSchema,
  /** Grows with each roster. */
  sequence: countSchema,
  issuedAt: timeSchema,
  memberCount: z.number().int().min(0).max(MAX_MEMBERS),
  parts: z
    .array(hashSchema)
    .max(MAX_PARTS)
    .refine(({ length }) => isPartCount(length), 'the parts are a power of two'),
  removed: z.array(z.object({ node: keySchema, epoch: countSchema })).max(MAX_REMOVED),
  revokedInvites: z.array(keySchema).max(MAX_REVOKED_INVITES),
  meetings: z.array(keySchema).max(MAX_MEETINGS).optional(),
});

const rosterEntry = z.object({
  node: keySchema,
  name: nodeNameSchema,
  scopes: z.array(scopeSchema).max(8),
  joinedAt: timeSchema,
});
const ROSTER_PART = {
  entry: rosterEntry,
  keyOf: ({ node }: z.output<typeof rosterEntry>): string => bytesToHex(node),
};

export interface RosterMember {
  /** 64 hex characters. */
  readonly key: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly joinedAtMs: number;
}

/** What the authority says of the mesh. Keys are hex. */
export interface RosterContent {
  readonly meshName: string;
  readonly epoch: number;
  readonly sequence: number;
  readonly members: readonly RosterMember[];
  /** The epoch that removed each. */
  readonly removed: ReadonlyMap<string, number>;
  readonly revokedInvites: readonly string[];
  /** Secrets of the rooms where members find each other at signaling servers, the newest first: 32 bytes each. */
  readonly meetings: readonly Uint8Array[];
}

/** The signed head of a roster. Removals hold as soon as it is here, the list of members when its parts are. */
export interface RosterHead extends Omit<RosterContent, 'members'> {
  readonly record: SignedRecord;
  readonly issuedAtMs: number;
  readonly memberCount: number;
  /** 64 hex characters each. */
  readonly parts: readonly string[];
}

/** @throws ModelRtcError `bad_argument` when there are more members, removals or revoked invites than a mesh can have */
export function signRoster(
  content: RosterContent,
  authority: Identity,
  nowMs: number,
): { readonly record: SignedRecord; readonly parts: readonly Part[] } {
  const entries = content.members.map(({ key, name, scopes, joinedAtMs }) => ({
    node: hexToBytes(key),
    name,
    scopes: [...scopes],
    joinedAt: joinedAtMs,
  }));
  const parts = spreadOverParts(entries, ROSTER_PART.keyOf);
  const body = {
    meshId: authority.publicKey,
    meshName: content.meshName,
    epoch: content.epoch,
    sequence: content.sequence,
    issuedAt: nowMs,
    memberCount: entries.length,
    parts: parts.map(({ hash }) => hexToBytes(hash)),
    removed: [...content.removed].map(([key, epoch]) => ({ node: hexToBytes(key), epoch })),
    revokedInvites: content.revokedInvites.map((key) => hexToBytes(key)),
    meetings: [...content.meetings],
  };
  return { record: signRecord('roster', body, [authority]), parts };
}

/** @throws ModelRtcError `malformed_message`, `refused` */
export function readRoster(record: SignedRecord, meshId: string, verify: Verify): RosterHead {
  const body = parseBody(rosterBody, record);
  if (bytesToHex(body.meshId) !== meshId) throw refusedRecord('it is about another mesh');
  requireSignature(record, 0, body.meshId, verify);
  const { meshName, epoch, sequence, issuedAt, memberCount } = body;
  return {
    record,
    ...{ meshName, epoch, sequence, memberCount },
    issuedAtMs: issuedAt,
    parts: body.parts.map((hash) => bytesToHex(hash)),
    removed: new Map(body.removed.map(({ node, epoch: removedIn }) => [bytesToHex(node), removedIn])),
    revokedInvites: body.revokedInvites.map((key) => bytesToHex(key)),
    meetings: body.meetings ?? [],
  };
}

/** The members of one part, whose hash the caller checked. @throws ModelRtcError `malformed_message` */
export function readRosterPart(bytes: Uint8Array, index: number, count: number): RosterMember[] {
  return readPart(bytes, { index, count }, ROSTER_PART).map(({ node, name, scopes, joinedAt }) => ({
    key: bytesToHex(node),
    name,
    scopes,
    joinedAtMs: joinedAt,
  }));
}
