import { type Digest, identityFromSeed } from '@model-rtc/protocol';
import { bytesToHex } from '@noble/hashes/utils.js';
import { packBeats } from '../../src/core/beats/beat.ts';
import { createBeatChain } from '../../src/core/beats/chain.ts';
import { signHead } from '../../src/core/catalog/head.ts';
import { packHints } from '../../src/core/catalog/hints.ts';
import { rangeHashes } from '../../src/core/gossip/ranges.ts';
import {
  Membership,
  meetingRoom,
  meetingSecrets,
  meshSession,
  nextRoster,
  packHolder,
  sharedSecretsOf,
  signFounder,
  signLeave,
} from '../../src/core/index.ts';
import { AUTHORITY, identityOf, inviteText, joined, keyTextOf, MESH_ID, START_MS, seedOf } from '../support/people.ts';

/** The test vectors of meshes by the name of their file. Bytes are hex. */
export function buildMeshVectors(): Record<string, unknown> {
  return { 'membership.json': membershipVectors(), 'catalogs.json': catalogVectors() };
}

function membershipVectors() {
  const founder = signFounder({ node: identityOf(1), name: 'founder', scopes: ['read'], nowMs: START_MS }, AUTHORITY);
  const member = joined(2);
  const membership = new Membership({ meshId: MESH_ID, wallMs: () => START_MS });
  for (const record of [founder, member]) membership.take(record);
  const roster = nextRoster(membership, { meshName: 'lab', remove: [keyTextOf(2)] }, AUTHORITY, START_MS);
  const pair = { meshId: AUTHORITY.publicKey, visitorKey: identityOf(1).publicKey, workerKey: identityOf(2).publicKey };
  const shared = sharedSecretsOf(seedOf(1))(pair.workerKey);
  const session = meshSession({ pair, shared, urls: ['ws://10.0.0.1:8787'], scopes: ['read'] });
  return {
    description: 'A mesh whose founder lets a node in by an invite, and removes it again. Bytes are hex.',
    authority: { seed: bytesToHex(seedOf(200)), publicKey: MESH_ID },
    nodes: [1, 2].map((number) => ({ seed: bytesToHex(seedOf(number)), publicKey: keyTextOf(number) })),
    inviteSeed: bytesToHex(seedOf(100)),
    invitePublicKey: bytesToHex(identityFromSeed(seedOf(100)).publicKey),
    invite: inviteText().text,
    founder: bytesToHex(founder.bytes),
    membership: bytesToHex(member.bytes),
    rosterThatRemovesIt: bytesToHex(roster.record.bytes),
    rosterParts: roster.parts.map(({ hash, bytes }) => ({ hash, bytes: bytesToHex(bytes) })),
    meeting: meetingVectors(),
    leave: bytesToHex(signLeave(AUTHORITY.publicKey, identityOf(2), START_MS + 1).bytes),
    session: {
      shared: bytesToHex(shared),
      keyId: bytesToHex(session.keyId),
      secret: bytesToHex(session.secret),
    },
  };
}

/** The room of the first epoch, and how the second node is told that the first holds it. */
function meetingVectors() {
  const [secret = new Uint8Array()] = meetingSecrets(AUTHORITY, 0);
  const meshId = AUTHORITY.publicKey;
  const room = meetingRoom(meshId, secret);
  const keys = { holderKey: identityOf(1).publicKey, askerKey: identityOf(2).publicKey };
  return {
    secret: bytesToHex(secret),
    publicKey: bytesToHex(room.identity.publicKey),
    instance: room.instance,
    keyId: bytesToHex(room.keyId),
    sessionSecret: bytesToHex(room.secret),
    onceSeed: bytesToHex(seedOf(9)),
    holder: bytesToHex(packHolder({ meshId, ...keys, seed: seedOf(9), sharedSecretsOf })),
  };
}

function catalogVectors() {
  const digest = '5f'.repeat(32) as Digest;
  const model = {
    ...{ digest, modelId: '5f5f5f5f', name: 'tiny-llama', type: 'llama', sizeBytes: 4096, source: 'hub' as const },
    ...{ capabilities: [], tags: ['small'], format: 'safetensors' },
  };
  const urls = ['ws://10.0.0.2:8787'];
  const own = { name: 'node-2', role: 'worker' as const, tags: ['lab'], properties: { gpu_memory: 16 }, urls };
  const { record, parts } = signHead(identityOf(2), {
    ...{ meshId: MESH_ID, own: { ...own, models: [model] }, sequence: 7, nowMs: START_MS },
  });
  const hints = [
    { node: keyTextOf(1), reliability: 1 },
    { node: keyTextOf(3), reliability: 0.25 },
  ];
  const withHints = signHead(identityOf(2), {
    meshId: MESH_ID,
    own: { ...own, models: [], bridgeUrl: 'http://10.0.0.2:14345', hints },
    ...{ sequence: 8, nowMs: START_MS },
  });
  return {
    description: 'The catalog of a node with one model. Bytes are hex.',
    meshId: MESH_ID,
    node: { seed: bytesToHex(seedOf(2)), publicKey: keyTextOf(2) },
    head: bytesToHex(record.bytes),
    id: record.id,
    parts: parts.map(({ hash, bytes }) => ({ hash, bytes: bytesToHex(bytes) })),
    beats: beatVectors(),
    withBridgeAndHints: { hints, packed: bytesToHex(packHints(hints)), head: bytesToHex(withHints.record.bytes) },
  };
}

/** A head with three beats, and how two nodes compare it. */
function beatVectors() {
  const [key, seed] = [keyTextOf(2), seedOf(9).subarray(0, 16)];
  const chain = createBeatChain({ key, seed, intervalMs: 300_000, count: 3 });
  const own = { name: 'node-2', role: 'client' as const, tags: [], properties: {}, urls: [], models: [] };
  const { record } = signHead(identityOf(2), { meshId: MESH_ID, own, sequence: 9, nowMs: START_MS, beats: chain.plan });
  const all = [1, 2, 3].map((index) => ({ hint: key.slice(0, 16), sequence: 9, index, value: chain.valueAt(index) }));
  const name = `model_catalog/${key}`;
  const hashes = rangeHashes({ summary: () => [{ name, order: 9, beat: 2 }] });
  const range = Number.parseInt(key.slice(0, 2), 16);
  return {
    head: bytesToHex(record.bytes),
    seed: bytesToHex(seed),
    anchor: bytesToHex(chain.plan.anchor),
    values: all.map(({ value }) => bytesToHex(value)),
    packed: bytesToHex(packBeats(all)),
    compared: { line: `${name} 9 2\n`, range, hash: bytesToHex(hashes.subarray(range * 8, range * 8 + 8)) },
  };
}
