import { describe, expect, it } from '@jest/globals';
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { runs } from '../../../../test/support/runs.ts';
import { readHead, signHead } from '../../src/core/catalog/head.ts';
import { hintKey, hintsSchema, packHints, type ReliabilityHint } from '../../src/core/catalog/hints.ts';
import { decodeRecord } from '../../src/core/index.ts';
import { identityOf, keyTextOf, MESH_ID, START_MS } from '../support/people.ts';

const own = { name: 'node-2', role: 'worker' as const, tags: [], properties: {}, urls: [], models: [] };

function headWith(more: { readonly hints?: readonly ReliabilityHint[]; readonly bridgeUrl?: string }) {
  const { record } = signHead(identityOf(2), {
    ...{ meshId: MESH_ID, own: { ...own, ...more }, sequence: 1, nowMs: START_MS },
  });
  return readHead(decodeRecord(record.bytes), MESH_ID);
}

describe('hints in a catalog', () => {
  it('come back in quarters, sorted by node, and no more than 24', () => {
    const hint = fc.record({
      node: fc.uint8Array({ minLength: 8, maxLength: 8 }).map(bytesToHex),
      reliability: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    const many = fc.uniqueArray(hint, { maxLength: 60, selector: ({ node }) => node });
    fc.assert(
      fc.property(many, (hints) => {
        const read = headWith({ hints }).hints;
        const nodes = hints.map(({ node }) => node).sort();
        expect(read.map(({ node }) => node)).toEqual(nodes.slice(0, 24));
        for (const { node, reliability } of read) {
          expect([0, 0.25, 0.5, 0.75, 1]).toContain(reliability);
          const given = hints.find((one) => one.node === node)?.reliability ?? Number.NaN;
          expect(Math.abs(given - reliability)).toBeLessThanOrEqual(0.125);
        }
      }),
      { numRuns: runs(200) },
    );
  });

  it('may be left out, and the address of a bridge too', () => {
    expect(headWith({})).toMatchObject({ hints: [], bridgeUrl: undefined });
    expect(headWith({ bridgeUrl: 'http://10.0.0.2:14345' }).bridgeUrl).toBe('http://10.0.0.2:14345');
  });

  const [one] = [hintKey(keyTextOf(1))];
  it.each([
    ['a hint that is cut off', `${one}04`.slice(2)],
    ['more than 24', `${'00'.repeat(8)}01`.repeat(25)],
    ['a node twice', `${one}04${one}00`],
    ['more than all', `${one}05`],
  ])('are refused with %s', (_what, hex) => {
    expect(hintsSchema.safeParse(hexToBytes(hex)).success).toBe(false);
  });

  it.each(['javascript:alert(1)', 'file:///etc/passwd', 'http://x/\u001b[31m', `http://${'x'.repeat(300)}`])(
    'refuse the bridge %j with the catalog',
    (bridgeUrl) => {
      expect(() => headWith({ bridgeUrl })).toThrow('not valid');
    },
  );

  it('cost a catalog 9 bytes each', () => {
    const hints = Array.from({ length: 24 }, (_, i) => ({ node: keyTextOf(i + 3), reliability: 1 }));
    expect(packHints(hints)).toHaveLength(216);
    expect(headWith({ hints }).record.body.length - headWith({}).record.body.length).toBeLessThan(216 + 16);
  });
});
