import { describe, expect, it } from '@jest/globals';
import type { Alias, ModelEntry } from '@model-rtc/protocol';
import { importBytes, openLab, seededBytes, TOKEN } from './support/lab.ts';

const WORKER_KEY = Buffer.from(TOKEN.workerKey).toString('hex');

const idsOf = (entries: readonly ModelEntry[]): string[] => entries.map(({ id }) => id);

describe('a sync', () => {
  it('brings what is known of the worker up to date', async () => {
    const { client, here, there } = await openLab();
    const first = await importBytes(there, seededBytes(100, 1), { alias: 'first' });
    const started = await client.sync();
    expect(started).toMatchObject({ worker: { key: WORKER_KEY, name: 'gpu-box' }, total: 1, removed: [] });
    expect(idsOf(started.added)).toEqual([first.id]);
    const second = await importBytes(there, seededBytes(100, 2), { alias: 'second' });
    await there.tag(first.id, 'renamed' as Alias);
    const later = await client.sync();
    expect([idsOf(later.added), idsOf(later.updated)]).toEqual([[second.id], [first.id]]);
    expect(await here.availability(first.digest)).toMatchObject([{ key: WORKER_KEY, alias: 'renamed' }]);
  });

  it('tells what is gone, and what the two sides call differently', async () => {
    const { client, here, there } = await openLab();
    const bytes = seededBytes(100, 1);
    const { id } = await importBytes(here, bytes, { alias: 'mine' });
    await importBytes(there, bytes, { alias: 'theirs' });
    const gone = await importBytes(there, seededBytes(100, 2));
    expect((await client.sync()).aliasDifferences).toMatchObject([{ id, here: 'mine', there: 'theirs' }]);
    await there.remove(gone.id);
    const { removed, total } = await client.sync();
    expect([idsOf(removed), total]).toEqual([[gone.id], 1]);
  });

  it('changes nothing when the worker sends fewer models than it says that it has', async () => {
    let isShort = false;
    const { client, here, there } = await openLab({
      handlers: {
        list_models: async () => {
          const { models, total } = await there.list({ filters: {}, sort: 'name', limit: 200 });
          return { models: isShort ? [] : models, total };
        },
      },
    });
    const { digest } = await importBytes(there, seededBytes(100, 1));
    await client.sync();
    isShort = true;
    await expect(client.sync()).rejects.toMatchObject({ code: 'malformed_message', details: { count: 0, total: 1 } });
    expect(await here.availability(digest)).toHaveLength(1);
  });

  it('goes through all pages', async () => {
    let pages = 0;
    const lab = await openLab({
      handlers: {
        list_models: async (params) => {
          pages += 1;
          return await lab.there.list({ ...params, limit: 2 });
        },
      },
    });
    for (let i = 0; i < 5; i++) await importBytes(lab.there, seededBytes(10, i));
    expect((await lab.client.sync()).total).toBe(5);
    expect(pages).toBe(3);
    expect((await lab.here.seenWorker(WORKER_KEY))?.models).toHaveLength(5);
  });
});

describe('what other commands see of a worker', () => {
  it('is remembered of a list: of a whole one also what is gone, of a part that part', async () => {
    const { client, here, there } = await openLab();
    const a = await importBytes(there, seededBytes(100, 1), { alias: 'a' });
    const b = await importBytes(there, seededBytes(100, 2), { alias: 'b' });
    await client.listModels({ filters: { alias: 'a' } });
    expect((await here.seenWorker(WORKER_KEY))?.syncedAt).toBeUndefined();
    expect(await here.availability(b.digest)).toEqual([]);
    await client.listModels();
    expect(await here.availability(b.digest)).toHaveLength(1);
    await there.remove(a.id);
    await client.listModels({ limit: 1 });
    expect(await here.availability(a.digest)).toEqual([]);
  });

  it('is remembered of model-info, a pull and a push', async () => {
    const { client, here, there } = await openLab();
    const asked = await importBytes(there, seededBytes(100, 1), { alias: 'asked' });
    const pulled = await importBytes(there, seededBytes(100, 2), { alias: 'pulled' });
    const pushed = await importBytes(here, seededBytes(100, 3), { alias: 'pushed' });
    await client.modelInfo('asked');
    await client.pullModel('pulled');
    await client.pushModel('pushed');
    for (const { digest } of [asked, pulled, pushed]) {
      expect(await here.availability(digest)).toMatchObject([{ key: WORKER_KEY, name: 'gpu-box' }]);
    }
  });

  it('fails no command when it cannot be kept', async () => {
    const warned: string[] = [];
    const log = { debug() {}, info() {}, warn: (_: unknown, message: string) => void warned.push(message) };
    const { client, here, there } = await openLab({ connect: { log } });
    await importBytes(there, seededBytes(100, 1), { alias: 'pulled' });
    here.recordSeen = async () => {
      throw new Error('the disk is full');
    };
    expect((await client.pullModel('pulled')).outcome).toBe('pulled');
    expect(warned).toEqual([expect.stringMatching(/could not be kept/)]);
  });
});

describe('the files of a model at the worker', () => {
  it('are told by its manifest, which is checked', async () => {
    const { client, there } = await openLab();
    const { digest } = await importBytes(there, seededBytes(100, 1));
    expect((await client.manifest(digest)).files).toMatchObject([{ path: 'weights.pt', size: 100 }]);
  });
});
