import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type Clock, type Digest, type Manifest, type ModelPath, modelDigest, systemClock } from '@model-rtc/protocol';
import { type ChunkSource, planLayout, type WantedChunk, wantedChunk } from '@model-rtc/transfer';
import { type FileServer, serveFolder } from '../../../../test/support/file-server.ts';
import { cut, publish, sha256, temporaryFolder } from '../../../../test/support/registry-folder.ts';
import { sourceSuite } from '../../../../test/support/source-suite.ts';
import { openStaticRegistry, type StaticManifest, staticSource } from '../../src/index.ts';

const hurried: Clock = { ...systemClock, after: (delayMs, callback) => systemClock.after(delayMs / 100, callback) };
const bytes = (size: number, factor: number) => Buffer.from(Array.from({ length: size }, (_, i) => (i * factor) % 253));
const FILES = { 'a.bin': bytes(250_000, 7), empty: Buffer.alloc(0), 'b/c.bin': bytes(120_000, 11) };

/** The model as another agent cuts it: other chunks than the registry's, and a new one at each file. */
function manifestOf(files: Readonly<Record<string, Buffer>>, chunkBytes: number) {
  const chunks = new Map<Digest, Buffer>();
  const manifest: Manifest = { version: 1, files: [], chunker: 'test', chunks: [] };
  for (const [path, content] of Object.entries(files)) {
    manifest.files.push({ path: path as ModelPath, size: content.length, sha256: sha256(content) });
    for (let at = 0; at < content.length; at += chunkBytes) {
      const chunk = content.subarray(at, at + chunkBytes);
      chunks.set(sha256(chunk), chunk);
      manifest.chunks.push({ digest: sha256(chunk), size: chunk.length });
    }
  }
  return { manifest, chunks, digest: modelDigest(manifest.files) };
}

interface Scene {
  readonly source: ChunkSource;
  readonly server: FileServer;
  readonly manifest: StaticManifest;
}

async function scene({ concurrency = 4, chunkBytes = 70_000 } = {}): Promise<Scene> {
  const folder = await temporaryFolder();
  const hash = await publish(folder, ['g', 'm', '1'], FILES, { chunkBytes });
  const server = await serveFolder(folder);
  const registry = openStaticRegistry({ url: server.url, clock: hurried });
  const manifest = await registry.manifest(hash);
  const source = staticSource({
    name: 'registry',
    store: registry.store,
    manifest,
    concurrency,
    clock: hurried,
    random: () => 0,
  });
  return { source, server, manifest };
}

const cutOtherwise = manifestOf(FILES, 50_000);

/** The model as the registry cuts it. */
function asPublished() {
  const { manifest, chunks } = cut(FILES, { chunkBytes: 70_000 });
  const list = manifest.chunks.map((digest, i) => ({ digest, size: chunks[i]?.length ?? 0 }));
  const byDigest = new Map(manifest.chunks.map((digest, i) => [digest, chunks[i] as Buffer]));
  return { ...cutOtherwise, manifest: { ...cutOtherwise.manifest, chunks: list }, chunks: byDigest };
}

sourceSuite('a static registry over HTTP', {
  model: asPublished(),
  traits: { saysMissing: false, canLeave: false, isCarried: false, tellsWireBytes: false },
  async setUp() {
    const { source, server } = await scene();
    let held: Promise<void> | undefined;
    server.misbehave = async ({ path }) => {
      if (path.startsWith('data/')) await held;
      return false;
    };
    return {
      source,
      hold() {
        let release = (): void => {};
        held = new Promise((resolve) => {
          release = resolve;
        });
        return release;
      },
      withhold(chunk) {
        server.misbehave = ({ path }, response) => {
          if (path !== `data/${chunk}`) return false;
          response.writeHead(404).end();
          return true;
        };
        return () => {
          server.misbehave = () => false;
        };
      },
    };
  },
});

async function fetchAll({ source, manifest }: Pick<Scene, 'source' | 'manifest'>, wrong: number[] = []) {
  const layout = planLayout(manifest.contents);
  const wanted: WantedChunk[] = [...layout.sizes.keys()].map((id) => wantedChunk(layout, id));
  const got = new Map(wanted.map(({ index, size }) => [index, Buffer.alloc(size)]));
  const result = await source.fetch(wanted, {
    signal: new AbortController().signal,
    onPiece: (index, offset, piece) => got.get(index)?.set(piece, offset),
    onWrong: (index) => wrong.push(index),
  });
  return {
    missing: result?.missing,
    isRight: Buffer.concat([...got.values()]).equals(Buffer.concat(Object.values(FILES))),
  };
}

describe('a static registry as a source', () => {
  it.each([1, 4, 16])('has %i requests open at once, and no more', async (concurrency) => {
    const { server, ...rest } = await scene({ concurrency, chunkBytes: 10_000 });
    let [open, most] = [0, 0];
    server.misbehave = async (_asked, response) => {
      most = Math.max(most, ++open);
      response.on('close', () => open--);
      await new Promise((resolve) => setTimeout(resolve, 20));
      return false;
    };
    expect(await fetchAll(rest)).toEqual({ missing: undefined, isRight: true });
    expect(most).toBe(concurrency);
  });

  it('reads each chunk once from a server that ignores ranges', async () => {
    const { server, manifest, source } = await scene({ concurrency: 1 });
    server.misbehave = ({ path }, response, content) => {
      if (!path.startsWith('data/')) return false;
      response.writeHead(200, { 'content-length': content.length }).end(content);
      return true;
    };
    const layout = planLayout({ ...cutOtherwise.manifest, digest: cutOtherwise.digest });
    server.asked.length = 0;
    for (const id of layout.sizes.keys()) {
      const chunk = wantedChunk(layout, id);
      const got = Buffer.alloc(chunk.size);
      await source.fetch([chunk], {
        signal: new AbortController().signal,
        onPiece: (_index, offset, piece) => got.set(piece, offset),
      });
      expect(got.equals(cutOtherwise.chunks.get(chunk.digest as Digest) as Buffer)).toBe(true);
    }
    // The first requests find out, and the rest come from memory.
    expect(server.asked.length).toBeLessThanOrEqual(manifest.chunks.length + 2);
  });

  it('says that chunks are not to be had for now while a server asks to wait for long, and leaves it alone', async () => {
    const { server, ...rest } = await scene({ concurrency: 1 });
    server.misbehave = (_asked, response) => {
      response.writeHead(503, { 'retry-after': '40' }).end();
      return true;
    };
    server.asked.length = 0;
    const { missing } = await fetchAll(rest);
    expect(missing).toHaveLength(rest.manifest.chunks.length);
    await fetchAll(rest);
    expect(server.asked).toHaveLength(1);
  });

  it('says which chunks are wrong when a file has another length', async () => {
    const folder = await temporaryFolder();
    const hash = await publish(folder, ['g', 'm', '1'], FILES, { chunkBytes: 70_000 });
    const registry = openStaticRegistry({ url: `file://${folder}` });
    const manifest = await registry.manifest(hash);
    await writeFile(join(folder, 'data', manifest.chunks[1] as string), 'short');
    const source = staticSource({
      ...{ name: 'folder', store: registry.store, manifest, concurrency: 4, clock: hurried, random: () => 0 },
    });
    const wrong: number[] = [];
    await fetchAll({ source, manifest }, wrong);
    expect(wrong).toEqual([1]);
  });
});
