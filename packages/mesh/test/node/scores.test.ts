import { describe, expect, it } from '@jest/globals';
import { hintsFrom, reliabilityAt, type Scores, withOutcome } from '../../src/node/state/scores.ts';

const HOUR_MS = 3_600_000;
const KEY = 'ab'.repeat(32);
const at = (hours: number) => new Date(Date.UTC(2026, 0, 1) + hours * HOUR_MS);
const lost = { bytes: 0, ms: 0, ok: false, reason: 'network_error' } as const;
const given = { bytes: 1e6, ms: 1000, ok: true, latencyMs: 5 } as const;

function after(...outcomes: readonly (readonly [hour: number, outcome: typeof lost | typeof given])[]): Scores {
  return outcomes.reduce((scores, [hour, outcome]) => withOutcome(scores, KEY, outcome, at(hour)), {
    nodes: {},
  } as Scores);
}

function reliability(scores: Scores, hour: number): number {
  const score = scores.nodes[KEY];
  return score === undefined ? 1 : reliabilityAt(score, at(hour).getTime());
}

describe('the reliability of a node', () => {
  it('falls with what failed, and rises with what came', () => {
    const failed = after([0, lost], [0, lost]);
    expect(reliability(failed, 0)).toBeCloseTo(0.64);
    expect(reliability(withOutcome(failed, KEY, given, at(0)), 0)).toBeCloseTo(0.712);
    expect(reliability(after([0, given]), 0)).toBe(1);
  });

  it('is half forgiven after a day without an outcome, and counts from there', () => {
    const failed = after(...Array.from({ length: 10 }, () => [0, lost] as const));
    expect(reliability(failed, 0)).toBeLessThan(0.35);
    expect(reliability(failed, 24)).toBeCloseTo(1 - (1 - reliability(failed, 0)) / 2);
    expect(reliability(failed, 24 * 30)).toBeCloseTo(1);
    expect(reliability(withOutcome(failed, KEY, lost, at(24)), 24)).toBeCloseTo(reliability(failed, 24) * 0.8);
    // A clock that was set back forgives nothing.
    expect(reliability(failed, -5)).toBe(reliability(failed, 0));
  });

  it('is told to others for a week, of the 24 nodes that were asked last', () => {
    let scores: Scores = { nodes: {} };
    for (let i = 0; i < 40; i++) scores = withOutcome(scores, i.toString(16).padStart(2, '0').repeat(32), given, at(i));
    const told = hintsFrom(scores, at(40).getTime()).map(({ node }) => node.slice(0, 2));
    expect(told).toHaveLength(24);
    expect(told).toContain('27');
    expect(told).not.toContain('0f');
    expect(hintsFrom(after([0, lost]), at(24 * 6).getTime())).toEqual([
      { node: 'abababababababab', reliability: expect.any(Number) },
    ]);
    expect(hintsFrom(after([0, lost]), at(24 * 8).getTime())).toEqual([]);
  });
});
