/** The part that also runs in a browser: membership, catalogs, gossip and queries. Clock and randomness are passed in. */

export { requireOwnWords } from './catalog/own-words.ts';
export * from './limits.ts';
export { DEFAULT_INVITE_MS, makeInvite, nextRoster } from './membership/authority.ts';
export { signFounder, signLeave, signMembership } from './membership/certificates.ts';
export { parseInvite, requireValid } from './membership/invite-text.ts';
export { type MeetingRoom, meetingRoom, meetingSecrets, packHolder, unpackHolder } from './membership/meeting.ts';
export { Membership, restoreMembership } from './membership/membership.ts';
export {
  type MeshPair,
  type MeshSessionOptions,
  MeshVisitors,
  meshKeyId,
  meshSecret,
  meshSession,
  type SharedSecretOf,
  sharedSecretsOf,
} from './membership/session.ts';
export { isNodeName, parseNodeName, suggestNodeName } from './node-name.ts';
export { type Part, partHash, partOf } from './parts.ts';
export { type Comparison, type Condition, parseWhere } from './query/parse-where.ts';
export { knownProperties, type NodeQuery, propertyOf, queryNodes } from './query/query-nodes.ts';
export { decodeRecord, RECORD_LIMITS, recordId, type SignedRecord } from './record.ts';
