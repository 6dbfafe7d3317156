import { describe, expect, it } from '@jest/globals';
import { CHUNK_BYTES, type Digest, MAX_BYTES_PER_REQUEST, ModelRtcError } from '@model-rtc/protocol';
import { type ChunkRequestContext, createChunkServer, type ModelReader, peerSource } from '../../src/index.ts';
import { expectFiles } from '../support/expectations.ts';
import { makeFileModel, type TestModel } from '../support/models.ts';
import { pullModel, temporaryFolder } from '../support/pulling.ts';

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
    const peer = {};
    const cancel = new AbortController();
    const stuck = Array.from({ length: 4 }, () =>
      serve(
        wanted(model),
        contextOf({
          peer,
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
    const after = contextOf({ peer });
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

  it('serves a whole pull through a peer source', async () => {
    const serve = createChunkServer(library(model));
    const peer = {};
    const source = peerSource(
      {
        request: (_method, params, { signal, onChunk }) =>
          serve(params, {
            peer,
            signal: signal ?? new AbortController().signal,
            sendChunk: async (index, bytes) => {
              for (let offset = 0; offset < bytes.length; offset += 3000) {
                onChunk?.({ index, offset, payload: bytes.subarray(offset, offset + 3000), intact: true });
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
