import { describe, expect, it } from '@jest/globals';
import { ProviderNames } from '../../../src/core/provider/provider-names.ts';

const worker = (start: string, name: string) => ({ origin: start.padEnd(64, '0'), name });

describe('the names of several workers', () => {
  it('are their own, and have the start of the key where two are the same', () => {
    const [lab, one, other] = [worker('aa', 'lab'), worker('bb', 'gpu'), worker('cc', 'gpu')];
    const names = new ProviderNames([lab, one, other]);
    expect([lab, one, other].map((known) => names.of(known))).toEqual(['lab', 'gpu (bb000000)', 'gpu (cc000000)']);
  });

  it('stay what they were when another worker takes the same name, or they take another one', () => {
    const [one, other] = [worker('bb', 'gpu'), worker('cc', 'saved')];
    const names = new ProviderNames([one, other]);
    expect(names.keep(one)).toBe('gpu');
    other.name = 'gpu';
    one.name = 'renamed';
    expect([one, other].map((known) => names.of(known))).toEqual(['gpu', 'gpu (cc000000)']);
  });

  it('cannot be taken by a worker that calls itself like another with its key', () => {
    const [one, other, liar] = [worker('bb', 'gpu'), worker('cc', 'gpu'), worker('dd', 'gpu (bb000000)')];
    const names = new ProviderNames([one, other, liar]);
    const all = [one, other, liar].map((known) => names.keep(known));
    expect(new Set(all).size).toBe(3);
  });
});
