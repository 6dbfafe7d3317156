import { describe, expect, it } from '@jest/globals';
import { type Digest, deferred } from '@model-rtc/protocol';
import { type ChunkRequestContext, createChunkServer } from '../../../src/index.ts';
import { makeFileModel } from '../../support/models.ts';

const model = makeFileModel(30_000, 10_000);
const chunks = model.manifest.chunks.map(({ digest }, index) => ({ index, digest }));

function serverOfModel() {
  const reader = { readChunk: async (chunk: Digest) => model.chunks.get(chunk), close: () => {} };
  return createChunkServer({ openModel: async () => reader });
}

/** A receiver that says when it has taken a chunk. */
function receiver() {
  const sent: number[] = [];
  const asked = deferred<void>();
  const taken = deferred<void>();
  const context: ChunkRequestContext = {
    ...{ peer: {}, lane: {}, signal: new AbortController().signal },
    sendChunk: async (index) => {
      sent.push(index);
      asked.resolve();
      await taken.promise;
    },
  };
  return { sent, context, asked: asked.promise, take: () => taken.resolve() };
}

const shared = (...indexes: number[]) => ({
  digest: model.digest,
  chunks: chunks.filter(({ index }) => indexes.includes(index)),
  shared: true,
});

describe('chunks for many receivers that pass them on', () => {
  it('go to one of them, while the others are told that they are missing', async () => {
    const serve = serverOfModel();
    const [anna, ben] = [receiver(), receiver()];
    const first = serve(shared(0), anna.context);
    await anna.asked;
    ben.take();
    expect(await serve(shared(0, 2), ben.context)).toEqual({ missing: [0] });
    expect(ben.sent).toEqual([2]);
    anna.take();
    expect(await first).toEqual({});
    await serve.close();
  });

  it('are not kept from others while they only wait behind another chunk of the same receiver', async () => {
    const serve = serverOfModel();
    const [anna, ben] = [receiver(), receiver()];
    const first = serve(shared(0, 1), anna.context);
    await anna.asked;
    ben.take();
    expect(await serve(shared(1), ben.context)).toEqual({});
    anna.take();
    // What is sent in no time goes to both.
    expect(await first).toEqual({});
    await serve.close();
  });

  it('go to all at once that pass nothing on', async () => {
    const serve = serverOfModel();
    const [anna, ben] = [receiver(), receiver()];
    const first = serve({ ...shared(0), shared: false }, anna.context);
    await anna.asked;
    ben.take();
    expect(await serve({ ...shared(0), shared: false }, ben.context)).toEqual({});
    anna.take();
    expect(await first).toEqual({});
    await serve.close();
  });
});
