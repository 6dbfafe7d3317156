import { describe, expect, it } from '@jest/globals';
import type { Digest, ModelPath } from '@model-rtc/protocol';
import fc from 'fast-check';
import { planLayout } from '../../../src/core/layout/layout.ts';
import { MAX_FILE_TRIALS } from '../../../src/core/limits.ts';
import { RangeRules } from '../../../src/core/session/range-rules.ts';

const file = (path: string, size: number) => ({ path: path as ModelPath, size, sha256: 'a'.repeat(64) as Digest });
/** Ranges 0 to 2 are of the first file, 3 is of the second, and 4 has a digest. */
const layout = planLayout({
  files: [file('a', 30), file('b', 10), file('c', 10)],
  chunks: [{ size: 10 }, { size: 10 }, { size: 10 }, { size: 10 }, { size: 10, digest: 'b'.repeat(64) as Digest }],
});
const FIRST = [0, 1, 2];
const may = (rules: RangeRules, id: number, origin: string, number = 0): boolean =>
  rules.mayAsk(id, { number, origin });

describe('the rules of ranges', () => {
  it('let everyone be asked, but those that find chunks by digests alone', () => {
    const rules = new RangeRules(layout);
    rules.needsDigests(7);
    expect([0, 3, 4].map((id) => may(rules, id, 'x', 7))).toEqual([false, false, true]);
    expect([0, 3, 4].map((id) => may(rules, id, 'x', 8))).toEqual([true, true, true]);
  });

  it('blame the one that gave all of a wrong file, and ask another for all of it, and of other files nothing else', () => {
    const rules = new RangeRules(layout);
    for (const id of FIRST) rules.gave(id, 'liar');
    const able = new Set(['liar', 'honest']);
    expect(rules.wrong(0, FIRST, able)).toEqual({ culprit: 'liar', isHopeless: false });
    expect(FIRST.map((id) => [may(rules, id, 'liar'), may(rules, id, 'honest')])).toEqual(
      FIRST.map(() => [false, true]),
    );
    expect([may(rules, 3, 'liar'), may(rules, 3, 'honest')]).toEqual([true, true]);
  });

  it('blame nobody when several gave it, or an earlier run some of it, and then ask one alone', () => {
    for (const givers of [
      ['x', 'y', 'y'],
      [undefined, 'y', 'y'],
    ]) {
      const rules = new RangeRules(layout);
      for (const [id, origin] of givers.entries()) if (origin !== undefined) rules.gave(id, origin);
      expect(rules.wrong(0, FIRST, new Set(['x', 'y']))).toEqual({ culprit: undefined, isHopeless: false });
      expect([may(rules, 0, 'x'), may(rules, 0, 'y')].filter((one) => one)).toHaveLength(1);
    }
  });

  it('ask another one when the one that was chosen is gone', () => {
    const rules = new RangeRules(layout);
    for (const id of FIRST) rules.gave(id, 'liar');
    rules.wrong(0, FIRST, new Set(['liar', 'x', 'y']));
    rules.gone('x', new Set(['liar', 'y']));
    expect(['liar', 'x', 'y'].map((origin) => may(rules, 0, origin))).toEqual([false, false, true]);
    rules.gone('y', new Set());
    expect(may(rules, 0, 'late')).toBe(true);
  });

  it('find an honest origin among any number of liars that is less than the trials, and give up without one', () => {
    const scene = fc.record({
      liars: fc.integer({ min: 0, max: MAX_FILE_TRIALS - 3 }),
      honest: fc.integer({ min: 0, max: 2 }),
      resumed: fc.boolean(),
      seed: fc.array(fc.nat(), { minLength: 3, maxLength: 3 }),
    });
    fc.assert(
      fc.property(scene, ({ liars, honest, resumed, seed }) => {
        fc.pre(liars + honest > 0);
        const rules = new RangeRules(layout);
        const isHonest = new Map<string, boolean>();
        for (let i = 0; i < liars; i++) isHonest.set(`liar ${i}`, false);
        for (let i = 0; i < honest; i++) isHonest.set(`honest ${i}`, true);
        const able = new Set(isHonest.keys());
        for (let trial = 0; ; trial++) {
          const givers = FIRST.map((id) => {
            const allowed = [...able].filter((origin) => may(rules, id, origin));
            return allowed[(seed[id] ?? 0) % allowed.length] as string;
          });
          const isResumed = resumed && trial === 0;
          if (!isResumed) for (const id of FIRST) rules.gave(id, givers[id] as string);
          if (!isResumed && givers.every((origin) => isHonest.get(origin))) return;
          const { culprit, isHopeless } = rules.wrong(0, FIRST, able);
          if (culprit !== undefined) expect(isHonest.get(culprit)).toBe(false);
          if (isHopeless) {
            expect(honest).toBe(0);
            return;
          }
        }
      }),
    );
  });
});
