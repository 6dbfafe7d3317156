import { afterEach } from '@jest/globals';
import type { Digest } from '@model-rtc/protocol';
import { type SourceScene, sourceSuite } from '../../../../../test/support/source-suite.ts';
import {
  type ChunkSource,
  createChunkServer,
  diskSource,
  type ModelReader,
  PeerEncodings,
  peerSources,
  SourcePool,
} from '../../../src/core/index.ts';
import { loadZstd } from '../../../src/node/zstd.ts';
import { makeModel, seededBytes, type TestModel } from '../../support/models.ts';
import { type ConnectedPeers, connectPeers } from '../../support/peers.ts';
import { memorySource } from '../../support/sources.ts';
import { makeWeights } from '../../support/weights.ts';

/** Chunks of one piece and of many, and one that spans files. */
const model = makeModel(
  { 'a.bin': seededBytes(900_000, 60), b: seededBytes(10, 61), 'c.bin': makeWeights(700_000, 2, 62) },
  [600_000, 200_000, 150_000, 1000],
);
const weights = makeModel({ 'w.bin': makeWeights(1_500_000, 2, 63) }, [400_000]);

/** What holds chunks back, or does not have them. */
class Shelf {
  readonly #missing = new Set<Digest>();
  #held: Promise<void> | undefined;

  hold(): () => void {
    let release = (): void => {};
    this.#held = new Promise((resolve) => {
      release = resolve;
    });
    return release;
  }

  withhold(chunk: Digest): () => void {
    this.#missing.add(chunk);
    return () => this.#missing.delete(chunk);
  }

  async read(from: TestModel, chunk: Digest): Promise<Buffer | undefined> {
    await this.#held;
    return this.#missing.has(chunk) ? undefined : from.chunks.get(chunk);
  }

  readonly control = { hold: () => this.hold(), withhold: (chunk: Digest) => this.withhold(chunk) };
}

const open: ConnectedPeers[] = [];

afterEach(async () => {
  for (const peers of open.splice(0)) await peers.close();
});

/** A peer over a lane in memory that serves the model, as a worker does. */
async function peerScene(served: TestModel, encodings?: PeerEncodings): Promise<SourceScene> {
  const shelf = new Shelf();
  const reader: ModelReader = { readChunk: (chunk) => shelf.read(served, chunk), close: () => {} };
  const serve = createChunkServer({ openModel: async () => reader, loadZstd });
  const peers = await connectPeers({ get_chunks: serve });
  open.push(peers);
  const pool = new SourcePool();
  peerSources(pool, peers.asker, served.digest, 'lab', { origin: 'lab key', encodings });
  return {
    ...shelf.control,
    source: pool.sources[0] as ChunkSource,
    leave: () => peers.lane.faults.cut(),
    ended: peers.lane.closed,
  };
}

/** Encodings that are offered from the first request on, for the path was found slow. */
async function offering(): Promise<PeerEncodings> {
  let nowMs = 0;
  const encodings = new PeerEncodings({ loadZstd, nowMs: () => nowMs });
  const { onChunk } = await encodings.open([], { onPiece: () => {} });
  const payload = new Uint8Array(400_000);
  for (; nowMs < 10_000; nowMs += 500) onChunk({ index: 0, offset: 0, payload, intact: true, encoded: false });
  return encodings;
}

const peerTraits = { saysMissing: true, canLeave: true, isCarried: true, tellsWireBytes: false };
sourceSuite('a peer', { model, traits: peerTraits, setUp: () => peerScene(model) });
sourceSuite('a peer that may send encoded chunks', {
  model: weights,
  traits: { ...peerTraits, tellsWireBytes: true },
  setUp: async () => peerScene(weights, await offering()),
});

const localTraits = { saysMissing: false, canLeave: false, isCarried: false, tellsWireBytes: false };
sourceSuite("this machine's disk", {
  model,
  traits: localTraits,
  async setUp() {
    const shelf = new Shelf();
    const readChunk = async (chunk: Digest, into: Uint8Array): Promise<Uint8Array | undefined> => {
      const bytes = await shelf.read(model, chunk);
      if (bytes === undefined) throw new Error('The file is gone.');
      into.set(bytes);
      return into;
    };
    return { ...shelf.control, source: diskSource({ name: 'disk', readChunk }) };
  },
});

sourceSuite('the source of tests', {
  model,
  traits: localTraits,
  async setUp() {
    const shelf = new Shelf();
    const alter: Parameters<typeof memorySource>[1] = {
      alter: async ({ digest }, pieces) => ((await shelf.read(model, digest as Digest)) === undefined ? [] : pieces),
    };
    return { ...shelf.control, source: memorySource(model, alter) };
  },
});
