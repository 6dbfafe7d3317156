import { beforeEach, describe, expect, it } from '@jest/globals';
import {
  decodeRecord,
  Membership,
  nextRoster,
  restoreMembership,
  type SignedRecord,
  signFounder,
  signLeave,
  signMembership,
} from '../../../src/core/index.ts';
import { signRoster } from '../../../src/core/membership/roster.ts';
import { signRecord } from '../../../src/core/record.ts';
import {
  AUTHORITY,
  damaged,
  identityOf,
  inviteText,
  joined,
  keyTextOf,
  MESH_ID,
  START_MS,
  seedOf,
} from '../../support/people.ts';

const DAY_MS = 86_400_000;
let nowMs = START_MS;
const wallMs = () => nowMs;
const options = { meshId: MESH_ID, wallMs };
const founder = signFounder(
  { node: identityOf(1), name: 'founder', scopes: ['read', 'write'], nowMs: START_MS },
  AUTHORITY,
);

beforeEach(() => {
  nowMs = START_MS;
});

function meshOf(...records: SignedRecord[]): Membership {
  const membership = new Membership(options);
  for (const record of [founder, ...records]) membership.take(record);
  return membership;
}

/** The next roster, taken by this membership with all of its parts. */
function changed(membership: Membership, change: Partial<Parameters<typeof nextRoster>[1]> = {}) {
  const roster = nextRoster(membership, { meshName: 'lab', ...change }, AUTHORITY, nowMs);
  give(membership, roster);
  return roster;
}

function give(membership: Membership, { record, parts }: ReturnType<typeof nextRoster>): void {
  membership.take(record);
  for (const { bytes } of parts) membership.takePart(bytes);
}

const names = (membership: Membership): string[] => membership.members().map(({ name }) => name);

describe('a membership', () => {
  it('is taken by any member while its invite is open, and gives the scopes of the invite', () => {
    const membership = meshOf(joined(2, { scopes: ['read', 'track'] }));
    expect(names(membership)).toEqual(['founder', 'node-2']);
    expect(membership.scopesOf(keyTextOf(2))).toEqual(['read', 'track']);
    expect(membership.scopesOf(keyTextOf(3))).toEqual([]);
  });

  it('is no news the second time', () => {
    const membership = new Membership(options);
    expect([membership.take(founder), membership.take(founder)]).toEqual([true, false]);
  });

  it('is refused when its invite has expired, unless the roster lists it or it was taken before', () => {
    const late = joined(2);
    nowMs = START_MS + 8 * DAY_MS;
    expect(() => meshOf(late)).toThrow('its invite has expired');
    expect(restoreMembership(options, [founder.bytes, late.bytes]).isMember(keyTextOf(2))).toBe(true);
    const lister = new Membership(options);
    const members = [{ key: keyTextOf(2), name: 'node-2', scopes: ['read' as const], joinedAtMs: START_MS }];
    const content = {
      meshName: 'lab',
      epoch: 0,
      sequence: 1,
      members,
      removed: new Map(),
      revokedInvites: [],
      meetings: [],
    };
    give(lister, signRoster(content, AUTHORITY, nowMs));
    expect(lister.isMember(keyTextOf(2))).toBe(true);
    expect(lister.take(late)).toBe(true);
  });

  it('is refused when it claims more than its invite allows, comes from the future, or is signed by another', () => {
    const { record } = { record: decodeRecord(joined(2).bytes) };
    expect(() => meshOf(damaged(record))).toThrow('signature');
    expect(() => meshOf(joined(2, { atMs: START_MS + 121_000 }))).toThrow('future');
    const stranger = signFounder({ node: identityOf(2), name: 'x', scopes: ['read'], nowMs }, identityOf(3));
    expect(() => meshOf(stranger)).toThrow('another mesh');
    const forged = signRecord(
      'membership',
      {
        meshId: AUTHORITY.publicKey,
        node: identityOf(2).publicKey,
        name: 'x',
        scopes: ['write'],
        joinedAt: nowMs,
        epoch: 0,
      },
      [identityOf(2), identityOf(2)],
    );
    expect(() => meshOf(forged)).toThrow('signature');
  });

  it('is refused with more scopes than its invite', () => {
    const invite = decodeRecord(joined(2).bytes);
    expect(invite.kind).toBe('membership');
    const text = inviteText();
    expect(text.key).toHaveLength(64);
    const tooMuch = joinedWith(['write']);
    expect(() => meshOf(tooMuch)).toThrow('more than its invite allows');
  });

  it('is refused once its invite is used up or revoked', () => {
    expect(() => meshOf(joined(2, { maxJoins: 1 }), joined(3, { maxJoins: 1 }))).toThrow('used up');
    const membership = meshOf();
    changed(membership, { revokeInvites: [inviteText().key] });
    expect(() => membership.take(joined(2))).toThrow('revoked');
  });
});

describe('an invite that lets in so many', () => {
  const of = (number: number, seconds: number) => joined(number, { maxJoins: 2, atMs: START_MS + seconds * 1000 });

  it('counts a node once, however often it joins, and keeps the place of one that left or was removed', () => {
    nowMs = START_MS + 60_000;
    const membership = meshOf(of(2, 0), of(2, 1), of(3, 2));
    membership.take(signLeave(AUTHORITY.publicKey, identityOf(3), START_MS + 3000));
    expect(names(membership)).toEqual(['founder', 'node-2']);
    expect(() => membership.take(of(4, 4))).toThrow('used up');
    expect(membership.take(of(3, 5))).toBe(true);
    expect(membership.invites()).toMatchObject([{ used: 2, invite: { maxJoins: 2 } }]);
  });

  it('lets in no more when members that were apart meet: those that the roster lists stay, and then who joined first', () => {
    nowMs = START_MS + 60_000;
    const [here, there] = [meshOf(of(2, 2), of(3, 3)), meshOf(of(4, 4), of(5, 1))];
    expect(names(there)).toEqual(['founder', 'node-4', 'node-5']);
    // The authority is here, and lists one of them.
    const { parts, record } = changed(meshOf(of(2, 2)));
    for (const membership of [here, there]) {
      give(membership, { parts, record });
      for (const one of [of(2, 2), of(3, 3), of(4, 4), of(5, 1)]) {
        try {
          membership.take(one);
        } catch {}
      }
    }
    expect(names(here)).toEqual(['founder', 'node-2', 'node-3']);
    // It never heard of node-3, which its own two keep out.
    expect(names(there)).toEqual(['founder', 'node-2', 'node-5']);
    const all = changed(here);
    give(there, all);
    there.take(of(3, 3));
    for (const membership of [here, there]) expect(names(membership)).toEqual(['founder', 'node-2', 'node-3']);
  });

  it('can be revoked with all who came with it, and nobody else', () => {
    const membership = meshOf(joined(2), joined(3), joined(4, { seed: 101 }));
    const there = meshOf(joined(2), joined(3), joined(4, { seed: 101 }), joined(5));
    const invite = inviteText().key;
    expect(membership.cameWith(invite).map(({ name }) => name)).toEqual(['node-2', 'node-3']);
    give(there, changed(membership, { removeInvites: [invite] }));
    // There, one more had come with it, of whom the authority had not heard.
    for (const one of [membership, there]) expect(names(one)).toEqual(['founder', 'node-4']);
    expect(membership.roster?.epoch).toBe(1);
    expect(() => membership.take(joined(6))).toThrow('revoked');
  });
});

function joinedWith(scopes: ('read' | 'write')[]): SignedRecord {
  const { invite, inviteSeed } = inviteOf();
  return signMembership({ invite, inviteSeed, node: identityOf(2), name: 'two', scopes, nowMs });
}

function inviteOf() {
  const body = { key: identityOf(100).publicKey, meshName: 'lab', scopes: ['read'], issuedAt: nowMs, epoch: 0 };
  const certificate = { meshId: AUTHORITY.publicKey, ...body, expiresAt: nowMs + DAY_MS };
  return { invite: signRecord('invite', certificate, [AUTHORITY]), inviteSeed: seedOf(100) };
}

describe('a removal', () => {
  it('holds everywhere at once, before the list of members is there, and closes the invite that the node came with', () => {
    const here = meshOf(joined(2), joined(3));
    const there = meshOf(joined(2), joined(3));
    const { record, parts } = changed(here, { remove: [keyTextOf(2)] });
    there.take(record);
    expect(there.missingParts()).toHaveLength(1);
    expect(there.isMember(keyTextOf(2))).toBe(false);
    for (const { bytes } of parts) there.takePart(bytes);
    for (const membership of [here, there]) {
      expect(names(membership)).toEqual(['founder', 'node-3']);
      expect(() => membership.take(joined(2, { atMs: START_MS + 1000 }))).toThrow();
      // Under a new key, with the invite that it still has.
      expect(() => membership.take(joined(4))).toThrow('revoked');
    }
  });

  it('ends when an invite of a later epoch lets the node in again', () => {
    const membership = meshOf(joined(2));
    changed(membership, { remove: [keyTextOf(2)] });
    membership.take(joined(2, { seed: 101, epoch: 1, atMs: START_MS + 1 }));
    expect(membership.isMember(keyTextOf(2))).toBe(true);
    expect(changed(membership).record.kind).toBe('roster');
    expect(membership.isMember(keyTextOf(2))).toBe(true);
  });

  it('cannot be undone by an earlier roster, and two rosters of one number are refused', () => {
    const membership = meshOf(joined(2));
    const first = changed(membership);
    changed(membership, { remove: [keyTextOf(2)] });
    expect(membership.take(first.record)).toBe(false);
    const other = {
      meshName: 'lab',
      epoch: 1,
      sequence: 2,
      members: [],
      removed: new Map(),
      revokedInvites: [],
      meetings: [],
    };
    expect(() => membership.take(signRoster(other, AUTHORITY, nowMs).record)).toThrow('two rosters');
    const back = { ...other, epoch: 0, sequence: 9 };
    expect(() => membership.take(signRoster(back, AUTHORITY, nowMs).record)).toThrow('earlier epoch');
    expect(membership.isMember(keyTextOf(2))).toBe(false);
  });

  it('is refused for a key of no member', () => {
    expect(() => changed(meshOf(), { remove: [keyTextOf(9)] })).toThrow('No member');
  });
});

describe('a roster', () => {
  it('of thousands of members comes in parts that one answer holds', () => {
    const members = Array.from({ length: 3000 }, (_, i) => ({
      key: `${i.toString(16).padStart(4, '0').split('').reverse().join('')}${'0'.repeat(60)}`,
      name: `node-${i}`,
      scopes: ['read' as const],
      joinedAtMs: START_MS,
    }));
    const content = {
      meshName: 'lab',
      epoch: 0,
      sequence: 1,
      members,
      removed: new Map(),
      revokedInvites: [],
      meetings: [],
    };
    const { record, parts } = signRoster(content, AUTHORITY, nowMs);
    const membership = new Membership(options);
    membership.take(record);
    for (const { bytes } of parts.slice(1)) membership.takePart(bytes);
    expect(membership.members()).toHaveLength(0);
    expect(membership.missingParts()).toEqual([parts[0]?.hash]);
    membership.takePart(parts[0]?.bytes as Uint8Array);
    expect(membership.members()).toHaveLength(3000);
    expect(membership.takePart(new Uint8Array([0x90]))).toBe(false);
    expect(Math.max(...parts.map(({ bytes }) => bytes.length))).toBeLessThan(64 * 1024);
  });
});

describe('a leave', () => {
  it('is refused when a node leaves and joins more often than anyone would, and taken again a minute later', () => {
    const membership = meshOf(founder, joined(2));
    const leave = (second: number) => signLeave(AUTHORITY.publicKey, identityOf(2), START_MS + second * 1_000);
    nowMs += 1_000;
    expect(() => {
      for (let second = 1; second <= 20; second++) membership.take(leave(second));
    }).toThrow('more often');
    nowMs += 61_000;
    expect(membership.take(leave(60))).toBe(true);
  });

  it('ends a membership until the node joins again, and only its own', () => {
    const membership = meshOf(joined(2));
    membership.take(signLeave(AUTHORITY.publicKey, identityOf(2), START_MS + 1));
    expect(membership.isMember(keyTextOf(2))).toBe(false);
    membership.take(joined(2, { atMs: START_MS + 2 }));
    expect(membership.isMember(keyTextOf(2))).toBe(true);
    expect(() => membership.take(signLeave(AUTHORITY.publicKey, identityOf(9), START_MS))).toThrow('no member');
    const forged = signRecord('leave', { meshId: AUTHORITY.publicKey, node: identityOf(1).publicKey, leftAt: nowMs }, [
      identityOf(2),
    ]);
    expect(() => membership.take(forged)).toThrow('signature');
  });
});
