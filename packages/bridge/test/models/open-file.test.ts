import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { type Digest, type Manifest, type ModelPath, ModelRtcError, modelDigest } from '@model-rtc/protocol';
import type { Registry } from '@model-rtc/registry';
import type { PartialModels } from '@model-rtc/transfer';
import { openFile } from '../../src/models/open-file.ts';
import type { Pull } from '../../src/models/pulls.ts';

const FILES = {
  'a.bin': randomBytes(700),
  'b.bin': randomBytes(500),
  empty: Buffer.alloc(0),
  'c.bin': randomBytes(300),
};
const WHOLE = Buffer.concat(Object.values(FILES));
const signal = new AbortController().signal;

function sha256(bytes: Buffer): Digest {
  return createHash('sha256').update(bytes).digest('hex') as Digest;
}

/** Chunks of another tool: they go over the borders of files. */
function cut(chunkBytes: number) {
  const chunks = new Map<Digest, Buffer>();
  const list = [];
  for (let at = 0; at < WHOLE.length; at += chunkBytes) {
    const bytes = WHOLE.subarray(at, at + chunkBytes);
    chunks.set(sha256(bytes), bytes);
    list.push({ digest: sha256(bytes), size: bytes.length });
  }
  const files = Object.entries(FILES).map(([path, bytes]) => ({
    ...{ path: path as ModelPath, size: bytes.length, sha256: sha256(bytes) },
  }));
  return { chunks, manifest: { version: 1, chunker: 'test', files, chunks: list } satisfies Manifest };
}

/** A machine that is fetching a model: nothing of it is in the registry, and chunks come as they are let. */
function machine({ isOver = false } = {}) {
  const { chunks, manifest } = cut(256);
  const here = new Set<Digest>();
  const scene = { isRunning: true, isOver, opened: 0 };
  const registry = { find: async () => undefined } as unknown as Registry;
  const reader = {
    digest: modelDigest(manifest.files),
    has: (chunk: Digest) => chunks.has(chunk),
    readChunk: async (chunk: Digest) => (here.has(chunk) ? chunks.get(chunk) : undefined),
    isOver: async () => scene.isOver,
  };
  const partials = {
    open: async () => {
      scene.opened++;
      return scene.isRunning ? reader : undefined;
    },
    manifest: async () => (scene.isRunning ? manifest : undefined),
  } as unknown as PartialModels;
  const come = (...indexes: readonly number[]) => {
    for (const i of indexes) here.add(manifest.chunks[i]?.digest as Digest);
  };
  return { registry, partials, scene, come, digest: reader.digest };
}

async function readAll(bytes: Awaited<ReturnType<typeof openFile>>, from: number, to: number): Promise<Buffer> {
  const into = Buffer.alloc(to - from);
  for (let at = from; at < to; ) at += await bytes.read(at, into.subarray(at - from), signal);
  return into;
}

describe('a file of a model that is being fetched', () => {
  it('is read over chunks that other files share, whoever cut them in another way than the machine that was asked first', async () => {
    const { registry, partials, come, digest } = machine();
    const asked = cut(100).manifest;
    come(0, 1, 2, 3, 4, 5);
    for (const [path, content] of Object.entries(FILES)) {
      const file = asked.files.find((one) => one.path === path) as (typeof asked.files)[number];
      const bytes = await openFile({ registry, partials, pull: undefined }, { digest, manifest: asked, file });
      expect([path, (await readAll(bytes, 0, content.length)).equals(content)]).toEqual([path, true]);
      const middle = await readAll(bytes, Math.min(10, content.length), content.length);
      expect(middle.equals(content.subarray(10))).toBe(true);
      await bytes.close();
    }
  });

  it('waits for the bytes that are wanted, and for no others', async () => {
    const { registry, partials, come, digest } = machine();
    const { manifest } = cut(256);
    const file = manifest.files[3] as (typeof manifest.files)[number];
    const bytes = await openFile({ registry, partials, pull: undefined }, { digest, manifest, file });
    let isThere = false;
    const reading = readAll(bytes, 250, 300).finally(() => {
      isThere = true;
    });
    come(0, 1, 2, 3, 4);
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(isThere).toBe(false);
    come(5);
    expect((await reading).equals(FILES['c.bin'].subarray(250))).toBe(true);
  });

  it('says why it cannot come any more', async () => {
    const { manifest } = cut(256);
    const [file] = manifest.files as [(typeof manifest.files)[number]];
    const given = machine({ isOver: true });
    const place = { digest: given.digest, manifest, file };
    const bytes = await openFile({ ...given, pull: undefined }, place);
    await expect(bytes.read(0, Buffer.alloc(10), signal)).rejects.toMatchObject({ code: 'not_found' });
    const { scene, ...pulled } = machine();
    scene.isRunning = false;
    await expect(openFile({ ...pulled, pull: undefined }, place)).rejects.toMatchObject({ code: 'not_found' });
    const pull: { -readonly [K in keyof Pull]: Pull[K] } = { failure: undefined, hasEnded: false };
    const waiting = (await openFile({ ...pulled, pull: () => pull }, place)).read(0, Buffer.alloc(10), signal);
    pull.failure = new ModelRtcError('network', 'Nobody answers.');
    await expect(waiting).rejects.toMatchObject({ code: 'network' });
  });

  it('is not waited for when the client is gone', async () => {
    const { manifest } = cut(256);
    const { scene: _, ...given } = machine();
    const gone = new AbortController();
    const file = manifest.files[0] as (typeof manifest.files)[number];
    const bytes = await openFile({ ...given, pull: undefined }, { digest: given.digest, manifest, file });
    const reading = bytes.read(0, Buffer.alloc(10), gone.signal);
    gone.abort();
    await expect(reading).rejects.toThrow();
  });
});
