import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../../../../../test/support/runs.ts';
import { temporaryFolder } from '../../../../../test/support/temporary-folder.ts';
import {
  addPrefetchRule,
  createMesh,
  joinedMeshes,
  parseBetween,
  parseDays,
  prefetchRules,
  removePrefetchRule,
  wantsModel,
} from '../../../src/index.ts';
import type { JoinedMesh } from '../../../src/node/state/mesh-folders.ts';
import { matchesPattern } from '../../../src/policy/prefetch/pattern.ts';
import { model, rule } from '../../support/prefetch.ts';

describe('a prefetch rule', () => {
  it.each([
    [{ type: 'GGUF' }, true],
    [{ type: 'flax' }, false],
    [{ tag: 'mouse' }, true],
    [{ tag: 'Mouse' }, false],
    [{ name: 'acme/*' }, true],
    [{ name: '*TINY*' }, true],
    [{ name: 'tiny-v?' }, true],
    [{ name: 'tiny' }, false],
    [{ minBytes: 1000 }, true],
    [{ minBytes: 1001 }, false],
    [{ maxBytes: 1000 }, true],
    [{ maxBytes: 999 }, false],
    [{ type: 'gguf', tag: 'mouse', maxBytes: 1000 }, true],
    [{ type: 'gguf', tag: 'rat' }, false],
  ])('%j wants the model: %s', (fields, isWanted) => {
    const tiny = model({ names: ['acme/tiny', 'tiny-v1'], type: 'gguf', tags: ['mouse'], sizeBytes: 1000 });
    expect(wantsModel(rule(fields), tiny)).toBe(isWanted);
  });

  it('reads patterns as regular expressions would, and long hostile names quickly', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'A', '/'), maxLength: 8 });
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?', '/'), maxLength: 6 });
    fc.assert(
      fc.property(pattern, text, (wanted, given) => {
        const expected = new RegExp(`^${wanted.replaceAll('*', '.*').replaceAll('?', '.')}$`, 'is').test(given);
        expect(matchesPattern(wanted, given)).toBe(expected);
      }),
      { numRuns: runs(500) },
    );
    expect(matchesPattern('*a'.repeat(128), 'a'.repeat(255))).toBe(true);
    expect(matchesPattern(`${'*a'.repeat(127)}b`, 'a'.repeat(255))).toBe(false);
  });

  it.each([
    ['22:00-06:00', '22:00-06:00'],
    ['8:00-17:30', '08:00-17:30'],
    ['0:00-24:00', '00:00-24:00'],
  ])('takes the times %s', (given, expected) => {
    expect(parseBetween(given)).toBe(expected);
  });

  it.each(['', '22:00', '22-06', '25:00-06:00', '22:60-06:00', '06:00-06:00', '24:00-06:00', 'a-b', '1:00-2:00-3:00'])(
    'refuses the times "%s"',
    (given) => {
      expect(() => parseBetween(given)).toThrow(/is not a time of day/);
    },
  );

  it.each([
    ['mon-fri', 'mon tue wed thu fri'],
    ['sat,sun', 'sun sat'],
    ['fri-mon', 'sun mon fri sat'],
    ['Monday, WED', 'mon wed'],
    ['tue', 'tue'],
  ])('takes the days %s', (given, expected) => {
    expect(parseDays(given).join(' ')).toBe(expected);
  });

  it.each(['', 'fry', 'mon-', '-', 'mon-tue-wed', 'mon,,tue', 'm'])('refuses the days "%s"', (given) => {
    expect(() => parseDays(given)).toThrow(/names no days/);
  });
});

describe('the prefetch rules of a mesh', () => {
  async function lab() {
    const root = await temporaryFolder();
    await createMesh({ root, name: 'lab', nodeName: 'anna', signalingUrls: [] });
    const [{ folder }] = (await joinedMeshes(root)) as [JoinedMesh];
    return { options: { root, mesh: 'lab' }, folder };
  }
  const WANTED = { tag: 'mouse', priority: 'low', maxModels: 100 } as const;

  it('are kept in a file that a person can read, and removed by the start of their id', async () => {
    const { options } = await lab();
    const { rule: added } = await addPrefetchRule(options, WANTED);
    expect(await prefetchRules(options)).toMatchObject([{ mesh: 'lab', rule: { id: added.id, tag: 'mouse' } }]);
    expect(await removePrefetchRule(options, added.id.slice(0, 3))).toEqual(added);
    expect(await prefetchRules(options)).toEqual([]);
    await expect(removePrefetchRule(options, added.id)).rejects.toMatchObject({ code: 'not_found_locally' });
    await expect(removePrefetchRule(options, '')).rejects.toMatchObject({ code: 'not_found_locally' });
  });

  it('are bounded, and none is there twice', async () => {
    const { options } = await lab();
    for (let i = 0; i < 32; i++) await addPrefetchRule(options, { ...WANTED, tag: `tag ${i}` });
    await expect(addPrefetchRule(options, { ...WANTED, tag: 'another' })).rejects.toThrow(
      /has 32 prefetch rules already/,
    );
    const ids = new Set((await prefetchRules(options)).map(({ rule: { id } }) => id));
    expect(ids.size).toBe(32);
    await removePrefetchRule(options, [...ids][0] as string);
    await expect(addPrefetchRule(options, { ...WANTED, tag: 'tag 7' })).rejects.toThrow(/says the same/);
  });

  it('begin anew when a person broke the file, which is kept', async () => {
    const { options, folder } = await lab();
    await addPrefetchRule(options, WANTED);
    await writeFile(join(folder, 'prefetch.json'), '{"rules":[{"id":"../x","maxBytes":-1}]}');
    expect(await prefetchRules(options)).toEqual([]);
    await expect(addPrefetchRule({ ...options, mesh: 'other' }, WANTED)).rejects.toMatchObject({
      code: 'not_found_locally',
    });
  });
});
