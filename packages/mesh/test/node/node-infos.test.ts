import { describe, expect, it } from '@jest/globals';
import { CATALOG_TTL_MS, GOODBYE_TTL_MS } from '../../src/core/limits.ts';
import { nodeInfos } from '../../src/node/node-infos.ts';
import { HintBook } from '../../src/select/hints.ts';
import type { MeshReach } from '../../src/types.ts';

const SELF = 'f'.repeat(64);
const BEN = 'b'.repeat(64);
const NOW_MS = 1_800_000_000_000;

/** What this machine sees of a member whose newest catalog came a moment ago. */
function seen(ttlMs: number, reach: readonly (readonly [string, MeshReach])[]) {
  const member = { key: BEN, name: 'ben', scopes: ['read' as const], joinedAt: new Date(0) };
  const head = {
    ...{ record: {} as never, key: BEN, name: 'ben', sequence: 1, issuedAtMs: NOW_MS, ttlMs, role: 'worker' as const },
    ...{ tags: [], properties: {}, urls: [], bridgeUrl: undefined, fetching: [], modelCount: 0 },
    ...{ parts: [], weights: [], beats: undefined, hints: [] },
  };
  const infos = nodeInfos({
    view: {
      ownKey: SELF,
      members: () => [member],
      catalogOf: () => head,
      aliveAtMs: () => NOW_MS,
      problemOf: () => undefined,
    },
    ...{ ownName: 'self', hasWorker: true, scores: { nodes: {} }, distrusted: new Set<string>() },
    ...{ hasConsent: () => true, reach: new Map(reach), hints: new HintBook(), nowMs: NOW_MS },
  });
  return infos.find(({ key }) => key === BEN);
}

describe('a node of a mesh', () => {
  it('is present while it is heard or reached', () => {
    expect(seen(CATALOG_TTL_MS, [])).toMatchObject({ isPresent: true });
    expect(seen(CATALOG_TTL_MS, [[BEN, 'lan']])).toMatchObject({ isPresent: true, reachedBy: 'lan' });
  });

  it('is absent as soon as it took its leave, however it was reached before', () => {
    const left = seen(GOODBYE_TTL_MS, [[BEN, 'signaling']]);
    expect(left).toMatchObject({ isPresent: false });
    expect(left?.reachedBy).toBeUndefined();
  });
});
