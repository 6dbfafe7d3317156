import { describe, expect, it } from '@jest/globals';
import { poolOf, SourcePool } from '../../../src/core/sources/source-pool.ts';
import type { ChunkSource } from '../../../src/index.ts';
import { networkError, stalled } from '../../support/sources.ts';

describe('a pool of sources', () => {
  it('tells of what comes, what goes and why, and of its end', () => {
    const pool = new SourcePool();
    const told: unknown[] = [];
    const stop = pool.onChange((change) => told.push(change));
    const [a, b] = [stalled('a'), stalled('b')];
    const error = networkError();
    pool.add(a);
    pool.add(a);
    pool.add(b);
    pool.remove(a, error);
    pool.remove(a);
    pool.end(error);
    pool.end();
    stop();
    pool.remove(b);
    expect(told).toEqual([
      { type: 'added', source: a },
      { type: 'added', source: b },
      { type: 'removed', source: a, error },
      { type: 'ended', error },
    ]);
    expect(pool.sources).toEqual([]);
    expect(pool.error).toBe(error);
  });

  it('takes no source when it is ended', () => {
    const pool = poolOf([stalled('a')]);
    expect(pool.ended).toBe(true);
    pool.add(stalled('late'));
    expect(pool.sources.map(({ name }: ChunkSource) => name)).toEqual(['a']);
    expect(poolOf(pool)).toBe(pool);
  });
});
