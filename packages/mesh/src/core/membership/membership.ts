import type { Scope } from '@model-rtc/protocol';
import type { MeshMember } from '../../types.ts';
import { CATALOG_TTL_MS, MAX_MEMBERS, MAX_MEMBERSHIPS_PER_MINUTE, MAX_SKEW_MS } from '../limits.ts';
import { partHash } from '../parts.ts';
import { decodeRecord, defaultVerify, refusedRecord, type SignedRecord, type Verify } from '../record.ts';
import { type LeaveCertificate, type MembershipCertificate, readLeave, readMembership } from './certificates.ts';
import { InvitePlaces } from './invite-places.ts';
import { type RosterHead, type RosterMember, readRoster, readRosterPart } from './roster.ts';

export interface MembershipOptions {
  /** The authority's public key: 64 hex characters. */
  readonly meshId: string;
  /** The date: milliseconds since 1970. */
  readonly wallMs: () => number;
  readonly verify?: Verify | undefined;
}

/** Who belongs to a mesh, by all that is known here. */
export class Membership {
  readonly #meshId: string;
  readonly #wallMs: () => number;
  readonly #verify: Verify;
  readonly #certificates = new Map<string, MembershipCertificate>();
  readonly #leaves = new Map<string, LeaveCertificate>();
  #roster: RosterHead | undefined;
  /** Of the latest roster whose parts are all here. */
  #listed: ReadonlyMap<string, RosterMember> = new Map();
  readonly #partBytes = new Map<string, Uint8Array>();
  readonly #places = new InvitePlaces((key) => this.#listed.has(key));
  /** News of each node in this minute. */
  readonly #taken = new Map<string, number>();
  #takenSinceMs = 0;

  constructor({ meshId, wallMs, verify = defaultVerify }: MembershipOptions) {
    this.#meshId = meshId;
    this.#wallMs = wallMs;
    this.#verify = verify;
  }

  get roster(): RosterHead | undefined {
    return this.#roster;
  }

  /**
   * Takes a membership, leave or roster from anywhere.
   * @param isKept it was accepted before and comes from this machine's own disk: its invite may have expired since
   * @returns whether it is news
   * @throws ModelRtcError `malformed_message`, `refused`
   */
  take(record: SignedRecord, isKept = false): boolean {
    if (record.kind === 'membership') return this.#takeMembership(record, isKept);
    if (record.kind === 'leave') return this.#takeLeave(record, isKept);
    if (record.kind === 'roster') return this.#takeRoster(record);
    throw refusedRecord(`a ${record.kind} says nothing about members`);
  }

  /** Hashes of the roster's parts that are not here. */
  missingParts(): string[] {
    return this.#roster?.parts.filter((hash) => !this.#partBytes.has(hash)) ?? [];
  }

  part(hash: string): Uint8Array | undefined {
    return this.#partBytes.get(hash);
  }

  /** @returns false for bytes that no roster here names. @throws ModelRtcError `malformed_message` */
  takePart(bytes: Uint8Array): boolean {
    const hash = partHash(bytes);
    const index = this.#roster?.parts.indexOf(hash) ?? -1;
    if (this.#roster === undefined || index === -1) return false;
    readRosterPart(bytes, index, this.#roster.parts.length);
    this.#partBytes.set(hash, bytes);
    this.#completeRoster();
    return true;
  }

  isMember(key: string): boolean {
    return this.memberOf(key) !== undefined;
  }

  /** @returns undefined for whoever does not belong to the mesh now */
  memberOf(key: string): MeshMember | undefined {
    const listed = this.#listed.get(key);
    const certificate = this.#certificates.get(key);
    const best = listed ?? certificate;
    if (best === undefined) return undefined;
    const joinedAtMs = Math.max(listed?.joinedAtMs ?? 0, certificate?.joinedAtMs ?? 0);
    if ((this.#leaves.get(key)?.leftAtMs ?? -1) >= joinedAtMs) return undefined;
    const removedIn = this.#roster?.removed.get(key);
    if (removedIn !== undefined && (certificate?.epoch ?? -1) < removedIn) return undefined;
    if (listed === undefined && certificate !== undefined && !this.#isOpenTo(certificate)) return undefined;
    const { name, scopes } = best;
    return { key, name, scopes, joinedAt: new Date(joinedAtMs) };
  }

  /** Sorted by name, then by key. */
  members(): MeshMember[] {
    const keys = new Set([...this.#listed.keys(), ...this.#certificates.keys()]);
    return [...keys]
      .flatMap((key) => this.memberOf(key) ?? [])
      .sort((a, b) => (a.name === b.name ? compare(a.key, b.key) : compare(a.name, b.name)));
  }

  /** Whether the latest roster lists the members of now, and nobody else. */
  isListed(): boolean {
    const members = this.members();
    return this.#roster?.memberCount === members.length && members.every(({ key }) => this.#listed.has(key));
  }

  scopesOf(key: string): readonly Scope[] {
    return this.memberOf(key)?.scopes ?? [];
  }

  /** The invites by which nodes came whose memberships are here, and how many came with each. */
  invites(): ReturnType<InvitePlaces['invites']> {
    return this.#places.invites();
  }

  /** Members that came with an invite, by its key; those that the roster lists alone and whose certificate is not here are left out. */
  cameWith(invite: string): MeshMember[] {
    return this.members().filter(({ key }) => this.#certificates.get(key)?.invite?.keyText === invite);
  }

  /** The certificate that a member came with; the authority's machine lists it in the next roster. */
  certificateOf(key: string): MembershipCertificate | undefined {
    return this.#certificates.get(key);
  }

  /** Everything that others need to come to the same view, the roster first. */
  records(): SignedRecord[] {
    const roster = this.#roster === undefined ? [] : [this.#roster.record];
    return [...roster, ...[...this.#certificates.values(), ...this.#leaves.values()].map(({ record }) => record)];
  }

  #takeMembership(record: SignedRecord, isKept: boolean): boolean {
    const known = this.#findKnown(record);
    if (known) return false;
    const certificate = readMembership(record, this.#meshId, this.#verify);
    const before = this.#certificates.get(certificate.key);
    if (before !== undefined && before.joinedAtMs >= certificate.joinedAtMs) return false;
    if (certificate.joinedAtMs > this.#wallMs() + MAX_SKEW_MS) throw refusedRecord('it begins in the future');
    if (!isKept && !this.#listed.has(certificate.key)) this.#requireOpenInvite(certificate);
    const removedIn = this.#roster?.removed.get(certificate.key);
    if (removedIn !== undefined && certificate.epoch < removedIn)
      throw refusedRecord('its node was removed from the mesh');
    if (before === undefined && this.#certificates.size >= MAX_MEMBERS) throw refusedRecord('the mesh is full');
    if (!isKept) this.#countNews(certificate.key);
    this.#certificates.set(certificate.key, certificate);
    this.#places.set(certificate, before);
    return true;
  }

  #findKnown({ id }: SignedRecord): boolean {
    for (const { record } of this.#certificates.values()) if (record.id === id) return true;
    return false;
  }

  /** Anyone can admit a node while its invite is open; later only the roster can. */
  #requireOpenInvite(certificate: MembershipCertificate): void {
    const { invite } = certificate;
    if (invite === undefined) return;
    if (this.#isRevoked(certificate)) throw refusedRecord('its invite was revoked');
    if (this.#wallMs() > invite.expiresAt + CATALOG_TTL_MS + MAX_SKEW_MS) throw refusedRecord('its invite has expired');
    if (this.#places.isUsedUp(certificate)) throw refusedRecord('its invite was used up');
  }

  /** Whether its invite lets in a node that no roster lists. */
  #isOpenTo(certificate: MembershipCertificate): boolean {
    return !this.#isRevoked(certificate) && this.#places.hasPlace(certificate);
  }

  #isRevoked({ invite }: MembershipCertificate): boolean {
    return invite !== undefined && (this.#roster?.revokedInvites.includes(invite.keyText) ?? false);
  }

  /** Each is passed on to everyone, so a node that leaves and comes back all the time would keep the whole mesh busy. */
  #countNews(key: string): void {
    const nowMs = this.#wallMs();
    if (Math.abs(nowMs - this.#takenSinceMs) >= 60_000) {
      this.#takenSinceMs = nowMs;
      this.#taken.clear();
    }
    const count = (this.#taken.get(key) ?? 0) + 1;
    if (count > MAX_MEMBERSHIPS_PER_MINUTE) throw refusedRecord('its node joins and leaves more often than a node may');
    this.#taken.set(key, count);
  }

  #takeLeave(record: SignedRecord, isKept: boolean): boolean {
    const leave = readLeave(record, this.#meshId, this.#verify);
    const before = this.#leaves.get(leave.key);
    if (before !== undefined && before.leftAtMs >= leave.leftAtMs) return false;
    // Leaves of strangers would be a way to fill memory.
    if (!this.#certificates.has(leave.key) && !this.#listed.has(leave.key))
      throw refusedRecord('its node is no member');
    if (leave.leftAtMs > this.#wallMs() + MAX_SKEW_MS) throw refusedRecord('it lies in the future');
    if (!isKept) this.#countNews(leave.key);
    this.#leaves.set(leave.key, leave);
    return true;
  }

  #takeRoster(record: SignedRecord): boolean {
    if (this.#roster?.record.id === record.id) return false;
    const roster = readRoster(record, this.#meshId, this.#verify);
    const before = this.#roster;
    if (before !== undefined && roster.sequence <= before.sequence) {
      if (roster.sequence === before.sequence) throw refusedRecord('the authority signed two rosters with one number');
      return false;
    }
    if (before !== undefined && roster.epoch < before.epoch) throw refusedRecord('it goes back to an earlier epoch');
    this.#roster = roster;
    for (const hash of this.#partBytes.keys()) if (!roster.parts.includes(hash)) this.#partBytes.delete(hash);
    this.#completeRoster();
    return true;
  }

  #completeRoster(): void {
    const roster = this.#roster;
    if (roster === undefined || this.missingParts().length > 0) return;
    const { parts } = roster;
    const members = parts.flatMap((hash, i) =>
      readRosterPart(this.#partBytes.get(hash) as Uint8Array, i, parts.length),
    );
    this.#listed = new Map(members.slice(0, MAX_MEMBERS).map((member) => [member.key, member]));
  }
}

/** Records that were kept on this machine's disk; those that do not count any more are left out. */
export function restoreMembership(options: MembershipOptions, kept: Iterable<Uint8Array>): Membership {
  const membership = new Membership(options);
  const records = [...kept].flatMap((bytes) => {
    try {
      return [decodeRecord(bytes)];
    } catch {
      // A damaged record is asked for again from other members.
      return [];
    }
  });
  const order = (record: SignedRecord): number => ['roster', 'membership', 'leave'].indexOf(record.kind);
  for (const record of records.sort((a, b) => order(a) - order(b))) {
    try {
      membership.take(record, true);
    } catch {
      // It was accepted by an earlier view of the mesh and is refused by today's.
    }
  }
  return membership;
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
