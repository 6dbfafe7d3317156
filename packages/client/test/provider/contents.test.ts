import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import {
  type Alias,
  type Clock,
  type Digest,
  type Manifest,
  type ModelContents,
  ModelRtcError,
  silentLog,
  systemClock,
} from '@model-rtc/protocol';
import { type Registry, toModelEntry } from '@model-rtc/registry';
import type { ModelProvider } from '@model-rtc/transfer';
import { type ModelProgress, planFromProviders, pullFromProviders } from '../../src/index.ts';
import {
  ChunkHold,
  failure,
  gate,
  HurriedClock,
  openTestRegistry,
  seededBytes,
  temporaryFolder,
} from '../support/lab.ts';
import { MemoryProvider } from '../support/memory-provider.ts';
import { providerSuite } from '../support/provider-suite.ts';
import { openSwarm } from '../support/swarm-lab.ts';

const MEBI = 1024 * 1024;
/** Sorted as an import sorts them. */
const FILES: Readonly<Record<string, Buffer>> = {
  'config.json': Buffer.from('{"model_type":"mouse"}'),
  'model.safetensors': safetensors(seededBytes(6 * MEBI, 1)),
  'tokenizer/vocab.txt': Buffer.from('squeak\n'),
};
const BYTES = Buffer.concat(Object.values(FILES));

/** Two tensors, so that it is not cut every mebibyte. */
function safetensors(data: Buffer): Buffer {
  const half = 2.5 * MEBI;
  const tensor = (start: number, end: number) => ({ dtype: 'U8', shape: [end - start], data_offsets: [start, end] });
  const header = Buffer.from(JSON.stringify({ a: tensor(0, half), b: tensor(half, data.length) }));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, data]);
}

async function importInto(registry: Registry): Promise<{ digest: Digest; manifest: Manifest }> {
  const folder = join(await temporaryFolder(), 'mouse');
  for (const [path, bytes] of Object.entries(FILES)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), bytes);
  }
  const { entry, manifest } = await registry.importModel(folder, { alias: 'mouse' as Alias, copy: true });
  return { digest: entry.digest as Digest, manifest };
}

/** The SHA-256 of large files and git's hash of small ones. */
function hubKnows({ files }: Manifest): ModelContents {
  const git = (bytes: Buffer): string =>
    createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
  return {
    files: files.map(({ path, size, sha256 }) =>
      size > 1000 ? { path, size, sha256 } : { path, size, gitSha1: git(FILES[path] as Buffer) },
    ),
  };
}

/** Digests of chunks of its own, which span files, and nothing of files. */
function staticKnows({ files }: Manifest): ModelContents {
  const chunks: NonNullable<ModelContents['chunks']> = [];
  for (let at = 0; at < BYTES.length; at += 700_000) {
    const bytes = BYTES.subarray(at, at + 700_000);
    chunks.push({ digest: createHash('sha256').update(bytes).digest('hex') as Digest, size: bytes.length });
  }
  return { files: files.map(({ path, size }) => ({ path, size })), chunks };
}

interface Scene {
  /** What a machine has that imported the same files. */
  readonly there: Registry;
  readonly digest: Digest;
  readonly manifest: Manifest;
  provider(name: string, known: (manifest: Manifest) => ModelContents): MemoryProvider;
}

async function scene(): Promise<Scene> {
  const there = await openTestRegistry();
  const { digest, manifest } = await importInto(there);
  const entry = toModelEntry((await there.resolve('mouse')).entry);
  return {
    ...{ there, digest, manifest },
    provider: (name, known) =>
      new MemoryProvider(name, [{ entry, digest, manifest, known: known(manifest), bytes: BYTES }]),
  };
}

/** Pulls into a registry of its own, and holds what is there then against what an import gives. */
async function pullFrom(
  providers: readonly ModelProvider[],
  { there, digest, manifest }: Scene,
  {
    here,
    clock = new HurriedClock(),
    ...options
  }: { here?: Registry; clock?: Clock; signal?: AbortSignal; onProgress?: (progress: ModelProgress) => void } = {},
) {
  const registry = here ?? (await openTestRegistry());
  const context = { registry, log: silentLog, clock, random: () => 0, limits: {} };
  const pulled = await pullFromProviders(context, providers, 'mouse', options);
  expect(pulled.entry).toMatchObject({ digest, alias: 'mouse' });
  const { chunks, files } = await registry.manifest(digest);
  expect(files.map(({ path, sha256 }) => [path, sha256])).toEqual(
    manifest.files.map(({ path, sha256 }) => [path, sha256]),
  );
  expect(chunks).toEqual((await there.manifest(digest)).chunks);
  for (const [path, bytes] of Object.entries(FILES)) {
    expect((await readFile(join(pulled.entry.localPath, path))).equals(bytes)).toBe(true);
  }
  expect(await registry.verify(digest)).toMatchObject({ state: 'sound' });
  expect(await readdir(registry.paths.staging)).toEqual([]);
  return { pulled, registry, context };
}

describe.each([
  ['a hub', hubKnows],
  ['a static registry', staticKnows],
])('%s', (name, known) => {
  providerSuite(name, async () => {
    const { provider: open, digest } = await scene();
    const provider = open(name, known);
    const end = { leave: () => provider.leave(), close: () => provider.close() };
    return { provider, digest, hasDigestLater: true, bytes: BYTES, ...end };
  });

  it('gives a model that is installed under the digest that an import gives, cut as an import cuts it', async () => {
    const lab = await scene();
    const provider = lab.provider(name, known);
    const { pulled } = await pullFrom([provider], lab);
    expect(pulled).toMatchObject({ outcome: 'pulled', transferredBytes: BYTES.length, entry: { source: 'hub' } });
    expect(provider.installed).toEqual([lab.digest]);
  });

  it('gives nothing twice: a model that is here by then is found to be here, whatever it is called', async () => {
    const lab = await scene();
    const here = await openTestRegistry();
    await importInto(here);
    const { pulled } = await pullFrom([lab.provider(name, known)], lab, { here });
    expect(pulled).toMatchObject({ outcome: 'already_there', entry: { source: 'local-import' } });
  });

  it('is gone on with where an earlier command ended', async () => {
    const lab = await scene();
    const [here, first, stop] = [await openTestRegistry(), lab.provider(name, known), new AbortController()];
    first.beforeChunk = (given) => {
      if (given >= 3) stop.abort(new ModelRtcError('cancelled', 'Stopped.'));
    };
    expect(await failure(pullFrom([first], lab, { here, signal: stop.signal }))).toMatchObject({ code: 'cancelled' });
    const second = lab.provider(name, known);
    const { pulled } = await pullFrom([second], lab, { here });
    expect(pulled.resumedBytes).toBeGreaterThan(1.5 * MEBI);
    expect(pulled.transferredBytes + pulled.resumedBytes).toBe(BYTES.length);
  });

  it('serves one transfer together with a worker, whichever of them named the model', async () => {
    for (const workerFirst of [true, false]) {
      const lab = await scene();
      const { group, workers } = await openSwarm(1);
      const [worker] = workers;
      await importInto(worker?.registry as Registry);
      const hold = new ChunkHold(2);
      if (worker !== undefined) worker.hold = hold;
      const provider = lab.provider(name, known);
      const both = gate();
      provider.beforeChunk = async (given) => {
        if (given === 2) await both.opened;
      };
      const providers = [provider, group.workers[0]?.provider as ModelProvider];
      const { pulled } = await pullFrom(workerFirst ? providers.reverse() : providers, lab, {
        // What the worker knows is waited for.
        clock: systemClock,
        onProgress: (progress) => {
          if (progress.type !== 'transfer' || progress.lanes.length < 2) return;
          both.open();
          hold.release();
        },
      });
      expect(pulled.workers.map((one) => one.name).sort()).toEqual([name, 'worker-0'].sort());
      expect(pulled.transferredBytes).toBe(BYTES.length);
    }
  });

  it('is planned with what is known of it', async () => {
    const lab = await scene();
    const context = {
      registry: await openTestRegistry(),
      log: silentLog,
      clock: new HurriedClock(),
      random: () => 0,
      limits: {},
    };
    const plan = await planFromProviders(context, [lab.provider(name, known)], 'mouse', {});
    expect(plan).toMatchObject({
      digest: undefined,
      exists: false,
      transferBytes: BYTES.length,
      totalBytes: BYTES.length,
    });
  });
});

describe('providers that know different things of one model', () => {
  it('serve it together, and what each knows is put together', async () => {
    const lab = await scene();
    const [hub, registry] = [lab.provider('hub', hubKnows), lab.provider('static', staticKnows)];
    const both = gate();
    hub.beforeChunk = async (given) => {
      if (given === 2) await both.opened;
    };
    registry.beforeChunk = hub.beforeChunk;
    const { pulled } = await pullFrom([hub, registry], lab, {
      onProgress: (progress) => {
        if (progress.type === 'transfer' && progress.lanes.length === 2) both.open();
      },
    });
    expect(pulled.workers.map(({ name }) => name).sort()).toEqual(['hub', 'static']);
  });

  it('leave out one whose files are others, and name it', async () => {
    const lab = await scene();
    const other = lab.provider('other', (manifest) => {
      const { files } = hubKnows(manifest);
      return {
        files: files.map((file) => (file.path === 'config.json' ? { ...file, gitSha1: 'a'.repeat(40) } : file)),
      };
    });
    const seen: ModelProgress[] = [];
    const onProgress = (progress: ModelProgress): unknown => seen.push(progress);
    await pullFrom([lab.provider('hub', hubKnows), other], lab, { onProgress });
    expect(other.given).toBe(0);
    const news = seen.flatMap((one) => (one.type === 'worker' && one.name === 'other' ? [one] : []));
    expect(news).toMatchObject([{ state: 'dropped', reason: expect.stringContaining('config.json') }]);
  });

  it('get the model whole from a hub that is honest, though another one lies', async () => {
    const lab = await scene();
    const [liar, hub] = [lab.provider('liar', hubKnows), lab.provider('hub', hubKnows)];
    liar.alter = (bytes) => {
      bytes[0] = (bytes[0] ?? 0) ^ 1;
      return bytes;
    };
    await pullFrom([liar, hub], lab);
  });

  it('end by name when the only one lies, with nothing installed', async () => {
    const lab = await scene();
    const here = await openTestRegistry();
    const liar = lab.provider('liar', hubKnows);
    liar.alter = (bytes) => Buffer.alloc(bytes.length, 7);
    const error = await failure(pullFrom([liar], lab, { here }));
    expect(error).toMatchObject({ code: 'verification_failed', details: { source: 'liar' } });
    expect(await here.find(lab.digest)).toBeUndefined();
  });
});
