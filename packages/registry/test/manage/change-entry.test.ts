import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { Alias } from '@model-rtc/protocol';
import { rejection } from '../../../../test/support/rejection.ts';
import { openRegistry, tagProblem } from '../../src/index.ts';
import { installFiles } from '../helpers/models.ts';
import { openTestRegistry } from '../helpers/registry.ts';

describe('changing what is said of a model', () => {
  it('replaces and removes the notes, and outlives the process', async () => {
    const registry = await openTestRegistry();
    const { id } = await installFiles(registry, { a: '1' }, { alias: 'mouse' as Alias });
    expect((await registry.update('mouse', { notes: 'trained on cage 4' })).notes).toBe('trained on cage 4');
    await using again = await openRegistry({ home: registry.paths.root });
    expect((await again.resolve(id)).entry.notes).toBe('trained on cage 4');
    expect((await registry.update(id, { notes: '' })).notes).toBeUndefined();
    expect((await again.resolve(id)).entry.notes).toBeUndefined();
  });

  it('adds, removes and clears tags, each only once, and adds last', async () => {
    const registry = await openTestRegistry();
    const { id } = await installFiles(registry, { a: '1' }, { entry: { tags: ['old'] } });
    expect((await registry.update(id, { addTags: ['a', 'b', 'a'] })).tags).toEqual(['old', 'a', 'b']);
    expect((await registry.update(id, { removeTags: ['old', 'none'], addTags: ['b'] })).tags).toEqual(['a', 'b']);
    expect((await registry.update(id, { clearTags: true, addTags: ['c'] })).tags).toEqual(['c']);
    expect((await registry.update(id, { clearTags: true })).tags).toEqual([]);
  });

  it('is noted in the model’s folder too, so that a lost index does not lose it', async () => {
    const registry = await openTestRegistry();
    const { localPath } = await installFiles(registry, { a: '1' });
    await registry.update(localPath, { notes: 'kept', addTags: ['good'] });
    const note = JSON.parse(await readFile(join(localPath, '.model-rtc/entry.json'), 'utf8'));
    expect(note.entry).toMatchObject({ notes: 'kept', tags: ['good'] });
  });

  it('refuses what is no tag, too many of them, and endless notes, and changes nothing then', async () => {
    const registry = await openTestRegistry();
    const { id } = await installFiles(registry, { a: '1' }, { entry: { tags: ['kept'] } });
    const many = Array.from({ length: 64 }, (_, i) => `tag${i}`);
    for (const changes of [
      { addTags: [''] },
      { addTags: ['fine', 'x'.repeat(65)] },
      { addTags: [' padded'] },
      { addTags: ['two words'] },
      { addTags: ['esc\u001b[31m'] },
      { addTags: many },
      { notes: 'n'.repeat(1001) },
    ]) {
      expect((await rejection(registry.update(id, changes))).code).toBe('bad_argument');
    }
    expect((await registry.resolve(id)).entry.tags).toEqual(['kept']);
    expect((await rejection(registry.update('nobody', {}))).code).toBe('not_found_locally');
    expect(['v2', 'Mäuse_2026', '30-Hz'].map(tagProblem)).toEqual([undefined, undefined, undefined]);
  });

  it('removes tags and leaves notes that an earlier version, or another machine, allowed', async () => {
    const registry = await openTestRegistry();
    const notes = 'n'.repeat(20_000);
    const { id } = await installFiles(registry, { a: '1' }, { entry: { tags: ['two words', 'kept'], notes } });
    expect(await registry.update(id, { removeTags: ['two words'] })).toMatchObject({ tags: ['kept'], notes });
  });
});

describe('taking an alias away', () => {
  it('leaves the model without a name, and the name free for another', async () => {
    const registry = await openTestRegistry();
    const first = await installFiles(registry, { a: '1' }, { alias: 'mouse' as Alias });
    const second = await installFiles(registry, { a: '2' });
    expect(await registry.untag('mouse')).toMatchObject({ id: first.id, formerAliases: [{ alias: 'mouse' }] });
    expect((await registry.resolve(first.id)).entry.alias).toBeUndefined();
    expect((await registry.tag(second.id, 'mouse' as Alias)).alias).toBe('mouse');
  });

  it('asks for an alias that is there, and suggests the closest', async () => {
    const registry = await openTestRegistry();
    const { id } = await installFiles(registry, { a: '1' }, { alias: 'mouse' as Alias });
    for (const wrong of ['mose', id]) {
      expect((await rejection(registry.untag(wrong))).code).toBe('not_found_locally');
    }
    expect((await rejection(registry.untag('mose'))).message).toContain('"mouse"');
  });
});

describe('an alias that breaks a rule', () => {
  it.each([
    ['no spaces', 'no-spaces'],
    ['-dash', 'dash'],
    ['latest', 'latest-model'],
    ['deadbeef', 'deadbeef-model'],
    ['x'.repeat(65), 'x'.repeat(58)],
    ['', 'model'],
  ])('%s is refused by tag, import and install alike, with its rule and a valid one', async (text, suggestion) => {
    const registry = await openTestRegistry();
    const { id, localPath } = await installFiles(registry, { a: '1' });
    const alias = text as Alias;
    for (const refused of [
      registry.tag(id, alias),
      registry.importModel(localPath, { alias }),
      installFiles(registry, { a: '2' }, { alias }),
      registry.rollback(text),
    ]) {
      expect(await rejection(refused)).toMatchObject({ code: 'bad_argument', details: { suggestion } });
    }
    expect((await registry.tag(id, suggestion as Alias)).alias).toBe(suggestion);
  });
});
