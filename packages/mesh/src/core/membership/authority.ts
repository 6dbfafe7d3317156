import { type Identity, identityFromSeed, ModelRtcError, type Scope } from '@model-rtc/protocol';
import { bytesToHex } from '@noble/hashes/utils.js';
import { MAX_INVITE_MEMBERS, MAX_REMOVED, MAX_REVOKED_INVITES } from '../limits.ts';
import type { Part } from '../parts.ts';
import type { SignedRecord } from '../record.ts';
import { signInvite } from './certificates.ts';
import { encodeInvite, type Invite } from './invite-text.ts';
import { meetingSecrets } from './meeting.ts';
import type { Membership } from './membership.ts';
import { type RosterContent, signRoster } from './roster.ts';

const DAY_MS = 24 * 60 * 60_000;
export const DEFAULT_INVITE_MS = 7 * DAY_MS;

export interface NewInvite {
  readonly meshName: string;
  readonly scopes: readonly Scope[];
  /** How long it can be used, in milliseconds. */
  readonly forMs?: number | undefined;
  readonly maxJoins?: number | undefined;
  readonly urls: readonly string[];
  readonly members: Invite['members'];
  /** The epoch of the latest roster. */
  readonly epoch: number;
  readonly nowMs: number;
  /** 32 random bytes: the invite's private key. */
  readonly seed: Uint8Array;
}

/** @returns the text to hand on, and the invite's key by which it can be revoked (64 hex characters) */
export function makeInvite(authority: Identity, options: NewInvite): { readonly text: string; readonly key: string } {
  const { seed, urls, members, meshName, scopes, nowMs, epoch, maxJoins, forMs = DEFAULT_INVITE_MS } = options;
  const key = identityFromSeed(seed).publicKey;
  const record = signInvite(
    { key, meshName, scopes: [...scopes], issuedAt: nowMs, expiresAt: nowMs + forMs, epoch, maxJoins },
    authority,
  );
  const meetings = meetingSecrets(authority, epoch);
  const text = encodeInvite({ record, seed, urls, members: members.slice(0, MAX_INVITE_MEMBERS), meetings });
  return { text, key: bytesToHex(key) };
}

/** What the authority changes with a roster. Keys are hex. */
export interface RosterChange {
  readonly meshName: string;
  readonly remove?: readonly string[] | undefined;
  readonly revokeInvites?: readonly string[] | undefined;
  /** Invites that are revoked together with everyone who came with them. */
  readonly removeInvites?: readonly string[] | undefined;
}

/**
 * The next roster: every member that this machine knows, without those that are removed. A removal also revokes the invite that
 * the node came with, since its owner could make a new key and join again; whoever else came with it is listed and stays.
 *
 * @throws ModelRtcError `not_found` for a key of no member, `bad_argument` when the mesh remembers as many as it can
 */
export function nextRoster(
  membership: Membership,
  { meshName, remove: named = [], revokeInvites = [], removeInvites = [] }: RosterChange,
  authority: Identity,
  nowMs: number,
): { readonly record: SignedRecord; readonly parts: readonly Part[] } {
  const before = membership.roster;
  const members = membership.members();
  for (const key of named) {
    if (!members.some((member) => member.key === key)) throw notAMember(key);
  }
  const cameWith = removeInvites.flatMap((invite) => membership.cameWith(invite).map(({ key }) => key));
  const remove = new Set([...named, ...cameWith]);
  const epoch = (before?.epoch ?? 0) + (remove.size > 0 ? 1 : 0);
  const kept = members.filter(({ key }) => !remove.has(key));
  // Whoever is not listed, and came with a revoked invite, does not count whether it is named or not.
  const place = Math.max(0, MAX_REMOVED - (before?.removed.size ?? 0) - named.length);
  const toName = [...named, ...cameWith.filter((key) => !named.includes(key)).slice(0, place)];
  const removed = new Map([...(before?.removed ?? []), ...toName.map((key) => [key, epoch] as const)]);
  // Who was let in again is removed no more.
  for (const { key } of kept) removed.delete(key);
  const theirInvites = named.flatMap((key) => membership.certificateOf(key)?.invite?.keyText ?? []);
  const revoked = new Set([...(before?.revokedInvites ?? []), ...theirInvites, ...revokeInvites, ...removeInvites]);
  if (removed.size > MAX_REMOVED || revoked.size > MAX_REVOKED_INVITES) throw tooManyRemoved();
  const content: RosterContent = {
    meshName,
    epoch,
    sequence: (before?.sequence ?? 0) + 1,
    members: kept.map(({ key, name, scopes, joinedAt }) => ({ key, name, scopes, joinedAtMs: joinedAt.getTime() })),
    removed,
    revokedInvites: [...revoked],
    meetings: meetingSecrets(authority, epoch),
  };
  return signRoster(content, authority, nowMs);
}

function notAMember(key: string): ModelRtcError {
  return new ModelRtcError(
    'not_found',
    `No member of the mesh has the key ${key.slice(0, 16)}. List them: model-rtc mesh peers.`,
  );
}

function tooManyRemoved(): ModelRtcError {
  return new ModelRtcError(
    'bad_argument',
    `The mesh has removed ${MAX_REMOVED} nodes or revoked ${MAX_REVOKED_INVITES} invites, and cannot remember more. Make a new mesh: model-rtc mesh create NAME.`,
  );
}
