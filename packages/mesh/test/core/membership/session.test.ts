import { describe, expect, it } from '@jest/globals';
import { encodeSessionToken, identityFromSeed, parseSessionToken } from '@model-rtc/protocol';
import { type MeshPair, MeshVisitors, meshKeyId, meshSession, sharedSecretsOf } from '../../../src/index.ts';

const seed = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);
const keyOf = (fill: number): Uint8Array => identityFromSeed(seed(fill)).publicKey;
const pair: MeshPair = { meshId: keyOf(9), visitorKey: keyOf(1), workerKey: keyOf(2) };

function sessionWith(shared: Uint8Array, one: MeshPair = pair) {
  return meshSession({ pair: one, shared, urls: ['ws://10.0.0.2:8787'], scopes: ['read'] });
}

describe('meshSession', () => {
  it('is the same whether the visitor or the worker makes it', () => {
    const bySelf = sessionWith(sharedSecretsOf(seed(1))(pair.workerKey));
    expect(sessionWith(sharedSecretsOf(seed(2))(pair.visitorKey))).toEqual(bySelf);
    expect(bySelf.secret).toHaveLength(16);
    expect(bySelf.keyId).toEqual(meshKeyId(pair));
  });

  it('is a session token that can be written and read', () => {
    const token = sessionWith(sharedSecretsOf(seed(1))(pair.workerKey));
    expect(parseSessionToken(encodeSessionToken(token))).toEqual(token);
  });

  it('has another secret for another mesh, and for a visit in the other direction', () => {
    const shared = sharedSecretsOf(seed(1))(pair.workerKey);
    const back = { ...pair, visitorKey: pair.workerKey, workerKey: pair.visitorKey };
    const secrets = [pair, back, { ...pair, meshId: keyOf(8) }].map((one) => sessionWith(shared, one).secret.join());
    expect(new Set(secrets).size).toBe(3);
  });

  it('cannot be made with a key of small order, which would share a known secret', () => {
    const identityPoint = Uint8Array.from([1, ...new Uint8Array(31)]);
    expect(() => sharedSecretsOf(seed(1))(identityPoint)).toThrow();
  });
});

describe('MeshVisitors', () => {
  it('knows a member by its key id, and nobody who is a member no more', () => {
    const visitors = new MeshVisitors(pair.meshId, pair.workerKey);
    visitors.setMembers([keyOf(1), keyOf(3)]);
    expect(visitors.visitorOf(meshKeyId(pair))).toEqual(keyOf(1));
    visitors.setMembers([keyOf(3)]);
    expect(visitors.visitorOf(meshKeyId(pair))).toBeUndefined();
  });
});
