import { beforeEach, describe, expect, it } from '@jest/globals';
import { type Digest, type Manifest, ModelRtcError } from '@model-rtc/protocol';
import { type ChunkSource, type FetchOptions, planLayout, type WantedChunk, wantedChunk } from '@model-rtc/transfer';

/** The model that a source has, of at least three chunks. */
interface SuiteModel {
  readonly manifest: Manifest;
  readonly digest: Digest;
  readonly chunks: ReadonlyMap<Digest, Buffer>;
}

/** A source under test that has a model, and what the test can do to it. */
export interface SourceScene {
  readonly source: ChunkSource;
  /** Nothing more is given from now on, until what this returns is called. */
  hold(): () => void;
  /** The chunk is not there any more, until what this returns is called. */
  withhold(chunk: Digest): () => void;
  /** The source is gone, where that can happen. */
  leave?(): void;
  /** Resolves when what carries the source has ended, so that it is replaced. */
  readonly ended?: Promise<unknown>;
}

/** How sources differ. */
export interface SourceTraits {
  /** It says which chunks it does not have yet; others leave them out. */
  readonly saysMissing: boolean;
  /** It can be gone: the scene has `leave`. */
  readonly canLeave: boolean;
  /** Something carries it that can be replaced: the scene has `ended`. */
  readonly isCarried: boolean;
  /** It tells of bytes before they make a piece. */
  readonly tellsWireBytes: boolean;
}

/** What came of one request. */
interface Taken {
  readonly chunks: Map<number, Buffer>;
  readonly bytesOf: Map<number, number>;
  readonly wrong: number[];
  damaged: number;
  wireBytes: number;
}

interface Request {
  readonly taken: Taken;
  readonly abort: AbortController;
  /** The labels that were said to be missing. */
  readonly done: Promise<readonly number[]>;
}

/** Asks as a transfer does: pieces are copied at once, and the memory that they came in is not looked at again. */
function ask(source: ChunkSource, wanted: readonly WantedChunk[], bare = false): Request {
  const chunks = new Map(wanted.map(({ index, size }) => [index, Buffer.alloc(size)]));
  const taken: Taken = { chunks, bytesOf: new Map(), wrong: [], damaged: 0, wireBytes: 0 };
  const abort = new AbortController();
  const options: FetchOptions = {
    signal: abort.signal,
    onPiece(index, offset, bytes, intact) {
      if (!intact) taken.damaged++;
      const chunk = chunks.get(index) as Buffer;
      expect(offset + bytes.length).toBeLessThanOrEqual(chunk.length);
      chunk.set(bytes, offset);
      taken.bytesOf.set(index, (taken.bytesOf.get(index) ?? 0) + bytes.length);
    },
  };
  const listening = {
    onWrong: (index: number) => taken.wrong.push(index),
    onWireBytes(bytes: number) {
      taken.wireBytes += bytes;
    },
  };
  const done = source.fetch(wanted, bare ? options : { ...options, ...listening });
  return { taken, abort, done: done.then((result) => result?.missing ?? []) };
}

/**
 * What every source keeps to, as the docstrings of `ChunkSource` and `FetchOptions` say.
 * @param setUp - makes a source that has all of the model
 */
export function sourceSuite(
  name: string,
  { model, traits, setUp }: { model: SuiteModel; traits: SourceTraits; setUp: () => Promise<SourceScene> },
): void {
  const layout = planLayout({ ...model.manifest, digest: model.digest });
  const wanted = [...layout.sizes.keys()].map((id) => wantedChunk(layout, id));
  const [first, second, third] = wanted as [WantedChunk, WantedChunk, WantedChunk];

  function expectAll({ taken }: Request, chunks: readonly WantedChunk[]): void {
    for (const { index, digest, size } of chunks) {
      expect({ index, bytes: taken.bytesOf.get(index) }).toEqual({ index, bytes: size });
      expect(taken.chunks.get(index)?.equals(model.chunks.get(digest as Digest) as Buffer)).toBe(true);
    }
    expect([...taken.bytesOf.keys()].sort()).toEqual(chunks.map(({ index }) => index).sort());
    expect({ damaged: taken.damaged, wrong: taken.wrong }).toEqual({ damaged: 0, wrong: [] });
  }

  describe(`${name} as a source`, () => {
    let scene: SourceScene;
    let source: ChunkSource;

    beforeEach(async () => {
      scene = await setUp();
      source = scene.source;
    });

    it('has a name, and an origin that stays the same', async () => {
      const { origin } = source;
      expect(source.name).not.toBe('');
      expect(origin).not.toBe('');
      await ask(source, wanted).done;
      expect(source.origin).toBe(origin);
    });

    it('gives every byte of every chunk once, all before it resolves', async () => {
      for (const bare of [false, true]) {
        const request = ask(source, wanted, bare);
        expect(await request.done).toEqual([]);
        expectAll(request, wanted);
      }
    });

    it("gives some of the chunks in any order, under the asker's own labels", async () => {
      const relabelled = [third, first].map((chunk, i) => ({
        ...{ index: 900_000 + i, digest: chunk.digest, size: chunk.size },
        extents: () => chunk.extents(),
      }));
      const request = ask(source, relabelled);
      await request.done;
      expectAll(request, relabelled);
    });

    it('gives all to each of several requests at once, for the same chunks too', async () => {
      const requests = [wanted, [second], wanted.toReversed(), [first, second]].map((some) => ({
        some,
        request: ask(source, some),
      }));
      for (const { some, request } of requests) {
        expect(await request.done).toEqual([]);
        expectAll(request, some);
      }
    });

    it(`tells of ${traits.tellsWireBytes ? 'the bytes' : 'no bytes'} that came besides the pieces`, async () => {
      const { taken, done } = ask(source, wanted);
      await done;
      expect(taken.wireBytes > 0).toBe(traits.tellsWireBytes);
    });

    it('gives the other chunks where one is not there, and the missing one once it is', async () => {
      const putBack = scene.withhold(second.digest as Digest);
      const request = ask(source, [first, second, third]);
      expect(await request.done).toEqual(traits.saysMissing ? [second.index] : []);
      expectAll(request, [first, third]);
      putBack();
      const again = ask(source, [second]);
      expect(await again.done).toEqual([]);
      expectAll(again, [second]);
    });

    it('rejects a request that is aborted, and goes on with the others', async () => {
      const release = scene.hold();
      const [given, called] = [ask(source, wanted), ask(source, wanted)];
      await Promise.resolve();
      called.abort.abort(new Error('not wanted any more'));
      release();
      await expect(called.done).rejects.toBeDefined();
      await given.done;
      expectAll(given, wanted);
      const later = ask(source, wanted);
      await later.done;
      expectAll(later, wanted);
    });

    it('gives nothing for a request that was aborted before', async () => {
      const abort = AbortSignal.abort(new Error('not wanted'));
      const pieces: number[] = [];
      const fetching = source.fetch(wanted, { signal: abort, onPiece: (index) => pieces.push(index) });
      await expect(fetching).rejects.toBeDefined();
      expect(pieces).toEqual([]);
    });

    if (traits.canLeave) {
      it('rejects what it was asked for when it is gone, and everything after that', async () => {
        scene.hold();
        const requests = [ask(source, wanted), ask(source, [first])];
        const rejected = requests.map(({ done }) => expect(done).rejects.toBeDefined());
        scene.leave?.();
        await Promise.all(rejected);
        await expect(ask(source, [first]).done).rejects.toBeDefined();
      });
    }

    if (traits.isCarried) {
      it('has what carries it replaced when it stalls, which ends its requests', async () => {
        scene.hold();
        const { done } = ask(source, wanted);
        const rejected = expect(done).rejects.toBeDefined();
        source.onStall?.(new ModelRtcError('network', 'It delivered nothing.'));
        await rejected;
        await expect(scene.ended).resolves.toBeDefined();
      });
    }
  });
}
