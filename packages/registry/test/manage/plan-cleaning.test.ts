import { describe, expect, it } from '@jest/globals';
import type { Alias, Digest } from '@model-rtc/protocol';
import type { CleanPlan, Registry } from '../../src/index.ts';
import { installFiles, manifestOf, sha256 } from '../helpers/models.ts';
import { openTestRegistry } from '../helpers/registry.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const MOUSE = 'mouse' as Alias;

/** A registry at a date that the test moves. */
async function openAtDate() {
  const time = { now: Date.UTC(2026, 0, 1) };
  const registry = await openTestRegistry({ now: () => new Date(time.now) });
  return { registry, time };
}

/** Three versions of "mouse", each ten days after the one before. */
async function threeVersions() {
  const { registry, time } = await openAtDate();
  const ids: string[] = [];
  for (let version = 0; version < 3; version++) {
    const { id } = await installFiles(registry, { weights: `version ${version}`.repeat(100) });
    await registry.tag(id, MOUSE, { overwrite: true });
    ids.push(id);
    time.now += 10 * DAY_MS;
  }
  return { registry, time, ids: ids as [string, string, string] };
}

function removed(plan: CleanPlan): string[] {
  return plan.remove.map(({ entry }) => entry.id);
}

async function addUnnamed(registry: Registry, content: string, entry = {}): Promise<string> {
  return (await installFiles(registry, { weights: content }, { entry })).id;
}

describe('a plan for cleaning', () => {
  it('has the versions that an alias left behind, the last one first, and what each frees', async () => {
    const { registry, ids } = await threeVersions();
    await addUnnamed(registry, 'never named');
    const plan = await registry.planCleaning();
    expect(removed(plan)).toEqual([ids[1], ids[0]]);
    expect(plan.remove[0]?.reason).toContain(`went to ${ids[2]}`);
    for (const { freesBytes } of plan.remove) expect(freesBytes).toBeGreaterThan(900);
    expect(plan.spared).toEqual([]);
  });

  it('changes nothing', async () => {
    const { registry, ids } = await threeVersions();
    await registry.planCleaning({ unused: true });
    for (const id of ids) expect((await registry.resolve(id)).entry.displayStatus).toBe('completed');
  });

  it('keeps as many of the newest former versions as it is told, of each alias', async () => {
    const { registry, ids } = await threeVersions();
    const rat = await installFiles(registry, { a: 'rat' }, { alias: 'rat' as Alias });
    await registry.untag('rat');
    const plan = await registry.planCleaning({ keep: 1 });
    expect(removed(plan)).toEqual([ids[0]]);
    expect(plan.spared.map(({ entry }) => entry.id).sort()).toEqual([ids[1], rat.id].sort());
    expect(removed(await registry.planCleaning({ keep: 2 }))).toEqual([]);
  });

  it('keeps what lost its alias less long ago than it is told', async () => {
    const { registry, ids } = await threeVersions();
    // The first lost it 20 days ago, the second 10.
    expect(removed(await registry.planCleaning({ olderThanMs: 15 * DAY_MS }))).toEqual([ids[0]]);
    expect(removed(await registry.planCleaning({ olderThanMs: 20 * DAY_MS }))).toEqual([ids[0]]);
    const plan = await registry.planCleaning({ olderThanMs: 21 * DAY_MS });
    expect(removed(plan)).toEqual([]);
    expect(plan.spared).toHaveLength(2);
  });

  it('spares a former version that was named anew, tagged or not', async () => {
    const { registry, ids } = await threeVersions();
    await registry.tag(ids[0], 'stable' as Alias);
    await registry.update(ids[1], { addTags: ['good'], notes: 'once the best' });
    expect(removed(await registry.planCleaning())).toEqual([ids[1]]);
  });

  it('says when other models were made from what would go', async () => {
    const { registry, ids } = await threeVersions();
    const { digest } = (await registry.resolve(ids[0])).entry;
    const entry = { lineage: { parents: [digest as string] } };
    await installFiles(registry, { a: 'child' }, { alias: 'child' as Alias, entry });
    const plan = await registry.planCleaning();
    expect(plan.remove.find((candidate) => candidate.entry.id === ids[0])?.reason).toContain(
      '1 model was made from it',
    );
  });

  it('with unused has what nobody named, tagged, noted or built upon, and nothing younger than told', async () => {
    const { registry, time } = await openAtDate();
    const base = await addUnnamed(registry, 'base');
    const { digest } = (await registry.resolve(base)).entry;
    const old = await addUnnamed(registry, 'old', { lineage: { parents: [digest] } });
    await addUnnamed(registry, 'tagged', { tags: ['good'] });
    await addUnnamed(registry, 'noted', { notes: 'good' });
    await addUnnamed(registry, 'titled', { name: 'The good one' });
    await installFiles(registry, { a: 'named' }, { alias: MOUSE });
    time.now += 40 * DAY_MS;
    const young = await addUnnamed(registry, 'young');
    expect(removed(await registry.planCleaning())).toEqual([]);
    expect(removed(await registry.planCleaning({ unused: true })).sort()).toEqual([old, young].sort());
    const plan = await registry.planCleaning({ unused: true, olderThanMs: 30 * DAY_MS });
    expect(removed(plan)).toEqual([old]);
    expect(plan.spared.map(({ entry }) => entry.id)).toEqual([young]);
  });

  it('leaves one of several copies of what an unfinished transfer needs', async () => {
    const { registry } = await openAtDate();
    const content = 'shared '.repeat(10);
    for (const name of ['one', 'two']) {
      await installFiles(registry, { [name]: content }, { alias: name as Alias });
      await registry.untag(name);
    }
    const digests = new Set<Digest>(manifestOf({ x: content }).chunks.map(({ digest }) => digest));
    const plan = await registry.planCleaning({ needed: [{ model: sha256('other'), digests }] });
    expect(plan.remove).toHaveLength(1);
    expect(plan.spared).toHaveLength(1);
    expect(plan.spared[0]?.reason).toContain('unfinished transfer');
    expect((await registry.planCleaning()).remove).toHaveLength(2);
  });

  it('shows the files that deleted models left, and does not count them in', async () => {
    const { registry } = await openAtDate();
    const { id } = await installFiles(registry, { a: 'x'.repeat(1000) });
    const { keptAt } = await registry.remove(id, { keepFiles: true });
    const plan = await registry.planCleaning({ unused: true });
    expect(plan).toMatchObject({ remove: [], spared: [], kept: [{ path: keptAt, bytes: expect.any(Number) }] });
    expect(plan.kept[0]?.bytes).toBeGreaterThan(1000);
  });

  it('does not show those that were imported again', async () => {
    const { registry } = await openAtDate();
    const { id } = await installFiles(registry, { a: 'x' });
    const { keptAt } = await registry.remove(id, { keepFiles: true });
    const { entry } = await registry.importModel(keptAt as string);
    expect((await registry.planCleaning()).kept).toEqual([]);
    await registry.remove(entry.id);
    expect((await registry.planCleaning()).kept).toHaveLength(1);
  });
});
