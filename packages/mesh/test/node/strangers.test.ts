import { describe, expect, it } from '@jest/globals';
import { VirtualClock } from '../../../../test/support/virtual-clock.ts';
import { Strangers } from '../../src/node/links/strangers.ts';

const MINUTE_MS = 60_000;
/** Longer than what other members say of a node may take to come. */
const SETTLED_MS = 10_000;

function scene({ contacts = [] as string[] } = {}) {
  const clock = new VirtualClock();
  const members = new Set<string>();
  const isMember = (key: string) => members.has(key);
  const strangers = new Strangers({ contacts: contacts.map((key) => ({ key })), isMember, clock });
  const turn = () => strangers.turn(() => true);
  return { clock, members, strangers, turn };
}

describe('nodes that are not known as members', () => {
  it('have their turn one at a time, and those that the invite named as well', async () => {
    const { clock, strangers, turn } = scene({ contacts: ['anna'] });
    strangers.heard('ben', '10.0.0.2');
    expect(turn()).toBeUndefined();
    await clock.advance(SETTLED_MS);
    expect(turn()).toBe('anna');
    expect(turn()).toBe('anna');
    strangers.failed('anna');
    expect(turn()).toBe('ben');
    strangers.failed('ben');
    expect(turn()).toBeUndefined();
  });

  it('are not visited when other members tell of them meanwhile, or they say goodbye', async () => {
    const { clock, members, strangers, turn } = scene();
    strangers.heard('ben', '10.0.0.2');
    strangers.heard('cleo', '10.0.0.3');
    members.add('ben');
    strangers.left('cleo');
    await clock.advance(SETTLED_MS);
    expect(turn()).toBeUndefined();
  });

  it('keep their turn until there is a connection, though they are members by then', async () => {
    const { clock, members, strangers, turn } = scene();
    strangers.heard('ben', '10.0.0.2');
    await clock.advance(SETTLED_MS);
    expect(turn()).toBe('ben');
    members.add('ben');
    expect(turn()).toBe('ben');
    strangers.reached('ben');
    expect(turn()).toBeUndefined();
  });

  it('are tried ever more rarely where they do not answer', async () => {
    const { clock, strangers, turn } = scene();
    strangers.heard('removed', '10.0.0.2');
    let turns = 0;
    for (let minute = 0; minute < 120; minute++) {
      await clock.advance(MINUTE_MS);
      if (turn() === undefined) continue;
      turns += 1;
      strangers.failed('removed');
    }
    expect(turns).toBeGreaterThan(4);
    expect(turns).toBeLessThan(10);
  });

  it('are few, and one address that makes up a thousand takes no place of others', () => {
    const { strangers } = scene({ contacts: ['anna'] });
    strangers.heard('ben', '10.0.0.2');
    for (let number = 0; number < 1_000; number++) strangers.heard(`made-up-${number}`, '10.0.0.66');
    expect(strangers.all()).toHaveLength(18);
    expect(strangers.all()).toEqual(expect.arrayContaining(['anna', 'ben', 'made-up-999']));
    for (let number = 0; number < 1_000; number++) strangers.heard(`other-${number}`, `10.0.1.${number}`);
    expect(strangers.all()).toHaveLength(65);
    expect(strangers.all()).toContain('anna');
  });
});
