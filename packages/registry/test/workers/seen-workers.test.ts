import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { Alias, Digest, ModelEntry } from '@model-rtc/protocol';
import { rejection } from '../../../../test/support/rejection.ts';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import type { KnownWorker, Registry } from '../../src/index.ts';
import { entryOf, installFiles, manifestOf } from '../helpers/models.ts';
import { openTestRegistry, warningLog } from '../helpers/registry.ts';

const LAB: KnownWorker = { key: 'aa'.repeat(32), name: 'lab' };
const CLOUD: KnownWorker = { key: 'bb'.repeat(32), name: 'cloud' };

function model(content: string, more: Partial<ModelEntry> = {}): ModelEntry & { digest: Digest } {
  return entryOf(manifestOf({ 'best.ckpt': content }), more) as ModelEntry & { digest: Digest };
}

function clockFrom(...times: string[]): () => Date {
  return () => new Date(`2026-01-0${times.length > 1 ? times.shift() : times[0]}T00:00:00Z`);
}

const idsOf = (entries: readonly ModelEntry[]): string[] => entries.map(({ id }) => id);

describe('what a worker was seen to have', () => {
  it('is forgotten with all its models, and only once', async () => {
    const registry = await openTestRegistry();
    await registry.recordWorker(LAB, [model('a')]);
    await registry.recordWorker(CLOUD, [model('b')]);
    expect(await registry.forgetWorker(LAB.key)).toBe(true);
    expect(await registry.forgetWorker(LAB.key)).toBe(false);
    expect((await registry.seenWorkers()).map(({ name }) => name)).toEqual(['cloud']);
    expect((await registry.listKnown({ location: 'all', filters: {}, sort: 'date' })).models).toHaveLength(1);
  });

  it('says what is new, changed and gone since the last time', async () => {
    const registry = await openTestRegistry();
    const [a, b, c] = [model('a'), model('b', { notes: 'old' }), model('c')];
    const first = await registry.recordWorker(LAB, [a, b]);
    expect(idsOf(first.added)).toEqual([a.id, b.id]);
    const second = await registry.recordWorker(LAB, [{ ...b, notes: 'new' }, c]);
    expect(idsOf(second.added)).toEqual([c.id]);
    expect(idsOf(second.updated)).toEqual([b.id]);
    expect(idsOf(second.removed)).toEqual([a.id]);
    const third = await registry.recordWorker(LAB, [c, { ...b, notes: 'new' }]);
    expect([third.added, third.updated, third.removed]).toEqual([[], [], []]);
  });

  it('names the models that both sides call differently', async () => {
    const registry = await openTestRegistry();
    const same = await installFiles(registry, { 'best.ckpt': 'same' }, { alias: 'same' as Alias });
    const other = await installFiles(registry, { 'best.ckpt': 'other' }, { alias: 'mine' as Alias });
    const unnamed = await installFiles(registry, { 'best.ckpt': 'unnamed' });
    const { aliasDifferences } = await registry.recordWorker(LAB, [
      model('same', { alias: 'same' as Alias }),
      model('other', { alias: 'yours' as Alias }),
      model('unnamed', { alias: 'named' as Alias }),
      model('elsewhere', { alias: 'elsewhere' as Alias }),
    ]);
    expect(aliasDifferences).toEqual([
      { digest: other.digest, id: other.id, here: 'mine', there: 'yours' },
      { digest: unnamed.digest, id: unnamed.id, here: undefined, there: 'named' },
    ]);
    expect(same.alias).toBe('same');
  });

  it('keeps, of what is seen in part, the rest as it was', async () => {
    const registry = await openTestRegistry({ now: clockFrom('1', '2') });
    const [a, b] = [model('a'), model('b')];
    await registry.recordWorker(LAB, [a, b]);
    await registry.recordSeen({ ...LAB, name: 'lab-2' }, [{ ...b, alias: 'named' as Alias }]);
    const lab = await registry.seenWorker(LAB.key);
    expect(lab).toMatchObject({
      name: 'lab-2',
      syncedAt: '2026-01-01T00:00:00.000Z',
      seenAt: '2026-01-02T00:00:00.000Z',
    });
    expect(lab?.models.map(({ entry, seenAt }) => [entry.id, entry.alias, seenAt.slice(0, 10)])).toEqual([
      [b.id, 'named', '2026-01-02'],
      [a.id, undefined, '2026-01-01'],
    ]);
  });

  it('was never synced when only some of its models were seen', async () => {
    const registry = await openTestRegistry();
    await registry.recordSeen(LAB, [model('a')]);
    expect((await registry.seenWorker(LAB.key))?.syncedAt).toBeUndefined();
    expect(await registry.seenWorker(CLOUD.key)).toBeUndefined();
  });

  it('holds a run in training by its id', async () => {
    const registry = await openTestRegistry();
    const { digest: _, ...run } = model('run', { id: 'run-7', status: 'training' });
    await registry.recordWorker(LAB, [run]);
    const { updated, added } = await registry.recordWorker(LAB, [{ ...run, metrics: { epoch: 3 } }]);
    expect([idsOf(added), idsOf(updated)]).toEqual([[], ['run-7']]);
  });

  it('is the same for every process, and after a restart', async () => {
    const home = await temporaryFolder();
    const writer = await openTestRegistry({ home });
    const reader = await openTestRegistry({ home });
    const a = model('a');
    expect(await reader.seenWorkers()).toEqual([]);
    await writer.recordSeen(LAB, [a]);
    expect(await reader.availability(a.digest)).toMatchObject([{ key: LAB.key, name: 'lab' }]);
    await writer.recordWorker(LAB, []);
    expect(await reader.availability(a.digest)).toEqual([]);
  });

  it('loses nothing that is recorded at the same time', async () => {
    const home = await temporaryFolder();
    const registries = await Promise.all([openTestRegistry({ home }), openTestRegistry({ home })]);
    const models = Array.from({ length: 20 }, (_, i) => model(`model ${i}`));
    await Promise.all(models.map((entry, i) => registries[i % 2]?.recordSeen(LAB, [entry])));
    const known = (await registries[0].seenWorker(LAB.key))?.models.map(({ entry }) => entry.id);
    expect(known?.sort()).toEqual(idsOf(models).sort());
  });
});

describe('availability', () => {
  it('lists the workers that have a model, the latest sighting first, with its alias there', async () => {
    const registry = await openTestRegistry({ now: clockFrom('1', '2') });
    const a = model('a');
    await registry.recordWorker(LAB, [a, model('b')]);
    await registry.recordWorker(CLOUD, [{ ...a, alias: 'there' as Alias }]);
    expect(await registry.availability(a.digest)).toEqual([
      { ...CLOUD, seenAt: '2026-01-02T00:00:00.000Z', alias: 'there' },
      { ...LAB, seenAt: '2026-01-01T00:00:00.000Z', alias: undefined },
    ]);
    expect(await registry.availability(model('none').digest)).toEqual([]);
    expect((await registry.seenWorkers()).map(({ name }) => name)).toEqual(['cloud', 'lab']);
  });
});

describe('what a worker has, on the disk', () => {
  it('has one model a line, and nothing else lies beside it', async () => {
    const registry = await openTestRegistry();
    await registry.recordWorker(LAB, [model('a'), model('b')]);
    expect(await readdir(registry.paths.workers)).toEqual([`${LAB.key}.json`]);
    const text = await readFile(join(registry.paths.workers, `${LAB.key}.json`), 'utf8');
    expect(text.split('\n')).toHaveLength(5);
    expect(JSON.parse(text)).toMatchObject({ version: 1, key: LAB.key, name: 'lab' });
  });

  it.each([
    ['is cut short', (text: string) => text.slice(0, -20)],
    ['is of another worker', (text: string) => text.replaceAll('aa', 'cc')],
    ['is of another version', (text: string) => text.replace('"version":1', '"version":2')],
  ])('counts as none when it %s, and is made again', async (_, damage) => {
    const log = warningLog();
    const registry = await openTestRegistry({ log });
    const [a, b] = [model('a'), model('b')];
    await registry.recordWorker(LAB, [a]);
    const path = join(registry.paths.workers, `${LAB.key}.json`);
    await writeFile(path, damage(await readFile(path, 'utf8')));
    expect(await registry.seenWorkers()).toEqual([]);
    expect(log.warnings).toEqual([expect.stringMatching(/cannot be read/)]);
    expect(idsOf((await registry.recordWorker(LAB, [a, b])).added)).toEqual([a.id, b.id]);
    expect((await registry.seenWorker(LAB.key))?.models).toHaveLength(2);
  });

  it('leaves out models that are none, and keeps the others', async () => {
    const registry = await openTestRegistry();
    const [a, b] = [model('a'), model('b')];
    await registry.recordWorker(LAB, [a, b]);
    const path = join(registry.paths.workers, `${LAB.key}.json`);
    await writeFile(path, (await readFile(path, 'utf8')).replace(`"id":"${a.id}"`, '"id":"../../etc"'));
    expect((await registry.seenWorker(LAB.key))?.models.map(({ entry }) => entry.id)).toEqual([b.id]);
    expect(await registry.availability(a.digest)).toEqual([]);
  });

  it('passes over files that are none of its own', async () => {
    const registry = await openTestRegistry();
    await mkdir(registry.paths.workers, { recursive: true });
    await writeFile(join(registry.paths.workers, 'README.json'), 'hello');
    await writeFile(join(registry.paths.workers, `${LAB.key}.json.12-ab.tmp`), '{');
    expect(await registry.seenWorkers()).toEqual([]);
  });

  it('keeps of an entry out of all proportion what a list shows', async () => {
    const registry = await openTestRegistry();
    const metrics = Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`metric-${i}`, i]));
    const huge = model('huge', { metrics, notes: 'n'.repeat(60_000), alias: 'huge' as Alias });
    await registry.recordWorker(LAB, [huge]);
    expect((await registry.seenWorker(LAB.key))?.models[0]?.entry).toMatchObject({ alias: 'huge', metrics: {} });
    const again = await registry.recordWorker(LAB, [huge]);
    expect(again.updated).toEqual([]);
  });

  it('is never written outside its folder', async () => {
    const registry = await openTestRegistry();
    for (const key of ['../escape', '', 'AA', 'a'.repeat(65)]) {
      const { code } = await rejection(registry.recordSeen({ key, name: 'evil' }, []));
      expect(code).toBe('bad_argument');
    }
  });

  it('takes a worker without a name, or with a long one', async () => {
    const registry = await openTestRegistry();
    await registry.recordSeen({ ...LAB, name: '' }, [model('a')]);
    await registry.recordSeen({ ...CLOUD, name: 'x'.repeat(9000) }, [model('b')]);
    const names = (await registry.seenWorkers()).map(({ name }) => name).sort();
    expect(names).toEqual([LAB.key.slice(0, 8), 'x'.repeat(256)]);
  });
});

describe('a machine that meets very many workers', () => {
  it('forgets those that it has not seen for the longest time', async () => {
    let minute = 0;
    const registry: Registry = await openTestRegistry({ now: () => new Date(Date.UTC(2026, 0, 1, 0, minute++)) });
    const key = (i: number): string => i.toString(16).padStart(8, '0');
    for (let i = 0; i < 258; i++) await registry.recordSeen({ key: key(i), name: `w${i}` }, []);
    const left = (await registry.seenWorkers()).map((worker) => worker.key);
    expect(left).toHaveLength(256);
    expect(left).not.toContain(key(0));
    expect(left).not.toContain(key(1));
  });
});
