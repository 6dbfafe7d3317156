import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type Digest, silentLog } from '@model-rtc/protocol';
import { type Registry, toModelEntry } from '@model-rtc/registry';
import { receiveModel } from '@model-rtc/transfer';
import { createMemoryLanes, createPeer, type Peer } from '@model-rtc/transport';
import { createHandlers, FreshModels } from '../../src/index.ts';
import { afterTest, failure, openTestRegistry } from '../support/registry.ts';

const MEBI = 1024 * 1024;
const BYTES = Buffer.alloc(4 * MEBI, 'not the same in any two mebibytes').map((byte, i) => byte ^ (i >> 20));

async function connectTo(registry: Registry, capabilities: readonly string[]): Promise<Peer> {
  const { handlersFor, close } = createHandlers({
    registry,
    fresh: new FreshModels(registry, silentLog),
    log: silentLog,
  });
  const handlers = handlersFor({ scopes: ['read'] });
  afterTest(close);
  const [here, there] = createMemoryLanes();
  const [client, worker] = await Promise.all([
    createPeer({
      lane: here,
      hello: { role: 'client', name: 'laptop', version: '1', capabilities },
      authority: { scopes: [] },
      handlers: {},
    }),
    createPeer({
      lane: there,
      hello: { role: 'worker', name: 'gpu', version: '1' },
      authority: { scopes: ['read', 'write'] },
      handlers,
    }),
  ]);
  afterTest(async () => await Promise.all([client.close(), worker.close()]));
  return client;
}

/** A worker that is fetching a model, of which two chunks come at once and the others when they are let. */
async function fetching() {
  const [source, registry] = [await openTestRegistry(), await openTestRegistry()];
  const folder = await mkdtemp(join(tmpdir(), 'model-rtc-partial-'));
  afterTest(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'weights.pt'), BYTES);
  const imported = await source.importModel(join(folder, 'weights.pt'), { copy: true, alias: 'mouse' as never });
  const digest = imported.entry.digest as Digest;
  const manifest = await source.manifest(digest);
  const [let_, stop] = [deferred(), new AbortController()];
  let given = 0;
  const two = deferred();
  const received = receiveModel({
    ...{ registry, ifExists: 'skip', source: 'worker-pull', signal: stop.signal },
    entry: toModelEntry(imported.entry),
    contents: { ...manifest, digest },
    sources: [
      {
        name: 'source',
        async fetch(chunks, { onPiece }) {
          for (const { index, digest: chunk } of chunks) {
            if (given++ >= 2) await let_.promise;
            onPiece(index, 0, await (await source.openModel(digest)).readChunk(chunk as never), true);
          }
        },
      },
    ],
    onProgress: ({ transferredBytes }) => transferredBytes >= 2 * MEBI && two.resolve(),
  });
  received.catch(() => {});
  await two.promise;
  return { registry, digest, manifest, received, finish: let_.resolve, stop: () => stop.abort() };
}

function deferred() {
  let resolve = (): void => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve: () => resolve() };
}

async function getChunks(peer: Peer, digest: Digest, chunks: readonly { digest: Digest }[]) {
  const bytes = new Map<number, number>();
  const result = await peer.request(
    'get_chunks',
    { digest, chunks: chunks.map((chunk, index) => ({ index, digest: chunk.digest })) },
    { onChunk: ({ index, payload }) => bytes.set(index, (bytes.get(index) ?? 0) + payload.length) },
  );
  return { got: [...bytes], missing: result.missing ?? [] };
}

describe('a worker that is still fetching a model', () => {
  it('lists it as partial, and gives its manifest and the chunks that are there', async () => {
    const { registry, digest, manifest, finish, received } = await fetching();
    const client = await connectTo(registry, ['partial']);
    const { models, total } = await client.request('list_models', {});
    expect([total, models]).toEqual([1, [expect.objectContaining({ digest, alias: 'mouse', partialBytes: 2 * MEBI })]]);
    for (const ref of ['mouse', digest.slice(0, 8), digest])
      expect((await client.request('get_model_info', { ref })).entry.digest).toBe(digest);
    expect((await client.request('get_manifest', { digest })).manifest).toEqual(manifest);
    const before = await getChunks(client, digest, manifest.chunks);
    expect([before.got.length, before.missing.length]).toEqual([2, 2]);
    finish();
    await received;
    const after = await getChunks(client, digest, manifest.chunks);
    expect([after.got.length, after.missing]).toEqual([4, []]);
    expect((await client.request('get_model_info', { ref: 'mouse' })).entry.partialBytes).toBeUndefined();
  });

  it('gives a list that is full a further page', async () => {
    const { registry, finish, received } = await fetching();
    const client = await connectTo(registry, ['partial']);
    const folder = await mkdtemp(join(tmpdir(), 'model-rtc-partial-'));
    afterTest(() => rm(folder, { recursive: true }));
    await writeFile(join(folder, 'other.pt'), 'other');
    await registry.importModel(join(folder, 'other.pt'), { copy: true });
    const first = await client.request('list_models', { limit: 1 });
    const second = await client.request('list_models', { limit: 1, cursor: first.nextCursor });
    expect([first, second].map(({ total, models }) => [total, models[0]?.partialBytes])).toEqual([
      [2, undefined],
      [2, 2 * MEBI],
    ]);
    expect(second.nextCursor).toBeUndefined();
    finish();
    await received;
  });

  it('tells nobody of it who would not know what that is', async () => {
    const { registry, finish, received } = await fetching();
    const client = await connectTo(registry, []);
    expect(await client.request('list_models', {})).toMatchObject({ models: [], total: 0 });
    expect(await failure(client.request('get_model_info', { ref: 'mouse' }))).toMatchObject({ code: 'not_found' });
    finish();
    await received;
  });

  it('has it no more when it gives up', async () => {
    const { registry, digest, manifest, stop, received } = await fetching();
    const client = await connectTo(registry, ['partial']);
    await getChunks(client, digest, manifest.chunks);
    stop();
    await failure(received);
    expect(await client.request('list_models', {})).toMatchObject({ total: 0 });
    expect(await failure(getChunks(client, digest, manifest.chunks))).toMatchObject({ code: 'not_found' });
  });
});

describe('plan_push', () => {
  it('says what a push would move, and stores nothing', async () => {
    const { registry, digest, manifest, finish, received } = await fetching();
    const client = await connectTo(registry, []);
    const nothing = { reusedBytes: 0, resumedBytes: 2 * MEBI, transferBytes: 2 * MEBI, exists: false };
    expect(await client.request('plan_push', { manifest })).toEqual(nothing);
    finish();
    await received;
    expect(await client.request('plan_push', { manifest })).toMatchObject({ transferBytes: 0, exists: true });
    expect((await registry.check(digest)).valid).toBe(true);
  });
});
