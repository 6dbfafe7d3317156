import { describe, expect, it } from '@jest/globals';
import { type ModelEntry, ModelRtcError, modelEntrySchema } from '@model-rtc/protocol';
import { connect } from '../src/index.ts';
import { failure, importBytes, openLab, openTestRegistry, seededBytes, TOKEN } from './support/lab.ts';

function entryOf(number: number): ModelEntry {
  return modelEntrySchema.parse({
    id: `model-${number}`,
    modelType: 'gguf',
    source: 'local-import',
    status: 'training',
    size: number,
    fileCount: 1,
  });
}

/** A worker's list of so many models, in pages whose cursors are their starts. */
function listOf(count: number, asked: number[] = []) {
  return async ({ cursor, limit }: { cursor?: string | undefined; limit: number }) => {
    asked.push(limit);
    const start = Number(cursor ?? 0);
    const end = Math.min(count, start + limit);
    const models = Array.from({ length: end - start }, (_, i) => entryOf(start + i));
    return { models, total: count, ...(end < count && { nextCursor: String(end) }) };
  };
}

describe('connect().listModels', () => {
  it('gives all pages of a long list, or as many models as are wanted', async () => {
    const asked: number[] = [];
    const { client } = await openLab({ handlers: { list_models: listOf(450, asked) } });
    const all = await client.listModels();
    expect({ total: all.total, ids: new Set(all.models.map(({ id }) => id)).size }).toEqual({ total: 450, ids: 450 });
    expect((await client.listModels({ limit: 250 })).models).toHaveLength(250);
    expect(asked).toEqual([200, 200, 200, 200, 50]);
    expect(await failure(client.listModels({ limit: 0 }))).toMatchObject({ code: 'bad_argument' });
  });

  it('filters and sorts at the worker', async () => {
    const { client, there } = await openLab();
    await importBytes(there, seededBytes(10, 1), { alias: 'small' });
    await importBytes(there, seededBytes(20, 2), { alias: 'large' });
    const bySize = await client.listModels({ sort: 'size' });
    expect(bySize.models.map(({ alias }) => alias)).toEqual(['large', 'small']);
    expect(await client.listModels({ filters: { alias: 'sm*' } })).toMatchObject({ total: 1 });
  });

  it('ends with a worker that goes on without sending any more, and takes no more than was asked for', async () => {
    const { client } = await openLab({
      handlers: { list_models: async () => ({ models: [], total: 10, nextCursor: 'x' }) },
    });
    expect(await failure(client.listModels())).toMatchObject({ code: 'malformed_message' });
    const generous = await openLab({ handlers: { list_models: async () => await listOf(200)({ limit: 200 }) } });
    expect((await generous.client.listModels({ limit: 3 })).models).toHaveLength(3);
  });

  it('ends with a worker whose list would fill the memory of this machine', async () => {
    const models = Array.from({ length: 100 }, (_, i) => ({ ...entryOf(i), notes: 'x'.repeat(65_000) }));
    let pages = 0;
    const { client } = await openLab({
      handlers: { list_models: async () => ({ models, total: 1e6, nextCursor: `${pages++}` }) },
    });
    expect(await failure(client.listModels())).toMatchObject({ code: 'refused' });
    expect(pages).toBe(11);
  });
});

describe('connect', () => {
  it('asks about single models, and connects again when the connection was lost meanwhile', async () => {
    const { client, there, connections } = await openLab();
    const { digest } = await importBytes(there, seededBytes(10, 1), { alias: 'mouse' });
    expect(client.workerName).toBe('gpu-box');
    expect(client.lanes).toMatchObject([{ kind: 'memory' }]);
    connections[0]?.lanes[0].faults.cut();
    await connections[0]?.worker.closed;
    expect(await client.modelInfo('mouse')).toMatchObject({ entry: { digest }, resolvedBy: 'alias' });
    expect(await client.checkModel('mouse')).toMatchObject({ exists: true, valid: true, problems: [] });
    expect(await client.checkModel('rat')).toEqual({ exists: false, valid: false, problems: [] });
    expect(connections).toHaveLength(2);
  });

  it('says why it does not come up', async () => {
    const registry = await openTestRegistry();
    const connector = async () => {
      throw new ModelRtcError('worker_offline', 'Nobody is there.');
    };
    const error = await failure(connect({ session: TOKEN, registry, connector }));
    expect(error).toMatchObject({ code: 'worker_offline', exitCode: 5 });
    expect(await failure(connect({ session: 'mrtc1_cut', registry, connector }))).toMatchObject({
      code: 'bad_argument',
    });
  });
});
