import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type Digest, ModelRtcError, silentLog, systemClock } from '@model-rtc/protocol';
import type { Registry } from '@model-rtc/registry';
import { openStaticRegistry, StaticProvider } from '@model-rtc/static-registry';
import type { FetchedModel, ModelProvider, ServeOptions, SourcePool } from '@model-rtc/transfer';
import { type FileServer, serveFolder } from '../../../../test/support/file-server.ts';
import { digestOf, publish } from '../../../../test/support/registry-folder.ts';
import { type PullModelOptions, pullFromProviders } from '../../src/index.ts';
import { failure, HurriedClock, openTestRegistry, seededBytes, temporaryFolder } from '../support/lab.ts';
import { providerSuite } from '../support/provider-suite.ts';
import { openSwarm } from '../support/swarm-lab.ts';

const MEBI = 1024 * 1024;
/** Not in the order in which our manifests have them. */
const FILES: Readonly<Record<string, Buffer>> = {
  'weights.bin': seededBytes(7 * MEBI + 5, 1),
  'config.json': Buffer.from('{"model_type":"mouse"}'),
  empty: Buffer.alloc(0),
  'extra/vocab.txt': seededBytes(MEBI / 2, 2),
};
const SIZE = Object.values(FILES).reduce((sum, bytes) => sum + bytes.length, 0);
const DIGEST = digestOf(FILES);
const REF = 'lab/mouse@1';

interface Scene {
  readonly folder: string;
  readonly server: FileServer;
  provider(concurrency?: number): StaticProvider;
}

async function scene({ chunkBytes = 5_000_000, withHashes = false } = {}): Promise<Scene> {
  const folder = await temporaryFolder();
  await publish(folder, ['lab', 'mouse', '1'], FILES, { chunkBytes, withHashes });
  const server = await serveFolder(folder);
  const clock = new HurriedClock();
  const open = () => openStaticRegistry({ url: server.url, clock, random: () => 0 });
  return {
    folder,
    server,
    provider: (concurrency) => new StaticProvider({ registry: open(), concurrency, clock, random: () => 0 }),
  };
}

/** A transfer finds out that a registry is gone when it asks for something. */
class WatchedProvider extends StaticProvider {
  #pool: SourcePool | undefined;

  override async serve(model: FetchedModel, options: ServeOptions): Promise<ModelRtcError> {
    this.#pool = options.pool;
    return await super.serve(model, options);
  }

  async findOut(): Promise<void> {
    const [source] = this.#pool?.sources ?? [];
    const extent = { path: 'weights.bin', offset: 0, length: 1 };
    const wanted = { index: 0, digest: undefined, size: 1, extents: () => [extent] };
    const asked = source?.fetch([wanted], { signal: new AbortController().signal, onPiece: () => {} });
    await asked?.catch((error) => source !== undefined && this.#pool?.remove(source, ModelRtcError.from(error)));
  }
}

async function pullFrom(
  providers: readonly ModelProvider[],
  {
    here,
    ref = REF,
    files = FILES,
    ...options
  }: PullModelOptions & { here?: Registry; ref?: string; files?: typeof FILES } = {},
) {
  const registry = here ?? (await openTestRegistry());
  const context = { registry, log: silentLog, clock: systemClock, random: () => 0, limits: {} };
  const pulled = await pullFromProviders(context, providers, ref, options);
  expect(pulled.entry.digest).toBe(digestOf(files));
  for (const [path, bytes] of Object.entries(files)) {
    expect((await readFile(join(pulled.entry.localPath, path))).equals(bytes)).toBe(true);
  }
  expect(await registry.verify(pulled.entry.digest as Digest)).toMatchObject({ state: 'sound' });
  return { pulled, registry };
}

describe.each([
  ['long chunks', { chunkBytes: 5_000_000, withHashes: false }],
  ['long chunks and hashes', { chunkBytes: 5_000_000, withHashes: true }],
  ['short chunks', { chunkBytes: 300_000, withHashes: false }],
])('a static registry with %s', (_name, how) => {
  providerSuite('it', async () => {
    const folder = await temporaryFolder();
    const bytes = seededBytes(6 * MEBI, 3);
    await publish(folder, ['lab', 'mouse', '1'], { 'weights.bin': bytes }, how);
    const server = await serveFolder(folder);
    const clock = new HurriedClock();
    const provider = new WatchedProvider({ registry: openStaticRegistry({ url: server.url, clock }), clock });
    return {
      ...{ provider, ref: REF, bytes, hasDigestLater: !how.withHashes },
      digest: digestOf({ 'weights.bin': bytes }),
      leave: async () => {
        await server.close();
        await provider.findOut();
      },
      close: () => provider.close(),
    };
  });

  it('gives a model that is installed under the digest that an import gives, with the name that it has there', async () => {
    const { provider } = await scene(how);
    const { pulled, registry } = await pullFrom([provider()]);
    expect(pulled).toMatchObject({
      ...{ outcome: 'pulled', transferredBytes: SIZE },
      entry: { source: 'static-registry', name: REF, releases: [{ group: 'lab', model: 'mouse', version: '1' }] },
    });
    expect((await registry.resolve(REF)).entry.digest).toBe(DIGEST);
    const again = await pullFrom([provider()], { here: registry });
    expect(again.pulled.outcome).toBe('already_there');
  });
});

describe('a static registry and a worker', () => {
  it.each([
    [true, true],
    [true, false],
    [false, true],
    [false, false],
  ])('serve one transfer together (hashes: %s, the worker is asked first: %s)', async (withHashes, workerFirst) => {
    const { provider, server } = await scene({ withHashes });
    const { group, workers } = await openSwarm(1);
    const there = workers[0]?.registry as Registry;
    await pullFrom([provider()], { here: there, alias: 'mouse' });
    let given = 0;
    server.misbehave = async ({ path }) => {
      // The worker is faster, so that both have a part.
      if (path.startsWith('data/') && given++ > 1) await new Promise((resolve) => setTimeout(resolve, 20));
      return false;
    };
    server.asked.length = 0;
    const providers = [provider(), group.workers[0]?.provider as ModelProvider];
    const { pulled } = await pullFrom(workerFirst ? providers.reverse() : providers);
    expect(pulled.workers).toHaveLength(2);
    expect(pulled.transferredBytes).toBe(SIZE);
    expect(server.asked.some(({ path, range }) => path.startsWith('data/') && range !== undefined)).toBe(true);
  });
});

describe('a model of a kind that imports know', () => {
  it('is described as an import describes it, though the registry says nothing of it', async () => {
    const files = { 'config.json': Buffer.from('{"model_type":"mouse"}'), 'model.safetensors': safetensors() };
    const folder = await temporaryFolder();
    await publish(folder, ['lab', 'kind', '1'], files, { chunkBytes: 1_000 });
    const provider = new StaticProvider({ registry: openStaticRegistry({ url: `file://${folder}` }) });
    const { pulled } = await pullFrom([provider], { ref: 'lab/kind@1', files });
    expect(pulled.entry).toMatchObject({ modelType: 'mouse', checkpointPath: 'model.safetensors' });
  });
});

function safetensors(): Buffer {
  const header = Buffer.from(JSON.stringify({ a: { dtype: 'U8', shape: [4000], data_offsets: [0, 4000] } }));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, seededBytes(4000, 4)]);
}

describe('a model that this machine has for the most part', () => {
  const CHANGED = { ...FILES, 'weights.bin': Buffer.from(FILES['weights.bin'] as Buffer) };
  CHANGED['weights.bin'].fill(7, 5 * MEBI, 5 * MEBI + 1000);

  it('comes without the chunks that a model has that was imported and cut otherwise', async () => {
    const { provider } = await scene({ chunkBytes: 4_300_000 });
    const [here, original] = [await openTestRegistry(), join(await temporaryFolder(), 'mouse')];
    for (const [path, bytes] of Object.entries(CHANGED)) {
      await mkdir(dirname(join(original, path)), { recursive: true });
      await writeFile(join(original, path), bytes);
    }
    await here.importModel(original, { copy: true, asIs: true });
    const { pulled } = await pullFrom([provider()], { here });
    // The changed bytes are in the second of two chunks.
    expect(pulled).toMatchObject({ transferredBytes: SIZE - 4_300_000, reusedBytes: 4_300_000 });
  });

  it('takes the place of what the version had before, at the same path', async () => {
    const { provider, folder } = await scene();
    const { pulled: first, registry } = await pullFrom([provider()], { alias: 'best' });
    await publish(folder, ['lab', 'mouse', '1'], CHANGED, { chunkBytes: 5_000_000 });
    const { pulled } = await pullFrom([provider()], { here: registry, files: CHANGED });
    expect(pulled.entry).toMatchObject({ localPath: first.entry.localPath, alias: 'best', name: REF });
    expect(pulled.entry.localPath).toMatch(/lab-mouse_1$/);
    expect(await registry.find(first.entry.digest as Digest)).toBeUndefined();
    expect((await registry.resolve(REF)).entry.digest).toBe(digestOf(CHANGED));
    expect((await registry.resolve('lab/mouse')).entry.digest).toBe(digestOf(CHANGED));
  });

  it('is one model with two names when two versions are the same, and keeps the name that is left', async () => {
    const { provider, folder } = await scene();
    const { registry } = await pullFrom([provider()]);
    await publish(folder, ['lab', 'mouse', '2'], FILES, { chunkBytes: 300_000 });
    const { pulled } = await pullFrom([provider()], { here: registry, ref: 'lab/mouse@2' });
    expect(pulled.outcome).toBe('already_there');
    expect(pulled.entry.releases?.map(({ version }) => version)).toEqual(['1', '2']);
    await publish(folder, ['lab', 'mouse', '1'], CHANGED, { chunkBytes: 5_000_000 });
    await pullFrom([provider()], { here: registry, files: CHANGED });
    expect((await registry.resolve('lab/mouse@2')).entry).toMatchObject({ digest: DIGEST, name: 'lab/mouse@2' });
    expect((await registry.resolve('lab/mouse@1')).entry.digest).toBe(digestOf(CHANGED));
  });

  it('comes once when two ask for it at the same time', async () => {
    const { provider, server } = await scene();
    const here = await openTestRegistry();
    const both = await Promise.all([pullFrom([provider()], { here }), pullFrom([provider()], { here })]);
    expect(both.map(({ pulled }) => pulled.outcome).sort()).toEqual(['already_there', 'pulled']);
    expect(both.reduce((sum, { pulled }) => sum + pulled.transferredBytes, 0)).toBe(SIZE);
    expect(server.asked.filter(({ range }) => range !== undefined).length).toBeLessThan(12);
  });
});

describe('a registry that gives wrong bytes', () => {
  it('is given up by name, and nothing is installed', async () => {
    const { provider, server } = await scene();
    server.misbehave = ({ path, range }, response, bytes) => {
      if (!path.startsWith('data/') || range === undefined) return false;
      const [from, to] = range.slice(6).split('-').map(Number) as [number, number];
      const part = Buffer.from(bytes.subarray(from, to + 1));
      part[0] = (part[0] ?? 0) ^ 1;
      response.writeHead(206, { 'content-range': `bytes ${from}-${from + part.length - 1}/${bytes.length}` }).end(part);
      return true;
    };
    const registry = await openTestRegistry();
    const context = { registry, log: silentLog, clock: systemClock, random: () => 0, limits: {} };
    const error = await failure(pullFromProviders(context, [provider()], REF, {}));
    expect(error).toMatchObject({ code: 'verification_failed' });
    expect((await registry.list({ filters: {}, sort: 'date', limit: 10 })).models).toEqual([]);
  });
});
