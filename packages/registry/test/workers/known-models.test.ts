import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { type Alias, listModelsParams, type ModelEntry } from '@model-rtc/protocol';
import type { KnownPage, KnownWorker, ListKnownParams, Registry } from '../../src/index.ts';
import { entryOf, installFiles, manifestOf } from '../helpers/models.ts';
import { openTestRegistry } from '../helpers/registry.ts';

const LAB: KnownWorker = { key: 'aa'.repeat(32), name: 'lab' };
const CLOUD: KnownWorker = { key: 'bb'.repeat(32), name: 'cloud' };

function model(content: string, more: Partial<ModelEntry> = {}): ModelEntry {
  return entryOf(manifestOf({ 'best.ckpt': content }), more);
}

let registry: Registry;

/** `mine` is here alone, `shared` here and at both workers, `theirs` at the lab alone. */
beforeEach(async () => {
  let day = 1;
  registry = await openTestRegistry({ now: () => new Date(Date.UTC(2026, 0, day++)) });
  await installFiles(registry, { 'best.ckpt': 'mine' }, { alias: 'mine' as Alias, entry: { tags: ['old'] } });
  await installFiles(registry, { 'best.ckpt': 'shared, longer' }, { alias: 'shared' as Alias });
  const shared = model('shared, longer', { alias: 'lab-name' as Alias });
  await registry.recordWorker(LAB, [shared, model('theirs', { alias: 'theirs' as Alias, modelType: 'gguf' })]);
  await registry.recordWorker(CLOUD, [{ ...shared, alias: undefined }]);
});

async function list(params: Partial<ListKnownParams> & { filters?: object }): Promise<KnownPage> {
  const { filters, sort } = listModelsParams.parse({ filters: params.filters, sort: params.sort ?? 'name' });
  return await registry.listKnown({ location: 'local', ...params, filters, sort });
}

function shape({ models }: KnownPage): unknown[] {
  return models.map(({ entry, here, availability }) => [
    entry.alias,
    here !== undefined,
    availability.map(({ name }) => name),
  ]);
}

describe('a list of what is known', () => {
  it('shows what is here, and where else it is', async () => {
    expect(shape(await list({ location: 'local' }))).toEqual([
      ['mine', true, []],
      ['shared', true, ['cloud', 'lab']],
    ]);
  });

  it('shows what workers have as the one that was seen last tells of it, once for all of them', async () => {
    expect(shape(await list({ location: 'worker' }))).toEqual([
      ['theirs', false, ['lab']],
      [undefined, true, ['cloud', 'lab']],
    ]);
  });

  it('shows what is on both sides, and what is anywhere', async () => {
    expect(shape(await list({ location: 'both' }))).toEqual([['shared', true, ['cloud', 'lab']]]);
    expect(shape(await list({ location: 'all' }))).toEqual([
      ['mine', true, []],
      ['shared', true, ['cloud', 'lab']],
      ['theirs', false, ['lab']],
    ]);
  });

  it('counts only the workers asked for', async () => {
    expect(shape(await list({ location: 'worker', workers: [CLOUD.key] }))).toEqual([[undefined, true, ['cloud']]]);
    expect(shape(await list({ location: 'local', workers: [LAB.key] }))).toEqual([['shared', true, ['lab']]]);
    expect(shape(await list({ location: 'both', workers: ['ff'.repeat(32)] }))).toEqual([]);
  });

  it('filters, sorts and limits both sides alike, and says how many match', async () => {
    expect(shape(await list({ location: 'all', filters: { type: 'gguf' } }))).toEqual([['theirs', false, ['lab']]]);
    expect(shape(await list({ location: 'all', filters: { alias: 'lab-*' } }))).toEqual([['lab-name', true, ['lab']]]);
    expect(shape(await list({ location: 'all', filters: { tag: 'old' } }))).toEqual([['mine', true, []]]);
    const largest = await list({ location: 'all', sort: 'size', limit: 1 });
    expect(shape(largest)).toEqual([['shared', true, ['cloud', 'lab']]]);
    expect(largest.total).toBe(3);
  });

  it('keeps runs of different workers apart though they have one id', async () => {
    const { digest: _, ...run } = model('run', { id: 'run-1', status: 'training' });
    await registry.recordSeen(LAB, [run]);
    await registry.recordSeen(CLOUD, [run]);
    const training = await list({ location: 'worker', filters: { status: 'training' } });
    expect(training.models.map(({ availability }) => availability.map(({ name }) => name))).toEqual([
      ['cloud'],
      ['lab'],
    ]);
  });
});

describe('a model elsewhere', () => {
  it('is found by its id, a worker’s alias for it, and the start of its digest', async () => {
    const { digest, id } = model('theirs');
    for (const ref of [id, 'theirs', id.toUpperCase(), String(digest).slice(0, 20)]) {
      expect((await registry.findElsewhere(ref)).map(({ entry }) => entry.id)).toEqual([id]);
    }
    expect((await registry.findElsewhere('lab-name')).map(({ entry }) => entry.id)).toEqual([
      model('shared, longer').id,
    ]);
    expect(await registry.findElsewhere(id.slice(0, 5))).toEqual([]);
    expect(await registry.findElsewhere('nobody')).toEqual([]);
  });
});

describe('a model that a worker has just told of', () => {
  it('is told with whether it is here, and who else has it', async () => {
    const rows = await registry.alsoKnown([model('shared, longer'), model('theirs'), model('news')]);
    expect(rows.map(({ here, availability }) => [here?.alias, availability.map(({ name }) => name)])).toEqual([
      ['shared', ['cloud', 'lab']],
      [undefined, ['lab']],
      [undefined, []],
    ]);
  });
});

describe('the status that is shown', () => {
  it('is what a list filters by, on every page', async () => {
    const lost: string[] = [];
    for (let i = 0; i < 5; i++) {
      const entry = await installFiles(registry, { 'a.ckpt': `${i}` }, { entry: { checkpointPath: 'a.ckpt' } });
      await rm(join(entry.localPath, 'a.ckpt'));
      lost.push(entry.id);
    }
    const filters = { status: 'checkpoint_missing' };
    const seen: string[] = [];
    for (let cursor: string | undefined, isFirst = true; isFirst || cursor !== undefined; isFirst = false) {
      const page = await registry.list(listModelsParams.parse({ filters, limit: 2, cursor }));
      expect(page.total).toBe(5);
      seen.push(...page.models.map(({ id }) => id));
      cursor = page.nextCursor;
    }
    expect(seen.sort()).toEqual(lost.sort());
    const whole = await registry.list(listModelsParams.parse({ filters: { status: 'completed' } }));
    expect(whole.models.map(({ alias }) => alias).sort()).toEqual(['mine', 'shared']);
  });

  it('is looked up anew when a list begins', async () => {
    const entry = await installFiles(registry, { 'a.ckpt': 'x' }, { entry: { checkpointPath: 'a.ckpt' } });
    const missing = listModelsParams.parse({ filters: { status: 'checkpoint_missing' } });
    expect((await registry.list(missing)).total).toBe(0);
    await rm(join(entry.localPath, 'a.ckpt'));
    expect((await registry.list(missing)).total).toBe(1);
  });
});
