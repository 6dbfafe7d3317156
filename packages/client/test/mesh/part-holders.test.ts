import { describe, expect, it } from '@jest/globals';
import type { MeshHolder, MeshModel } from '@model-rtc/mesh';
import { meshNode } from '../../../../test/support/mesh-node.ts';
import { PartHolders } from '../../src/mesh/part-holders.ts';

const holder = (key: string, isWhole = false): MeshHolder => ({
  ...{ node: meshNode(key, { urls: ['ws://x'] }), isWhole, model: {} as MeshModel },
});
const keysOf = (holders: readonly MeshHolder[]): string[] => holders.map(({ node }) => node.key);

/** The same numbers at each run (a linear congruential generator). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

/** Who a machine asks in the end when it has so many places, and hears of the others one after the other. */
function askedAtTheEnd(others: readonly string[], places: number, random: () => number): Set<string> {
  const parts = new PartHolders();
  const asked = new Set<string>();
  for (const [heard] of others.entries()) {
    const able = others.slice(0, heard + 1).filter((key) => !asked.has(key));
    const isFull = asked.size === places;
    const free = able.map((key) => holder(key));
    const exchange = parts.exchange(free, isFull ? [...asked] : [], random);
    if (!isFull) asked.add(able.at(-1) as string);
    if (exchange === undefined) continue;
    asked.delete(exchange.leaves);
    asked.add(exchange.comes.node.key);
  }
  return asked;
}

describe('nodes that are still fetching a model', () => {
  it('are joined two at a time, and those that have all of it at once', () => {
    const parts = new PartHolders();
    const chosen = [holder('a'), holder('seed', true), holder('b'), holder('c'), holder('seed-2', true)];
    expect(keysOf(parts.inTurn(chosen, 0))).toEqual(['a', 'seed', 'b', 'seed-2']);
    expect(keysOf(parts.inTurn([holder('c')], 1_999))).toEqual([]);
    expect(keysOf(parts.inTurn([holder('c'), holder('d')], 2_000))).toEqual(['c', 'd']);
  });

  it('are all asked by about as many, however late they came', () => {
    const nodes = Array.from({ length: 20 }, (_, i) => `node-${i}`);
    const askedBy = new Map(nodes.map((node) => [node, 0]));
    const random = randomOf(7);
    const rounds = 20;
    for (let round = 0; round < rounds; round++)
      for (const self of nodes)
        for (const key of askedAtTheEnd(
          nodes.filter((node) => node !== self),
          7,
          random,
        ))
          askedBy.set(key, (askedBy.get(key) ?? 0) + 1);
    // Seven places of each: 7 on average. Without newcomers the last twelve are asked by nobody.
    for (const times of askedBy.values()) expect(times / rounds).toBeGreaterThan(5);
    for (const times of askedBy.values()) expect(times / rounds).toBeLessThan(9);
  });

  it('give up no place while there are others, and none for a node that was there before', () => {
    const parts = new PartHolders();
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((key) => holder(key)) as [
      MeshHolder,
      MeshHolder,
      MeshHolder,
      MeshHolder,
    ];
    expect(parts.exchange([a, b], [], () => 0)).toBeUndefined();
    expect(parts.exchange([b], ['a'], () => 0)).toBeUndefined();
    expect(parts.exchange([b, c], ['a'], () => 0)).toEqual({ leaves: 'a', comes: c });
    expect(parts.exchange([b, c], ['a'], () => 0)).toBeUndefined();
    expect(parts.exchange([d], ['a'], () => 0.99)).toBeUndefined();
  });
});
