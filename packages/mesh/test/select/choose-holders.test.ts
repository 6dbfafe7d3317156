import { describe, expect, it } from '@jest/globals';
import { meshNode } from '../../../../test/support/mesh-node.ts';
import { chooseHolders, compareNodes, type MeshHolder, type MeshNodeInfo } from '../../src/index.ts';

function node(key: string, given: Partial<MeshNodeInfo> = {}): MeshNodeInfo {
  return meshNode(key, { urls: ['ws://x'], ...given });
}

function holder(key: string, isWhole: boolean, given: Partial<MeshNodeInfo> = {}): MeshHolder {
  return { node: node(key, given), isWhole, model: {} as MeshHolder['model'] };
}

function best(...nodes: readonly MeshNodeInfo[]): string[] {
  return [...nodes].sort(compareNodes).map(({ key }) => key);
}

const anyone = { except: () => false, random: () => 0.5 };

describe('the order of nodes as sources', () => {
  it('is direct before webrtc before relay, whatever their speed', () => {
    const [relay, webrtc, lan] = [
      node('a', { reachedBy: 'relay', latencyMs: 1, bytesPerSecond: 1e9 }),
      node('b', { reachedBy: 'webrtc', latencyMs: 10 }),
      node('c', { reachedBy: 'lan', latencyMs: 200, bytesPerSecond: 1e5 }),
    ];
    expect(best(relay, webrtc, lan)).toEqual(['c', 'b', 'a']);
  });

  it('is by latency, then goodput, then reliability', () => {
    const near = { reachedBy: 'direct', latencyMs: 5 } as const;
    expect(best(node('far', { ...near, latencyMs: 80 }), node('near', near))).toEqual(['near', 'far']);
    expect(best(node('a', { ...near, bytesPerSecond: 1e6 }), node('b', { ...near, bytesPerSecond: 9e6 }))).toEqual([
      'b',
      'a',
    ]);
    expect(best(node('a', { ...near, reliability: 0.8 }), node('b', near))).toEqual(['b', 'a']);
    // A few milliseconds are noise.
    expect(best(node('a', { ...near, latencyMs: 6, reliability: 0.8 }), node('b', near))).toEqual(['b', 'a']);
  });

  it('puts those last that failed mostly, and those that are absent', () => {
    const liar = node('a', { reachedBy: 'lan', reliability: 0.2 });
    expect(best(liar, node('b', { isPresent: false }), node('c', { reachedBy: 'relay' }))).toEqual(['c', 'a', 'b']);
  });
});

describe('the choice of holders', () => {
  it('takes the best whole ones when nobody has parts', () => {
    const holders = ['a', 'b', 'c'].map((key) => holder(key, true, { reachedBy: key === 'c' ? 'lan' : 'relay' }));
    const chosen = chooseHolders(holders, { ...anyone, count: 2 });
    expect(chosen.map(({ node: { key } }) => key)).toEqual(['c', 'a']);
  });

  it('leaves half of the places to those that have parts, chosen at random', () => {
    const whole = Array.from({ length: 10 }, (_, i) => holder(`w${i}`, true));
    const partial = Array.from({ length: 10 }, (_, i) => holder(`p${i}`, false));
    let next = 0;
    const random = (): number => [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.0][next++] ?? 0;
    const chosen = chooseHolders([...whole, ...partial], { ...anyone, count: 8, random });
    expect(chosen.map(({ node: { key } }) => key)).toEqual(['w0', 'w1', 'w2', 'w3', 'p9', 'p8', 'p7', 'p6']);
  });

  it('gives one of many places to a whole holder by chance, but to no absent or unreliable one', () => {
    const best = Array.from({ length: 8 }, (_, i) => holder(`a${i}`, true, { reachedBy: 'lan' }));
    const others = [
      ...[holder('x', true, { reachedBy: 'relay' }), holder('y', true, { reachedBy: 'relay' })],
      ...[holder('bad', true, { reliability: 0.1 }), holder('away', true, { isPresent: false })],
    ];
    const lastOf = (random: number) =>
      chooseHolders([...best, ...others], { ...anyone, count: 8, random: () => random }).at(-1)?.node.key;
    expect([0, 0.34, 0.67, 0.99].map(lastOf)).toEqual(['a7', 'x', 'y', 'y']);
  });

  it('passes over itself, the untrusted, those without an address, and those that it is told to', () => {
    const holders = [
      holder('self', true, { isSelf: true }),
      holder('distrusted', true, { isTrusted: false }),
      holder('nowhere', true, { urls: [] }),
      holder('used', true),
      holder('liar', false, { reliability: 0.1 }),
      holder('good', true),
    ];
    const chosen = chooseHolders(holders, { ...anyone, count: 8, except: (key) => key === 'used' });
    expect(chosen.map(({ node: { key } }) => key)).toEqual(['good']);
  });
});
