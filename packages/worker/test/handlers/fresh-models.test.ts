import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type Alias, type Digest, ModelRtcError, silentLog } from '@model-rtc/protocol';
import type { Registry } from '@model-rtc/registry';
import { createPartialModels } from '@model-rtc/transfer';
import type { Peer } from '@model-rtc/transport';
import { FreshModels } from '../../src/handlers/fresh-models.ts';
import { getModelInfo as infoFor } from '../../src/handlers/get-model-info.ts';
import type { HandlerContext } from '../../src/handlers/types.ts';
import { afterTest, failure, importLinked, openTestRegistry } from '../support/registry.ts';

function servicesOf(registry: Registry, fresh = new FreshModels(registry, silentLog)): HandlerContext {
  return { registry, fresh, log: silentLog, partials: createPartialModels(registry.paths.staging) };
}

/** What a client is told that has no further abilities. */
async function getModelInfo(services: HandlerContext, { ref }: { ref: string }) {
  return await infoFor(services, { ref }, { peer: { remote: { capabilities: [] } } as unknown as Peer });
}

/** The registry with other ways to read a model again. */
function refreshing(registry: Registry, refresh: Registry['refresh']): Registry {
  return { ...registry, refresh };
}

describe('FreshModels', () => {
  it('leaves a model as it is while its files are', async () => {
    const registry = await openTestRegistry();
    const entry = await importLinked(registry, 'one', 'mouse');
    expect(await servicesOf(registry).fresh.ensure(entry)).toBe(entry);
  });

  it('reads files that changed again, once for all who ask, and gives the new content under the same alias', async () => {
    const registry = await openTestRegistry();
    const { original, digest } = await importLinked(registry, 'one', 'mouse');
    await writeFile(original, 'another one');
    let reads = 0;
    const fresh = new FreshModels(
      refreshing(registry, (...args) => {
        reads++;
        return registry.refresh(...args);
      }),
      silentLog,
    );
    const services = servicesOf(registry, fresh);
    const infos = await Promise.all(Array.from({ length: 4 }, () => getModelInfo(services, { ref: 'mouse' })));
    const digests = new Set(infos.map(({ entry }) => entry.digest));
    expect({ reads, digests: digests.size, isNew: !digests.has(digest) }).toEqual({
      reads: 1,
      digests: 1,
      isNew: true,
    });
    expect(infos[0]?.entry.alias).toBe('mouse');
  });

  it('says not_found with the new id to whoever asked for the old content', async () => {
    const registry = await openTestRegistry();
    const { original, id } = await importLinked(registry, 'one', 'mouse');
    await writeFile(original, 'another one');
    const error = await failure(getModelInfo(servicesOf(registry), { ref: id }));
    const now = (await registry.resolve('mouse')).entry;
    expect(error).toMatchObject({ code: 'not_found', details: { id: now.id, alias: 'mouse' } });
  });

  it('says busy while the reading takes longer than an asker waits, and the answer when asked later', async () => {
    const registry = await openTestRegistry();
    const entry = await importLinked(registry, 'one', 'mouse');
    await writeFile(entry.original, 'another one');
    let finish = () => {};
    const slow = refreshing(registry, async (...args) => {
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      return await registry.refresh(...args);
    });
    const fresh = new FreshModels(slow, silentLog, 1);
    expect(await failure(fresh.ensure(entry))).toMatchObject({ code: 'busy' });
    finish();
    await fresh.close();
    const { entry: now } = await getModelInfo(servicesOf(registry), { ref: 'mouse' });
    expect(now.size).toBe('another one'.length);
  });

  it('gives nothing of a model whose main file is missing, though the rest would make a model', async () => {
    const registry = await openTestRegistry();
    const folder = await mkdtemp(join(tmpdir(), 'run-'));
    afterTest(() => rm(folder, { recursive: true, force: true }));
    for (const name of ['best.ckpt', 'last.ckpt']) await writeFile(join(folder, name), name);
    await writeFile(join(folder, 'training_config.yaml'), 'model_config: {}\n');
    const { entry } = await registry.importModel(folder, { alias: 'run' as Alias });
    await rm(join(folder, 'best.ckpt'));
    const error = await failure(getModelInfo(servicesOf(registry), { ref: 'run' }));
    expect(error).toMatchObject({ code: 'not_found', message: expect.stringContaining('best.ckpt') });
    expect(error.message).not.toContain(folder);
    // It is as it was once the file is back.
    await writeFile(join(folder, 'best.ckpt'), 'best.ckpt');
    expect((await getModelInfo(servicesOf(registry), { ref: 'run' })).entry.digest).toBe(entry.digest);
  });

  it('says not_found, and no path, when the files are gone', async () => {
    const registry = await openTestRegistry();
    const { original, alias } = await importLinked(registry, 'one', 'mouse');
    await rm(original);
    const error = await failure(getModelInfo(servicesOf(registry), { ref: 'mouse' }));
    expect(error).toMatchObject({ code: 'not_found' });
    expect(error.message).toContain(`"${alias}"`);
    expect(error.message).not.toContain(original);
  });

  it('says busy while the files are being written', async () => {
    const registry = await openTestRegistry();
    const entry = await importLinked(registry, 'one', 'mouse');
    await writeFile(entry.original, 'another one');
    const writing = refreshing(registry, async () => {
      throw new ModelRtcError('source_changed', 'It changed while it was read.');
    });
    expect(await failure(new FreshModels(writing, silentLog).ensure(entry))).toMatchObject({ code: 'busy' });
  });

  it('looks a model up anew whose entry went away under its look', async () => {
    const registry = await openTestRegistry();
    const entry = await importLinked(registry, 'one', 'mouse');
    let resolved = 0;
    const stale: Registry = {
      ...registry,
      resolve: async (ref) => {
        const found = await registry.resolve(ref);
        // As if another asker's refresh had replaced it just after it was found.
        return resolved++ === 0 ? { ...found, entry: { ...entry, digest: 'ab'.repeat(32) as Digest } } : found;
      },
    };
    expect((await getModelInfo(servicesOf(stale), { ref: 'mouse' })).entry.digest).toBe(entry.digest);
  });

  it('stops reading when it is closed', async () => {
    const registry = await openTestRegistry();
    const entry = await importLinked(registry, 'one', 'mouse');
    await writeFile(entry.original, 'another one');
    let isReading = () => {};
    const reading = new Promise<void>((resolve) => {
      isReading = resolve;
    });
    const endless = refreshing(registry, (_digest, options) => {
      isReading();
      return new Promise((_resolve, reject) => {
        options?.signal?.addEventListener('abort', () => reject(new ModelRtcError('cancelled', 'Cancelled.')));
      });
    });
    const fresh = new FreshModels(endless, silentLog);
    const asking = failure(fresh.ensure(entry));
    await reading;
    await fresh.close();
    expect(await asking).toMatchObject({ code: 'cancelled' });
  });
});
