import { describe, expect, it } from '@jest/globals';
import { VirtualClock } from '../../../../test/support/virtual-clock.ts';
import { Neighbourhood } from '../../src/node/links/neighbourhood.ts';

function scene() {
  const clock = new VirtualClock();
  let wanted: readonly string[] = [];
  const member = (key: string) => ({ key, name: key, scopes: [], joinedAt: new Date(0) });
  const hood = new Neighbourhood({
    ...{ wallMs: () => clock.nowMs(), isLinked: () => false },
    ...{
      view: {
        aliveAtMs: () => undefined,
        scopesOf: () => [],
        members: () => ['self', 'ben', 'cleo', 'dora'].map(member),
      },
      ownKey: 'self',
      contacts: [],
      clock,
    },
    ...{ sessions: { lanHint: (key) => `hint ${key}` }, addresses: { recognise: () => {} }, random: () => 0.5 },
    urlsOf: () => ['ws://signal.example'],
    want: (keys) => {
      wanted = keys;
    },
  });
  const refuse = (key: string): boolean => {
    hood.failed(key, false);
    return hood.rest();
  };
  const look = (): readonly string[] => {
    hood.look();
    return [...wanted].sort();
  };
  return { clock, hood, refuse, look };
}

describe('a node that members do not let in', () => {
  it('keeps its connections while one of them does: the others may be behind, or lie', () => {
    const { hood, refuse, look } = scene();
    look();
    hood.reached('ben');
    expect([refuse('cleo'), refuse('dora')]).toEqual([false, false]);
    expect(look()).toContain('ben');
  });

  it('leaves all of them alone once the last one has refused it, and asks again later', async () => {
    const { clock, hood, refuse, look } = scene();
    look();
    for (const key of ['ben', 'cleo']) hood.reached(key);
    expect([refuse('ben'), refuse('cleo')]).toEqual([false, true]);
    expect(look()).toEqual([]);
    await clock.advance(5 * 60_000);
    expect(look()).not.toEqual([]);
  });
});
