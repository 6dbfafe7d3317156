import { describe, expect, it } from '@jest/globals';
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import {
  Membership,
  meetingRoom,
  meetingSecrets,
  nextRoster,
  packHolder,
  parseInvite,
  sharedSecretsOf,
  unpackHolder,
} from '../../../src/core/index.ts';
import {
  AUTHORITY,
  identityOf,
  inviteText,
  joined,
  keyTextOf,
  MESH_ID,
  START_MS,
  seedOf,
} from '../../support/people.ts';

const meshId = hexToBytes(MESH_ID);
const texts = (secrets: readonly Uint8Array[]) => secrets.map(bytesToHex);

describe('the secrets of meeting rooms', () => {
  it('are in invites and rosters, those of the latest four epochs, the newest first', () => {
    expect(texts(parseInvite(inviteText({ epoch: 0 }).text).meetings)).toEqual(texts(meetingSecrets(AUTHORITY, 0)));
    const late = texts(meetingSecrets(AUTHORITY, 6));
    expect(late).toHaveLength(4);
    expect(late).toEqual([6, 5, 4, 3].map((epoch) => texts(meetingSecrets(AUTHORITY, epoch))[0]));
    expect(texts(parseInvite(inviteText({ epoch: 6 }).text).meetings)).toEqual(late);
  });

  it('get one that a removed member does not know, while invites of before still lead somewhere', () => {
    const membership = new Membership({ meshId: MESH_ID, wallMs: () => START_MS });
    for (const number of [1, 2]) membership.take(joined(number));
    const known = texts(meetingSecrets(AUTHORITY, 0));
    const { record } = nextRoster(membership, { meshName: 'lab', remove: [keyTextOf(2)] }, AUTHORITY, START_MS);
    membership.take(record);
    const [newest, ...earlier] = texts(membership.roster?.meetings ?? []);
    expect(known).not.toContain(newest);
    expect(earlier).toEqual(known);
  });

  it('give each mesh and epoch a room of its own, and the same to all who know them', () => {
    const [secret = new Uint8Array(), other = new Uint8Array()] = meetingSecrets(AUTHORITY, 1);
    const facts = (of: Uint8Array) => {
      const { identity, instance, keyId, secret: session } = meetingRoom(meshId, of);
      return [bytesToHex(identity.publicKey), instance, bytesToHex(keyId), bytesToHex(session)];
    };
    expect(facts(secret)).toEqual(facts(Uint8Array.from(secret)));
    expect(new Set([...facts(secret), ...facts(other)]).size).toBe(8);
  });
});

describe('who holds a meeting room', () => {
  const packed = packHolder({
    ...{ meshId, holderKey: identityOf(1).publicKey, askerKey: identityOf(2).publicKey },
    ...{ seed: seedOf(9), sharedSecretsOf },
  });

  it('is read by the member that was meant', () => {
    expect(packed).toHaveLength(64);
    expect(unpackHolder(packed, meshId, sharedSecretsOf(seedOf(2)))).toBe(keyTextOf(1));
  });

  it('stays hidden from one that shows the membership of another', () => {
    expect(bytesToHex(packed)).not.toContain(keyTextOf(1));
    expect(unpackHolder(packed, meshId, sharedSecretsOf(seedOf(3)))).not.toBe(keyTextOf(1));
  });
});
