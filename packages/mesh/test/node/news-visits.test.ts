import { describe, expect, it } from '@jest/globals';
import { VirtualClock } from '../../../../test/support/virtual-clock.ts';
import { NewsVisits } from '../../src/node/links/news-visits.ts';

function scene(reachable: readonly string[]) {
  const clock = new VirtualClock();
  const visited: { readonly key: string; readonly atMs: number }[] = [];
  const lastWord = new Map<string, number>();
  const news = new NewsVisits({
    ...{ clock, random: () => 0.5, reachable: () => [...reachable] },
    lastWordMs: (key) => lastWord.get(key) ?? Number.NEGATIVE_INFINITY,
    visit: async (key) => void visited.push({ key, atMs: clock.nowMs() }),
  });
  return { clock, visited, lastWord, news };
}

const names = (count: number) => Array.from({ length: count }, (_, i) => `node-${i}`);

describe('visits for news', () => {
  it('carry own news to five members at once, and what others said to three, a moment later', async () => {
    const own = scene(names(20));
    own.news.tell(undefined);
    await own.clock.advance(0);
    expect(own.visited).toHaveLength(5);
    const others = scene(names(20));
    others.news.tell('node-3');
    await others.clock.advance(0);
    expect(others.visited).toEqual([]);
    await others.clock.advance(2_000);
    expect(others.visited).toHaveLength(3);
    expect(others.visited.map(({ key }) => key)).not.toContain('node-3');
  });

  it('of many changes are one for each member every five seconds, the last after the last change', async () => {
    const { clock, visited, news } = scene(['ben']);
    for (let times = 0; times < 12; times++) {
      news.tell(undefined);
      await clock.advance(1_000);
    }
    await clock.advance(10_000);
    expect(visited.map(({ atMs }) => atMs)).toEqual([0, 5_000, 10_000, 15_000]);
  });

  it('leave out a member that came here meanwhile', async () => {
    const { clock, visited, lastWord, news } = scene(['ben', 'cleo']);
    news.tell('dora');
    lastWord.set('ben', clock.nowMs() + 1);
    await clock.advance(2_000);
    expect(visited.map(({ key }) => key)).toEqual(['cleo']);
  });

  it('are bounded, however much is new', async () => {
    const { clock, visited, news } = scene(names(5));
    for (let second = 0; second < 600; second++) {
      news.tell(undefined);
      await clock.advance(1_000);
    }
    expect(visited.length).toBeLessThanOrEqual(10 + 600 / 3);
    expect(visited.length).toBeGreaterThan(100);
  });

  it('end when the node closes', async () => {
    const { clock, visited, news } = scene(['ben']);
    news.tell('cleo');
    news.close();
    await clock.advance(10_000);
    expect([visited, clock.pending]).toEqual([[], 0]);
  });
});
