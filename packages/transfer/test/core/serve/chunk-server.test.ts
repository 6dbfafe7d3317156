import { describe, expect, it } from '@jest/globals';
import { CHUNK_BYTES, type Digest, MAX_BYTES_PER_REQUEST, ModelRtcError } from '@model-rtc/protocol';
import { CHUNK_HEADROOM_BYTES } from '@model-rtc/transport';
import { VirtualClock } from '../../../../../test/support/virtual-clock.ts';
import { CHUNK_ENCODING, ChunkCodec } from '../../../src/core/compress/chunk-codec.ts';
import { createRateLimiter } from '../../../src/core/rate/token-bucket.ts';
import { type ChunkRequestContext, createChunkServer, type ModelReader, peerSource } from '../../../src/index.ts';
import { loadZstd } from '../../../src/node/zstd.ts';
import { expectFiles } from '../../support/expectations.ts';
import { makeFileModel, makeModel, seededBytes, type TestModel } from '../../support/models.ts';
import { pullModel, temporaryFolder } from '../../support/pulling.ts';

import { makeWeights } from '../../support/weights.ts';

interface Opened {
  readonly reader: ModelReader;
  readonly digest: Digest;
  closed: number;
}

function library(...models: TestModel[]): { openModel: (digest: Digest) => Promise<ModelReader>; opened: Opened[] } {
  const opened: Opened[] = [];
  const openModel = async (digest: Digest): Promise<ModelReader> => {
    const model = models.find((one) => one.digest === digest);
    if (model === undefined) throw new ModelRtcError('not_found', 'No such model.');
    const entry: Opened = {
      digest,
      closed: 0,
      reader: {
        async readChunk(chunk, into) {
          const bytes = model.chunks.get(chunk);
          if (bytes === undefined) throw new ModelRtcError('not_found', 'No such chunk.');
          if (into === undefined || into.length < bytes.length) return bytes;
          into.set(bytes);
          return into.subarray(0, bytes.length);
        },
        close: () => {
          entry.closed++;
        },
      },
    };
    opened.push(entry);
    return entry.reader;
  };
  return { openModel, opened };
}

function contextOf(overrides: Partial<ChunkRequestContext> = {}): ChunkRequestContext & { sent: [number, Buffer][] } {
  const sent: [number, Buffer][] = [];
  return {
    sent,
    peer: {},
    lane: {},
    signal: new AbortController().signal,
    sendChunk: async (index, bytes) => {
      sent.push([index, Buffer.from(bytes)]);
    },
    ...overrides,
  };
}

function wanted(model: TestModel): { digest: Digest; chunks: { index: number; digest: Digest }[] } {
  return { digest: model.digest, chunks: model.manifest.chunks.map(({ digest }, index) => ({ index, digest })) };
}

describe('the chunk server', () => {
  const model = makeFileModel(100_000, 10_000);

  it("sends the chunks that were asked for, in that order, with the asker's labels", async () => {
    const serve = createChunkServer(library(model));
    const context = contextOf();
    const chunks = wanted(model).chunks.map(({ digest, index }) => ({ digest, index: 1000 - index }));
    expect(await serve({ digest: model.digest, chunks }, context)).toEqual({});
    expect(context.sent.map(([index]) => index)).toEqual(chunks.map(({ index }) => index));
    for (const [i, [, bytes]] of context.sent.entries()) {
      expect(bytes.equals(model.chunks.get(chunks[i]?.digest as Digest) as Buffer)).toBe(true);
    }
    await serve.close();
  });

  it('does not touch a buffer that is still being sent', async () => {
    const serve = createChunkServer(library(model));
    const sent: boolean[] = [];
    const context = contextOf({
      sendChunk: async (index, bytes) => {
        const before = Buffer.from(bytes);
        for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
        sent[index] = before.equals(bytes);
      },
    });
    await serve(wanted(model), context);
    expect(sent).toEqual(Array(10).fill(true));
    await serve.close();
  });

  it('lets a lane write over what is its own memory, and over nothing of the reader', async () => {
    const big = makeFileModel(3_000_000, CHUNK_BYTES);
    const serve = createChunkServer(library(big));
    const sent: Buffer[] = [];
    const context = contextOf({
      sendChunk: async (index, bytes, { headroom = 0 } = {}) => {
        sent[index] = Buffer.from(bytes);
        new Uint8Array(bytes.buffer, bytes.byteOffset - headroom, headroom + bytes.length).fill(0xff);
        expect(headroom).toBe(CHUNK_HEADROOM_BYTES);
      },
    });
    await serve(wanted(big), context);
    for (const [index, { digest }] of big.manifest.chunks.entries()) {
      expect(big.chunks.get(digest)?.equals(sent[index] as Buffer)).toBe(true);
    }
    await serve.close();

    const { openModel } = library(model);
    const ownMemory = createChunkServer({
      openModel: async (digest) => {
        const reader = await openModel(digest);
        return { ...reader, readChunk: (chunk) => reader.readChunk(chunk) };
      },
    });
    const headrooms: (number | undefined)[] = [];
    const watching = contextOf({
      sendChunk: async (_index, _bytes, options) => void headrooms.push(options?.headroom),
    });
    await ownMemory(wanted(model), watching);
    expect(headrooms).toEqual(Array(10).fill(0));
    await ownMemory.close();
  });

  it('reads no more than one chunk ahead of a receiver that takes nothing', async () => {
    const { openModel } = library(model);
    let reads = 0;
    const serve = createChunkServer({
      openModel: async (digest) => {
        const reader = await openModel(digest);
        return {
          ...reader,
          readChunk: (chunk, into) => {
            reads++;
            return reader.readChunk(chunk, into);
          },
        };
      },
    });
    const cancel = new AbortController();
    const serving = serve(
      wanted(model),
      contextOf({
        signal: cancel.signal,
        sendChunk: () => new Promise((_resolve, reject) => cancel.signal.addEventListener('abort', reject)),
      }),
    );
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(reads).toBe(2);
    cancel.abort();
    await expect(serving).rejects.toBeDefined();
    await serve.close();
  });

  it('opens a model once for many requests, and closes it in the end', async () => {
    const { openModel, opened } = library(model);
    const serve = createChunkServer({ openModel });
    await Promise.all([serve(wanted(model), contextOf()), serve(wanted(model), contextOf())]);
    await serve(wanted(model), contextOf());
    expect(opened).toHaveLength(1);
    await serve.close();
    expect(opened[0]?.closed).toBe(1);
  });

  it('keeps few models open', async () => {
    const models = Array.from({ length: 8 }, (_, seed) => makeFileModel(1000, 100, seed));
    const { openModel, opened } = library(...models);
    const serve = createChunkServer({ openModel });
    for (const one of models) await serve(wanted(one), contextOf());
    expect(opened.filter(({ closed }) => closed === 0)).toHaveLength(4);
    await serve.close();
    expect(opened.map(({ closed }) => closed)).toEqual(Array(8).fill(1));
  });

  it('opens a model anew after it failed', async () => {
    const { openModel, opened } = library(model);
    const serve = createChunkServer({ openModel });
    const unknown = { digest: model.digest, chunks: [{ index: 0, digest: 'f'.repeat(64) as Digest }] };
    await expect(serve(unknown, contextOf())).rejects.toMatchObject({ code: 'not_found' });
    await serve(wanted(model), contextOf());
    expect(opened.map(({ closed }) => closed)).toEqual([1, 0]);
    await serve.close();
  });

  it('passes on why a model may not be served', async () => {
    const serve = createChunkServer({
      openModel: async () => {
        throw new ModelRtcError('refused', 'This client is not pushing that model.');
      },
    });
    await expect(serve(wanted(model), contextOf())).rejects.toMatchObject({ code: 'refused' });
  });

  it('ends a request whose peer is gone, also while it waits for its turn', async () => {
    const serve = createChunkServer(library(model));
    const lane = {};
    const cancel = new AbortController();
    const stuck = Array.from({ length: 4 }, () =>
      serve(
        wanted(model),
        contextOf({
          lane,
          signal: cancel.signal,
          sendChunk: () => new Promise((_resolve, reject) => cancel.signal.addEventListener('abort', reject)),
        }),
      ).catch(() => 'ended'),
    );
    const other = contextOf();
    await serve(wanted(model), other);
    expect(other.sent).toHaveLength(10);
    cancel.abort();
    expect(await Promise.all(stuck)).toEqual(Array(4).fill('ended'));
    const after = contextOf({ lane });
    await serve(wanted(model), after);
    expect(after.sent).toHaveLength(10);
    await serve.close();
  });

  it('sends no more than one request may ask for', async () => {
    const big = makeFileModel(CHUNK_BYTES, CHUNK_BYTES);
    const serve = createChunkServer(library(big));
    const [chunk] = wanted(big).chunks;
    const context = contextOf();
    const chunks = Array.from({ length: 20 }, (_, index) => ({ index, digest: chunk?.digest as Digest }));
    await expect(serve({ digest: big.digest, chunks }, context)).rejects.toMatchObject({ code: 'bad_argument' });
    expect(context.sent).toHaveLength(MAX_BYTES_PER_REQUEST / CHUNK_BYTES);
    await serve.close();
  });

  it('counts chunks as long as they are before they are encoded', async () => {
    const zeros = makeModel({ 'zeros.bin': Buffer.alloc(CHUNK_BYTES) }, [CHUNK_BYTES]);
    const serve = createChunkServer(library(zeros));
    const [chunk] = wanted(zeros).chunks;
    const context = contextOf();
    const chunks = Array.from({ length: 20 }, (_, index) => ({ index, digest: chunk?.digest as Digest }));
    const request = { digest: zeros.digest, chunks, encodings: [CHUNK_ENCODING] };
    await expect(serve(request, context)).rejects.toMatchObject({ code: 'bad_argument' });
    expect(context.sent).toHaveLength(MAX_BYTES_PER_REQUEST / CHUNK_BYTES);
    await serve.close();
  });

  it('serves the lanes of one peer at once, each with two chunks in memory at most', async () => {
    const { openModel } = library(model);
    const memory = new Set<ArrayBufferLike>();
    const serve = createChunkServer({
      openModel: async (digest) => {
        const reader = await openModel(digest);
        const readChunk: ModelReader['readChunk'] = (chunk, into) => {
          if (into !== undefined) memory.add(into.buffer);
          return reader.readChunk(chunk, into);
        };
        return { ...reader, readChunk };
      },
    });
    const peer = {};
    const cancel = new AbortController();
    const blocked = Array.from({ length: 3 }, () => ({ lane: {}, begun: 0 }));
    const serving = blocked.flatMap((one) =>
      Array.from({ length: 3 }, () =>
        serve(
          wanted(model),
          contextOf({
            peer,
            lane: one.lane,
            signal: cancel.signal,
            sendChunk: () => {
              one.begun++;
              return new Promise((_resolve, reject) => cancel.signal.addEventListener('abort', reject));
            },
          }),
        ).catch(() => 'ended'),
      ),
    );
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(blocked.map(({ begun }) => begun)).toEqual([1, 1, 1]);
    expect(memory.size).toBe(6);
    cancel.abort();
    await Promise.all(serving);
    await serve.close();
  });

  it('reads no chunk ahead for one lane of very many, and serves them all, two requests of each', async () => {
    const { openModel } = library(model);
    const lanes = 40;
    let reads = 0;
    const serve = createChunkServer({
      openModel: async (digest) => {
        const reader = await openModel(digest);
        const readChunk: ModelReader['readChunk'] = (chunk, into) => {
          reads++;
          return reader.readChunk(chunk, into);
        };
        return { ...reader, readChunk };
      },
    });
    let letGo = () => {};
    const gate = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const contexts = Array.from({ length: lanes }, () => {
      const context = contextOf();
      const sendChunk: ChunkRequestContext['sendChunk'] = async (index, bytes) => {
        await gate;
        context.sent.push([index, Buffer.from(bytes)]);
      };
      return { ...context, sendChunk };
    });
    const serving = contexts.flatMap((context) => [serve(wanted(model), context), serve(wanted(model), context)]);
    for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(reads).toBeGreaterThanOrEqual(lanes);
    expect(reads).toBeLessThan(1.5 * lanes);
    letGo();
    await Promise.all(serving);
    const expected = [...wanted(model).chunks, ...wanted(model).chunks].map(({ index }) => index);
    for (const { sent } of contexts) expect(sent.map(([index]) => index)).toEqual(expected);
    await serve.close();
  });

  it('reads the first chunk of the next request while the last one of this is sent, into no more memory', async () => {
    const serve = createChunkServer(library(model));
    const lane = {};
    const contexts = Array.from({ length: 5 }, () => contextOf({ lane }));
    const results = await Promise.all(contexts.map((context) => serve(wanted(model), context)));
    expect(results).toEqual(Array(5).fill({}));
    for (const { sent } of contexts) {
      expect(Buffer.concat(sent.map(([, bytes]) => bytes)).equals(Buffer.concat([...model.chunks.values()]))).toBe(
        true,
      );
    }
    await serve.close();
  });

  it('names the chunks that are not there yet, and sends the others', async () => {
    const { openModel } = library(model);
    const { chunks } = wanted(model);
    const serve = createChunkServer({
      openModel: async (digest) => {
        const reader = await openModel(digest);
        const isThere = (chunk: Digest) => chunks.findIndex((one) => one.digest === chunk) % 3 !== 0;
        return {
          ...reader,
          readChunk: async (chunk, into) => (isThere(chunk) ? reader.readChunk(chunk, into) : undefined),
        };
      },
    });
    const context = contextOf();
    expect(await serve(wanted(model), context)).toEqual({ missing: [0, 3, 6, 9] });
    expect(context.sent.map(([index]) => index)).toEqual([1, 2, 4, 5, 7, 8]);
    await serve.close();
  });

  it('sends chunks encoded to who offers that, where they gain by it', async () => {
    const files = { a: makeWeights(CHUNK_BYTES, 2), b: seededBytes(CHUNK_BYTES, 9), c: makeWeights(600_000, 4) };
    const weights = makeModel(files, [CHUNK_BYTES]);
    const serve = createChunkServer(library(weights));
    const codec = new ChunkCodec(await loadZstd());
    for (const [encodings, flags] of [
      [
        [CHUNK_ENCODING, 'later-1'],
        [true, false, true],
      ],
      [['later-1'], [false, false, false]],
      [undefined, [false, false, false]],
    ] as const) {
      const encoded: boolean[] = [];
      const bytes: Buffer[] = [];
      const context = contextOf({
        sendChunk: async (index, chunk, options) => {
          encoded[index] = options?.encoded === true;
          bytes[index] = Buffer.from(chunk);
        },
      });
      await serve({ ...wanted(weights), encodings: encodings && [...encodings] }, context);
      expect(encoded).toEqual(flags);
      for (const [index, { digest, size }] of weights.manifest.chunks.entries()) {
        const sent = bytes[index] as Buffer;
        const chunk = encoded[index] ? (codec.decode(sent, size) as Uint8Array) : sent;
        expect(weights.chunks.get(digest)?.equals(chunk)).toBe(true);
      }
    }
    await serve.close();
  });

  it('keeps to its limiter, in equal parts for its peers however many lanes each has', async () => {
    const time = new VirtualClock();
    const serve = createChunkServer({
      ...library(model),
      limiter: createRateLimiter({ bytesPerSecond: 50_000, clock: time }),
    });
    const cancel = new AbortController();
    const started = [1, 4].map((lanes) => {
      const peer = {};
      const contexts = Array.from({ length: lanes }, () => contextOf({ peer, signal: cancel.signal }));
      for (const context of contexts) {
        const forever = async (): Promise<void> => {
          for (;;) await serve(wanted(model), context);
        };
        forever().catch(() => {});
      }
      return contexts;
    });
    await time.advance(10_000);
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
    const bytes = started.map((contexts) => contexts.reduce((sum, { sent }) => sum + sent.length * 10_000, 0));
    for (const sum of bytes) expect(Math.abs(sum - 250_000)).toBeLessThanOrEqual(40_000);
    cancel.abort();
    await serve.close();
  });

  it('serves a whole pull through a peer source', async () => {
    const serve = createChunkServer(library(model));
    const peer = {};
    const lane = {};
    const source = peerSource(
      {
        request: (_method, params, { signal, onChunk }) =>
          serve(params, {
            peer,
            lane,
            signal: signal ?? new AbortController().signal,
            sendChunk: async (index, bytes) => {
              for (let offset = 0; offset < bytes.length; offset += 3000) {
                onChunk?.({
                  index,
                  offset,
                  payload: bytes.subarray(offset, offset + 3000),
                  intact: true,
                  encoded: false,
                });
              }
            },
          }),
      },
      model.digest,
      'worker',
    );
    const outcome = await pullModel(model, { staging: await temporaryFolder(), sources: [source] });
    await expectFiles(outcome.filesFolder, model);
    expect(outcome.bytesPerSource).toEqual([{ name: 'worker', bytes: 100_000 }]);
    await outcome.release();
    await serve.close();
  });
});
