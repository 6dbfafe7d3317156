import { describe, expect, it } from '@jest/globals';
import { signRecord } from '../../src/core/record.ts';
import { keyOf, namedAs } from '../../src/node/records/record-names.ts';
import { identityOf, keyTextOf, START_MS } from '../support/people.ts';

describe('namedAs', () => {
  it('orders a record by the one field that was checked, whatever else its node signed', () => {
    const node = identityOf(2);
    for (const sequence of [-1, 0.5, Number.NaN, 2 ** 53, 'x']) {
      const body = { node: node.publicKey, joinedAt: START_MS, sequence };
      expect(namedAs(signRecord('membership', body, [node]))).toEqual({
        ...{ name: `membership/${keyTextOf(2)}`, key: keyTextOf(2), order: START_MS },
      });
    }
  });

  it('names nobody for a record that is not valid', () => {
    const node = identityOf(2);
    for (const body of [{}, { node: 'x' }, { node: null }])
      expect(keyOf(signRecord('membership', body, [node]))).toBeUndefined();
    expect(keyOf(signRecord('membership', { node: node.publicKey, joinedAt: 1 }, [node]))).toBe(keyTextOf(2));
  });
});
