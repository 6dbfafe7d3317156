import { describe, expect, it } from '@jest/globals';
import { nobleCrypto } from '../../../src/lanes/relay/noble-crypto.ts';
import { nodeCrypto } from '../../../src/lanes/relay/node-crypto.ts';
import { createRelayKeyPair, deriveRelayKeys } from '../../../src/lanes/relay/relay-keys.ts';

const meeting = new Uint8Array(16).fill(3);

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

describe.each([
  ['node and node', nodeCrypto, nodeCrypto],
  ['noble and noble', nobleCrypto, nobleCrypto],
  ['noble and node', nobleCrypto, nodeCrypto],
])('the keys of a relay lane between %s', (_, crypto, otherCrypto) => {
  it('are the same for both sides, one for each direction', () => {
    const [asker, answerer] = [createRelayKeyPair(crypto), createRelayKeyPair(otherCrypto)];
    const ofAsker = asker.derive('asker', answerer.publicKey, meeting);
    const ofAnswerer = answerer.derive('answerer', asker.publicKey, meeting);
    expect(hex(ofAsker.sending)).toBe(hex(ofAnswerer.receiving));
    expect(hex(ofAsker.receiving)).toBe(hex(ofAnswerer.sending));
    expect(hex(ofAsker.sending)).not.toBe(hex(ofAsker.receiving));
  });

  it('are others at another meeting, and with another key', () => {
    const [asker, answerer] = [createRelayKeyPair(crypto), createRelayKeyPair(otherCrypto)];
    const keys = asker.derive('asker', answerer.publicKey, meeting);
    const elsewhere = asker.derive('asker', answerer.publicKey, new Uint8Array(16));
    const withOther = asker.derive('asker', createRelayKeyPair(crypto).publicKey, meeting);
    expect(new Set([keys, elsewhere, withOther].map(({ sending }) => hex(sending))).size).toBe(3);
  });

  it.each([
    ['zero', '00'.repeat(32)],
    ['one', `01${'00'.repeat(31)}`],
    ['a point of order 8', 'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800'],
  ])('are not made from %s: anyone knows what comes of it', (_, point) => {
    const derive = () => createRelayKeyPair(crypto).derive('answerer', Buffer.from(point, 'hex'), meeting);
    expect(derive).toThrow(expect.objectContaining({ code: 'refused' }));
  });

  it('are those of docs/protocol.md', () => {
    // Made with another implementation of X25519 and HKDF: private keys of 01.. and 02..
    const keys = deriveRelayKeys(
      crypto,
      Buffer.from('2ed76ab549b1e73c031eb49c9448f0798aea81b698279a0c3dc3e49fbfc4b953', 'hex'),
      {
        meeting,
        asker: Buffer.from('a4e09292b651c278b9772c569f5fa9bb13d906b46ab68c9df9dc2b4409f8a209', 'hex'),
        answerer: Buffer.from('ce8d3ad1ccb633ec7b70c17814a5c76ecd029685050d344745ba05870e587d59', 'hex'),
      },
    );
    expect(hex(keys.toAnswerer)).toBe('bcb08ce304c63fb37cf840afa3063b15bf96d3cffdf680a6f7248bd15a6c176e');
    expect(hex(keys.toAsker)).toBe('fe410c13a6c3da7e139d7f66ac335ddbb1ce74e23799483bbddfa6b9f85902cf');
  });
});
