import { rm } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { type Alias, type AliasConflict, aliasProblem, modelEntrySchema } from '@model-rtc/protocol';
import fc from 'fast-check';
import { rejection } from '../../../../test/support/rejection.ts';
import { decideAlias } from '../../src/entry/aliases.ts';
import { makeIndex } from '../../src/entry/registry-index.ts';
import type { StoredEntry } from '../../src/entry/types.ts';
import { installFiles, sha256 } from '../helpers/models.ts';
import { openTestRegistry } from '../helpers/registry.ts';

const mouse = 'mouse' as Alias;

/** A registry in which a model has the alias "mouse". */
async function withOwner() {
  const registry = await openTestRegistry();
  return { registry, owner: await installFiles(registry, { a: '1' }, { alias: mouse }) };
}

describe('installing a model under a taken alias', () => {
  it('is refused with the owner and free aliases while nobody said what is to become of it', async () => {
    const { registry, owner } = await withOwner();
    expect(await rejection(installFiles(registry, { a: '2' }, { alias: mouse }))).toMatchObject({
      code: 'alias_taken',
      details: { owner: { id: owner.id }, suggestions: ['mouse-2', 'mouse-3', 'mouse-4'] },
    });
    expect((await registry.resolve('mouse')).entry.id).toBe(owner.id);
  });

  it.each([
    ['keep', undefined, 'mouse'],
    ['rename', 'mouse-2', 'mouse'],
    ['overwrite', 'mouse', undefined],
  ] as const)('with %s calls it %s, and the other one %s', async (aliasConflict, alias, ownersAlias) => {
    const { registry, owner } = await withOwner();
    const installed = await installFiles(registry, { a: '2' }, { alias: mouse, aliasConflict });
    expect(installed.alias).toBe(alias);
    expect((await registry.resolve(owner.id)).entry.alias).toBe(ownersAlias);
    await rm(registry.paths.registryFile);
    expect((await registry.resolve(owner.id)).entry.alias).toBe(ownersAlias);
    expect((await registry.resolve(installed.id)).entry.alias).toBe(alias);
  });

  it('remembers of the model that lost it what it was called', async () => {
    const { registry, owner } = await withOwner();
    await installFiles(registry, { a: '2' }, { alias: mouse, aliasConflict: 'overwrite' });
    expect((await registry.resolve(owner.id)).entry.formerAliases).toMatchObject([{ alias: 'mouse' }]);
  });

  it('that is the model’s own changes nothing, whatever was said', async () => {
    const { registry, owner } = await withOwner();
    for (const aliasConflict of ['keep', 'rename', 'overwrite'] as const) {
      const again = await installFiles(registry, { a: '1' }, { alias: mouse, aliasConflict, ifExists: 'overwrite' });
      expect(again).toMatchObject({ id: owner.id, alias: 'mouse', formerAliases: [] });
    }
  });
});

describe('tagging a model with a taken alias', () => {
  it.each([
    ['keep', 'rat', 'mouse'],
    ['rename', 'mouse-2', 'mouse'],
    ['overwrite', 'mouse', undefined],
  ] as const)('with %s calls it %s, and the other one %s', async (aliasConflict, alias, ownersAlias) => {
    const { registry, owner } = await withOwner();
    const other = await installFiles(registry, { a: '2' }, { alias: 'rat' as Alias });
    expect((await registry.tag(other.id, mouse, { aliasConflict })).alias).toBe(alias);
    expect((await registry.resolve(owner.id)).entry.alias).toBe(ownersAlias);
  });

  it('with rename does not count up when it is done again', async () => {
    const { registry } = await withOwner();
    const other = await installFiles(registry, { a: '2' });
    for (const _ of ['once', 'twice']) {
      expect((await registry.tag(other.id, mouse, { aliasConflict: 'rename' })).alias).toBe('mouse-2');
    }
  });
});

describe('however a conflict of aliases is decided', () => {
  const aliases = fc.constantFrom('mouse', 'mouse-2', 'mouse-3', 'rat', 'a'.repeat(64), `${'a'.repeat(62)}-2`);

  function stored(n: number, alias: string | undefined): StoredEntry {
    const digest = sha256(String(n));
    const entry = { id: digest.slice(0, 8), digest, modelType: 'x', source: 'hub', status: 'completed' };
    const parsed = modelEntrySchema.parse({ ...entry, size: 1, fileCount: 1, alias });
    return { ...parsed, folder: `x_${parsed.id}`, linked: false, formerAliases: [] };
  }

  it('every alias is valid and names one model', () => {
    const conflicts = fc.constantFrom<AliasConflict>('keep', 'rename', 'overwrite');
    fc.assert(
      fc.property(fc.uniqueArray(aliases, { minLength: 1 }), aliases, conflicts, (names, text, conflict) => {
        const models = names.map((name, n) => stored(n, name));
        const [self, ...others] = models as [StoredEntry, ...StoredEntry[]];
        const wanted = text as Alias;
        const decided = decideAlias(makeIndex(models), wanted, self.alias, conflict);
        const kept = others.filter((other) => other !== decided.formerOwner).map(({ alias }) => alias);
        expect(kept).not.toContain(decided.alias);
        expect(decided.alias === undefined ? undefined : aliasProblem(decided.alias)).toBeUndefined();
        if (conflict !== 'overwrite') expect(decided.formerOwner).toBeUndefined();
      }),
    );
  });
});
