import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { roughSize } from '../src/index.ts';

describe('the rough size of a value', () => {
  it('is never far from that of its JSON', () => {
    const anything = fc.jsonValue({ maxDepth: 4 });
    fc.assert(
      fc.property(anything, (value) => {
        const bytes = Buffer.byteLength(JSON.stringify(value));
        // A control character takes six bytes as JSON.
        expect(roughSize(value)).toBeGreaterThanOrEqual(bytes / 6);
        expect(roughSize(value)).toBeLessThanOrEqual(8 * bytes + 8);
      }),
    );
  });

  it('counts each entry of a list', () => {
    const entry = { alias: 'good-mouse-v1', size: 1_000_000, tags: ['mouse', 'lab'], metrics: { loss: 0.25 } };
    const list = Array.from({ length: 1000 }, () => entry);
    const bytes = Buffer.byteLength(JSON.stringify(list));
    expect(roughSize(list) / bytes).toBeGreaterThan(0.8);
    expect(roughSize(list) / bytes).toBeLessThan(1.5);
  });
});
