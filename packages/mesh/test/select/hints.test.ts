import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../../../../test/support/runs.ts';
import { hintKey, type ReliabilityHint } from '../../src/core/catalog/hints.ts';
import { chooseHolders, compareNodes, type MeshHolder } from '../../src/index.ts';
import { nodeInfos } from '../../src/node/node-infos.ts';
import type { Scores } from '../../src/node/state/scores.ts';
import { HINT_FLOOR, HintBook } from '../../src/select/hints.ts';

const NOW_MS = 1_800_000_000_000;
const SELF = 'f'.repeat(64);
const keyOf = (number: number): string => number.toString(16).padStart(8, '0').repeat(8);
const about = (key: string, reliability: number): ReliabilityHint => ({ node: hintKey(key), reliability });

interface Said {
  readonly key: string;
  readonly hints: readonly ReliabilityHint[];
}

/** What this machine sees of members that say this of each other. */
function seen(members: readonly Said[], scores: Scores['nodes'] = {}, distrusted: readonly string[] = []) {
  const heads = new Map(members.map(({ key, hints }) => [key, headOf(key, hints)]));
  const infos = nodeInfos({
    view: {
      ownKey: SELF,
      members: () =>
        [SELF, ...heads.keys()].map((key) => ({ key, name: key, scopes: ['read'], joinedAt: new Date(0) })),
      catalogOf: (key) => heads.get(key),
      aliveAtMs: (key) => heads.get(key)?.issuedAtMs,
      problemOf: () => undefined,
    },
    ...{ ownName: 'self', hasWorker: true, scores: { nodes: scores }, distrusted: new Set(distrusted) },
    ...{ hasConsent: () => true, reach: new Map(), hints: new HintBook(), nowMs: NOW_MS },
  });
  return new Map(infos.map((info) => [info.key, info]));
}

function headOf(key: string, hints: readonly ReliabilityHint[]) {
  return {
    ...{
      record: {} as never,
      key,
      name: key,
      sequence: 1,
      issuedAtMs: NOW_MS,
      ttlMs: 300_000,
      role: 'worker' as const,
    },
    ...{
      tags: [],
      properties: {},
      urls: ['ws://x'],
      bridgeUrl: undefined,
      fetching: [],
      modelCount: 1,
      parts: [],
      weights: [],
      beats: undefined,
      hints,
    },
  };
}

function asHolders(nodes: ReturnType<typeof seen>): MeshHolder[] {
  return [...nodes.values()].map((node) => ({ node, isWhole: true, model: {} as MeshHolder['model'] }));
}

const score = (reliability: number) => ({ reliability, at: new Date(NOW_MS).toISOString() });

function hinted(givers: readonly Said[], of: number): number | undefined {
  const book = new HintBook();
  book.update(givers);
  return book.of(keyOf(of));
}

describe('hints about nodes', () => {
  it('count as the median of those who say something, each once, and the better of two', () => {
    const [a, b, c] = [1, 2, 3].map((number) => ({ key: keyOf(number), hints: [about(keyOf(9), number / 4)] }));
    expect(hinted([], 9)).toBeUndefined();
    expect(hinted([a, b, c] as Said[], 9)).toBeCloseTo(HINT_FLOOR + 0.3 * 0.5);
    expect(hinted([a, b] as Said[], 9)).toBeCloseTo(HINT_FLOOR + 0.3 * 0.5);
    expect(hinted([a, a, a, c] as Said[], 9)).toBeCloseTo(HINT_FLOOR + 0.3 * 0.75);
  });

  it('are the same when they are kept from one look to the next, whoever comes, goes or says something else', () => {
    const kept = new HintBook();
    const quarters = fc.array(fc.tuple(fc.nat(5), fc.integer({ min: 0, max: 4 })), { maxLength: 6 });
    fc.assert(
      fc.property(fc.array(fc.option(quarters), { minLength: 6, maxLength: 6 }), (looks) => {
        const givers = looks.flatMap((said, number) => {
          const hints = [...new Map(said ?? [])].map(([of, steps]) => about(keyOf(of), steps / 4));
          return said === null ? [] : [{ key: keyOf(number), hints }];
        });
        kept.update(givers);
        for (let of = 0; of <= 5; of++) expect(kept.of(keyOf(of))).toBe(hinted(givers, of));
      }),
      { numRuns: runs(200) },
    );
  });

  it('change the order among nodes that are alike, and say nothing of oneself or by those who are not trusted', () => {
    const [good, bad, liar] = [keyOf(5), keyOf(1), keyOf(7)];
    const witness = { key: keyOf(8), hints: [about(bad, 0), about(good, 1)] };
    const members = [{ key: good, hints: [] }, { key: bad, hints: [about(bad, 1)] }, witness];
    const nodes = seen([...members, { key: liar, hints: [about(good, 0)] }], {}, [liar]);
    expect(nodes.get(bad)).toMatchObject({ hinted: HINT_FLOOR, reliability: 1 });
    expect(nodes.get(good)).toMatchObject({ hinted: 1, reliability: 1 });
    const order = [...nodes.values()].filter(({ key }) => key === good || key === bad).sort(compareNodes);
    expect(order.map(({ key }) => key)).toEqual([good, bad]);
  });

  it('give way to what this machine measured itself', () => {
    const hostile = [1, 2, 3].map((number) => ({ key: keyOf(number), hints: [about(keyOf(9), 0)] }));
    const nodes = seen([...hostile, { key: keyOf(9), hints: [] }], { [keyOf(9)]: score(0.9) });
    expect(nodes.get(keyOf(9))).toMatchObject({ reliability: 0.9 });
    expect(nodes.get(keyOf(9))?.hinted).toBeUndefined();
  });
});

/** Any number of hostile members who say anything of anybody, and one honest holder of whom they say the worst. */
const coalition = fc.integer({ min: 1, max: 40 }).chain((count) =>
  fc.record({
    honest: fc.integer({ min: 0, max: count }),
    said: fc.array(fc.array(fc.tuple(fc.nat(count), fc.double({ min: 0, max: 1, noNaN: true })), { maxLength: 24 }), {
      minLength: count + 1,
      maxLength: count + 1,
    }),
  }),
);

function membersOf({ honest, said }: { honest: number; said: [number, number][][] }): Said[] {
  return said.map((hints, number) => ({
    key: keyOf(number),
    hints: number === honest ? [] : [about(keyOf(honest), 0), ...hints.map(([of, r]) => about(keyOf(of), r))],
  }));
}

describe('a coalition of hostile members', () => {
  it('cannot push an honest node below the floor, nor out of the candidates', () => {
    fc.assert(
      fc.property(coalition, (given) => {
        const honest = seen(membersOf(given)).get(keyOf(given.honest));
        expect(honest?.hinted ?? 1).toBeGreaterThanOrEqual(HINT_FLOOR);
        expect(honest?.hinted ?? 1).toBeLessThanOrEqual(1);
        expect(honest?.reliability).toBe(1);
      }),
      { numRuns: runs(200) },
    );
  });

  it('is past after as many tries as it has members, 8 at a time, when each of them fails', () => {
    fc.assert(
      fc.property(
        coalition,
        fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })),
        (given, random) => {
          const holders = asHolders(seen(membersOf(given)));
          const failed = new Set<string>();
          const choice = { except: (key: string) => failed.has(key), random: () => random.next().value as number };
          let tries = 0;
          for (let isDone = false; !isDone; tries++) {
            const chosen = chooseHolders(holders, { ...choice, count: 8 }).map(({ node }) => node.key);
            expect(chosen.length).toBeGreaterThan(0);
            isDone = chosen.includes(keyOf(given.honest));
            for (const key of chosen) failed.add(key);
          }
          expect(tries).toBeLessThanOrEqual(Math.ceil(given.said.length / 8));
        },
      ),
      { numRuns: runs(200) },
    );
  });

  it('cannot keep an honest node from being chosen by chance, when none of them fails', () => {
    const given = { honest: 40, said: Array.from({ length: 41 }, (): [number, number][] => []) };
    const holders = asHolders(seen(membersOf(given)));
    // A fixed sequence that is spread evenly.
    let seed = 1;
    const random = (): number => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed / 2_147_483_647;
    };
    let tries = 1;
    const isChosen = (): boolean =>
      chooseHolders(holders, { count: 8, except: () => false, random }).some(({ node }) => node.key === keyOf(40));
    while (!isChosen() && tries < 1_000) tries += 1;
    expect(tries).toBeLessThan(34 * 8);
  });

  it('changes nothing in the order of nodes that this machine asked itself', () => {
    fc.assert(
      fc.property(
        coalition,
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 41, maxLength: 41 }),
        (given, own) => {
          const members = membersOf(given);
          const scores = Object.fromEntries(members.map(({ key }, i) => [key, score(own[i] ?? 1)]));
          const order = (of: readonly Said[]) =>
            [...seen(of, scores).values()].sort(compareNodes).map(({ key }) => key);
          expect(order(members)).toEqual(order(members.map(({ key }) => ({ key, hints: [] }))));
        },
      ),
      { numRuns: runs(100) },
    );
  });
});
