import { afterEach, describe, expect, it } from '@jest/globals';
import { type LabNode, NodeLab } from '../support/node-lab.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** Connected nodes have compared their clocks by then. */
const SOME_TIME_MS = 10_000;

let lab: NodeLab | undefined;
afterEach(async () => {
  await lab?.close();
  lab = undefined;
});

async function openLab(offsets: readonly number[]): Promise<readonly [LabNode, ...LabNode[]]> {
  lab = await NodeLab.open(offsets);
  await lab.pass(SOME_TIME_MS);
  return lab.nodes as [LabNode, ...LabNode[]];
}

/** What each node says of each: the same order in rows and columns. */
const problems = (nodes: readonly LabNode[]) => nodes.map(({ view }) => nodes.map(({ key }) => view.problemOf(key)));
const modelsKnown = (nodes: readonly LabNode[]) =>
  nodes.map(({ view }) => nodes.map(({ key }) => view.modelsOf(key).length));
const NOTHING = [undefined, undefined, undefined];
const ALL = [1, 1, 1];

describe('a node whose clock is wrong', () => {
  it.each([
    ['ahead', HOUR_MS, 'ahead of', [1, 1, 0]],
    ['behind', -HOUR_MS, 'behind', ALL],
  ])('is told so, and so are the others: an hour %s', async (_, offsetMs, words, known) => {
    const nodes = await openLab([0, 0, offsetMs]);
    const [first, second, wrong] = problems(nodes);
    for (const told of [first, second])
      expect(told).toEqual([
        undefined,
        undefined,
        expect.stringContaining(`Its clock is about 60 minutes ${words} this machine's`),
      ]);
    expect(wrong).toEqual([
      ...[undefined, undefined],
      expect.stringContaining(`This machine's clock is about 60 minutes ${words} those of most members`),
    ]);
    expect(wrong?.[2]).toContain('Set the clock that is wrong');
    expect(modelsKnown(nodes).slice(0, 2)).toEqual([known, known]);
  });

  it.each([HOUR_MS, -HOUR_MS])('is one like the others once it is set: by %i ms', async (offsetMs) => {
    const nodes = await openLab([0, 0, offsetMs]);
    const [, , wrong] = nodes as [LabNode, LabNode, LabNode];
    wrong.offsetMs = 0;
    await lab?.pass(20_000);
    expect(problems(nodes)).toEqual([NOTHING, NOTHING, NOTHING]);
    expect(modelsKnown(nodes)).toEqual([ALL, ALL, ALL]);
  });

  it('accuses nobody where there are two, which cannot know', async () => {
    const nodes = await openLab([0, HOUR_MS]);
    const [first, second] = problems(nodes);
    expect(first).toEqual([undefined, expect.stringContaining("ahead of this machine's")]);
    expect(second).toEqual([expect.stringContaining("behind this machine's"), undefined]);
  });

  it('may differ by a minute', async () => {
    const nodes = await openLab([0, MINUTE_MS, -MINUTE_MS]);
    expect(problems(nodes)).toEqual([NOTHING, NOTHING, NOTHING]);
    expect(modelsKnown(nodes)).toEqual([ALL, ALL, ALL]);
  });
});

describe('a clock that jumps by a day while its node runs', () => {
  it.each([DAY_MS, -DAY_MS])('is named, and nothing is left of it when it is set again: by %i ms', async (jumpMs) => {
    const nodes = await openLab([0, 0, 0]);
    const [, , wrong] = nodes as [LabNode, LabNode, LabNode];
    expect(problems(nodes)).toEqual([NOTHING, NOTHING, NOTHING]);
    wrong.offsetMs = jumpMs;
    await lab?.pass(20_000);
    const [first, , own] = problems(nodes);
    expect(first?.[2]).toMatch(/Its clock is about 24 hours (ahead of|behind) this machine's/);
    expect(own?.[2]).toContain("This machine's clock is about 24 hours");
    expect(modelsKnown(nodes)).toEqual([ALL, ALL, ALL]);
    await lab?.pass(MINUTE_MS);
    wrong.offsetMs = 0;
    await lab?.pass(20_000);
    expect(problems(nodes)).toEqual([NOTHING, NOTHING, NOTHING]);
    for (const { view } of nodes)
      expect((lab?.nowMs() ?? 0) - (view.aliveAtMs(wrong.key) ?? 0)).toBeLessThan(5 * MINUTE_MS);
    expect(modelsKnown(nodes)).toEqual([ALL, ALL, ALL]);
  });
});
