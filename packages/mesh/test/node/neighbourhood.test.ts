import { describe, expect, it } from '@jest/globals';
import { VirtualClock } from '../../../../test/support/virtual-clock.ts';
import { Neighbourhood } from '../../src/node/links/neighbourhood.ts';

/** @param members - those that are known as such; all when left out */
function scene(members?: readonly string[]) {
  const clock = new VirtualClock();
  let wanted: readonly string[] = [];
  const member = (key: string) => ({ key, name: key, scopes: [], joinedAt: new Date(0) });
  const hood = new Neighbourhood({
    ...{
      view: {
        members: () => ['self', 'ben', 'cleo'].map(member),
        aliveAtMs: () => undefined,
        scopesOf: (key: string) => (members?.includes(key) === false ? undefined : []),
      },
      ownKey: 'self',
    },
    ...{ contacts: [], clock, wallMs: () => clock.nowMs(), isLinked: () => false },
    ...{ sessions: { lanHint: (key) => `hint ${key}` }, addresses: { recognise: () => {} }, random: () => 0.5 },
    urlsOf: () => ['ws://signal.example'],
    want: (keys) => {
      wanted = keys;
    },
  });
  return { clock, hood, wanted: () => [...wanted].sort() };
}

describe('the holder of a meeting room', () => {
  it('is connected with besides the neighbours, though it is not known as a member', async () => {
    const { clock, hood, wanted } = scene();
    hood.met('dora');
    hood.look();
    expect(wanted()).toEqual(['ben', 'cleo', 'dora']);
    await clock.advance(11 * 60_000);
    hood.look();
    expect(wanted()).toEqual(['ben', 'cleo']);
  });

  it('is left alone when it does not answer, and not when only no connection comes up', () => {
    const { hood, wanted } = scene();
    for (const key of ['dora', 'emil']) hood.met(key);
    hood.failed('dora', true);
    hood.failed('emil', false);
    hood.look();
    expect(wanted()).toEqual(['ben', 'cleo', 'dora']);
  });

  it('is believed when it says that this node is no member, and a node that was only heard is not', () => {
    const { hood } = scene(['ben', 'cleo']);
    hood.heard('emil', { urls: ['ws://10.0.0.9:1'], isLeaving: false });
    hood.met('dora');
    expect(['ben', 'dora', 'emil'].map((key) => hood.counts(key))).toEqual([true, true, false]);
  });

  it('is one of four at most, however many are named', () => {
    const { hood, wanted } = scene();
    for (let number = 0; number < 50; number++) hood.met(`node-${number}`);
    hood.look();
    expect(wanted()).toHaveLength(6);
  });
});
