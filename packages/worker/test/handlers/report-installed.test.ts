import { describe, expect, it } from '@jest/globals';
import { type Digest, silentLog } from '@model-rtc/protocol';
import { createMemoryLanes, createPeer } from '@model-rtc/transport';
import { createHandlers, FreshModels } from '../../src/index.ts';
import { afterTest, failure, importLinked, openTestRegistry } from '../support/registry.ts';

/** A client's connection to a worker that logs into `lines`. */
async function connect(scopes: readonly ('read' | 'write' | 'track')[] = ['read']) {
  const registry = await openTestRegistry();
  const lines: object[] = [];
  const log = { ...silentLog, info: (fields: object) => void lines.push(fields) };
  const { handlersFor, close } = createHandlers({ registry, fresh: new FreshModels(registry, silentLog), log });
  afterTest(close);
  const [here, there] = createMemoryLanes();
  const [client, worker] = await Promise.all([
    createPeer({
      lane: here,
      hello: { role: 'client', name: 'laptop', version: '1' },
      authority: { scopes: [] },
      handlers: {},
    }),
    createPeer({
      lane: there,
      hello: { role: 'worker', name: 'gpu', version: '1' },
      authority: { scopes },
      handlers: handlersFor({ scopes }),
    }),
  ]);
  afterTest(async () => await Promise.all([client.close(), worker.close()]));
  return { registry, client, lines };
}

describe('report_installed', () => {
  it('puts into the log who has the model now, and what it is called on each side', async () => {
    const { registry, client, lines } = await connect();
    const { digest } = await importLinked(registry, 'weights', 'mouse');
    expect(await client.request('report_installed', { digest: digest as Digest, alias: 'mine' })).toEqual({});
    expect(lines).toEqual([{ digest, alias: 'mouse', client: 'laptop', clientAlias: 'mine' }]);
  });

  it('of a model that this worker does not have changes and tells nothing', async () => {
    const { registry, client } = await connect();
    expect(await client.request('report_installed', { digest: 'ab'.repeat(32), alias: 'mouse' })).toEqual({});
    expect((await registry.list({ filters: {}, sort: 'date', limit: 1 })).total).toBe(0);
  });

  it('needs the scope that reading does', async () => {
    const { client } = await connect(['write']);
    const refused = await failure(client.request('report_installed', { digest: 'ab'.repeat(32) }));
    expect(refused).toMatchObject({ code: 'scope_missing' });
  });
});
