import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type Alias, listModelsParams } from '@model-rtc/protocol';
import fc from 'fast-check';
import { openRegistry, type Registry } from '../../src/index.ts';
import { installFiles } from '../helpers/models.ts';

const ALIASES = ['mouse', 'rat'] as const;
const MODELS = 3;

const alias = fc.constantFrom(...ALIASES);
const model = fc.nat({ max: MODELS - 1 });
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('tag' as const), alias, model }) },
  fc.record({ do: fc.constant('untag' as const), alias }),
  { weight: 2, arbitrary: fc.record({ do: fc.constant('rollback' as const), alias }) },
  fc.record({ do: fc.constant('reopen' as const) }),
);

interface World {
  registry: Registry;
  /** Goes on at each look, so that no two changes are at one time. */
  readonly now: () => Date;
  readonly ids: readonly string[];
  /** Who has each alias, as the steps say. */
  readonly owners: Map<string, string>;
}

async function take(world: World, one: typeof step extends fc.Arbitrary<infer T> ? T : never): Promise<void> {
  const { registry, ids, owners } = world;
  if (one.do === 'tag') {
    const id = ids[one.model] as string;
    await registry.tag(id, one.alias as Alias, { overwrite: true });
    for (const [name, owner] of owners) if (owner === id) owners.delete(name);
    owners.set(one.alias, id);
  } else if (one.do === 'untag') {
    await registry.untag(one.alias).catch(() => undefined);
    owners.delete(one.alias);
  } else if (one.do === 'rollback') {
    await rollBackTwice(world, one.alias);
  } else {
    const { root: home } = registry.paths;
    await registry.close();
    // The folders alone must tell the same as the index.
    await rm(registry.paths.registryFile);
    world.registry = await openRegistry({ home, now: world.now });
  }
}

/** Goes back and forth, so that the owners are the same afterwards; where there is no way back nothing changes. */
async function rollBackTwice({ registry, owners }: World, name: string): Promise<void> {
  const before = owners.get(name);
  const back = await registry.rollback(name).catch(() => undefined);
  if (back === undefined) return;
  expect(back.from?.id).toBe(before);
  expect(back.entry.id).not.toBe(before);
  if (before === undefined) owners.set(name, back.entry.id);
  else expect((await registry.rollback(name)).entry.id).toBe(before);
}

async function requireRight({ registry, owners }: World): Promise<void> {
  const { models } = await registry.list(listModelsParams.parse({}));
  const named = models.flatMap(({ alias: name, id }) => (name === undefined ? [] : [[name, id] as const]));
  expect(new Map(named)).toEqual(owners);
  for (const name of ALIASES) {
    const history = await registry.history(name).catch(() => undefined);
    const open = (history?.records ?? []).filter(({ until }) => until === undefined);
    expect(open.map(({ entry }) => entry.id)).toEqual(owners.has(name) ? [owners.get(name)] : []);
    const ends = (history?.records ?? []).flatMap(({ until }) => until ?? []);
    expect(ends).toEqual([...ends].sort().reverse());
  }
}

describe('aliases that are given, taken and rolled back in any order', () => {
  it('have one owner each, the history says which, and a lost index says the same', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 10 }), async (steps) => {
        const home = await mkdtemp(join(tmpdir(), 'model-rtc-aliases-'));
        let seconds = 0;
        const now = () => new Date(++seconds * 1000);
        const world: World = { registry: await openRegistry({ home, now }), now, ids: [], owners: new Map() };
        try {
          const ids: string[] = [];
          for (let i = 0; i < MODELS; i++) ids.push((await installFiles(world.registry, { a: `${i}` })).id);
          Object.assign(world, { ids });
          for (const one of steps) await take(world, one);
          await requireRight(world);
        } finally {
          await world.registry.close();
          await rm(home, { recursive: true, force: true });
        }
      }),
      { numRuns: 12 },
    );
  }, 60_000);
});
