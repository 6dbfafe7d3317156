import { describe, expect, it } from '@jest/globals';
import type { Digest } from '@model-rtc/protocol';
import type { ChunkPiece } from '@model-rtc/transport';
import fc from 'fast-check';
import { CHUNK_ENCODING, ChunkCodec } from '../../../src/core/compress/chunk-codec.ts';
import {
  type EncodedRequest,
  PeerEncodings,
  type PeerEncodingsOptions,
} from '../../../src/core/sources/peer-encodings.ts';
import { loadZstd } from '../../../src/node/zstd.ts';
import { makeWeights } from '../../support/weights.ts';

const SIZE = 400_000;
const chunks = [1, 2, 3].map((seed) => makeWeights(SIZE, 2, seed));
const wanted = chunks.map((_, index) => ({ index, digest: 'a'.repeat(64) as Digest, size: SIZE, extents: () => [] }));
const codec = new ChunkCodec(await loadZstd());
const forms = chunks.map((chunk) => Buffer.from(codec.encode(chunk, new Uint8Array(SIZE)) as Uint8Array));

interface Taken {
  readonly index: number;
  readonly offset: number;
  readonly bytes: Buffer;
  readonly intact: boolean;
}

/** Encodings that are offered from the first request on, for the path was found slow. */
async function offering(options: PeerEncodingsOptions = {}): Promise<PeerEncodings> {
  let nowMs = 0;
  const encodings = new PeerEncodings({ loadZstd, ...options, nowMs: () => nowMs });
  const { onChunk } = await encodings.open(wanted, { onPiece: () => {} });
  for (; nowMs < 10_000; nowMs += 500) onChunk(piece(0, 0, chunks[0] as Buffer, { encoded: false }));
  return encodings;
}

function piece(index: number, offset: number, payload: Uint8Array, more: Partial<ChunkPiece> = {}): ChunkPiece {
  return { index, offset, payload, intact: true, encoded: true, ...more };
}

function pieces(index: number, form: Buffer, length = 65_000): ChunkPiece[] {
  return Array.from({ length: Math.ceil(form.length / length) }, (_, i) =>
    piece(index, i * length, form.subarray(i * length, (i + 1) * length)),
  );
}

async function opened(
  encodings: PeerEncodings,
): Promise<EncodedRequest & { taken: Taken[]; wrong: number[]; wire: number[] }> {
  const taken: Taken[] = [];
  const wire: number[] = [];
  const wrong: number[] = [];
  const request = await encodings.open(wanted, {
    onPiece: (index, offset, bytes, intact) => taken.push({ index, offset, bytes: Buffer.from(bytes), intact }),
    onWrong: (index) => wrong.push(index),
    onWireBytes: (bytes) => wire.push(bytes),
  });
  return { ...request, taken, wrong, wire };
}

describe("a request's encodings", () => {
  it('are none at first, and none ever where they are off; pieces of plain chunks pass', async () => {
    for (const encodings of [new PeerEncodings({ loadZstd }), new PeerEncodings({ loadZstd, mode: 'off' })]) {
      const { encodings: offered, onChunk, taken, wire } = await opened(encodings);
      onChunk(piece(1, 7, Buffer.of(1, 2), { encoded: false }));
      onChunk(piece(1, 9, Buffer.of(3), { encoded: false, intact: false }));
      expect(offered).toBeUndefined();
      expect(wire).toEqual([2, 1]);
      expect(taken).toEqual([
        { index: 1, offset: 7, bytes: Buffer.of(1, 2), intact: true },
        { index: 1, offset: 9, bytes: Buffer.of(3), intact: false },
      ]);
    }
  });

  it('are offered on a slow path, and each encoded chunk is given on as one piece', async () => {
    const { encodings, onChunk, taken, wire } = await opened(await offering());
    expect(encodings).toEqual([CHUNK_ENCODING]);
    for (const [index, form] of forms.entries()) for (const one of pieces(index, form)) onChunk(one);
    expect(taken.map(({ index, offset, intact }) => [index, offset, intact])).toEqual([
      [0, 0, true],
      [1, 0, true],
      [2, 0, true],
    ]);
    for (const { index, bytes } of taken) expect(bytes.equals(chunks[index] as Buffer)).toBe(true);
    expect(wire.reduce((sum, bytes) => sum + bytes, 0)).toBe(forms.reduce((sum, form) => sum + form.length, 0));
  });

  it.each<[string, (form: Buffer) => ChunkPiece[]]>([
    ['a piece is damaged', (form) => pieces(0, form).map((one, i) => ({ ...one, intact: i !== 2 }))],
    ['a piece is missing', (form) => pieces(0, form).filter((_, i) => i !== 1)],
    ['a piece comes twice', (form) => pieces(0, form).flatMap((one, i) => (i === 1 ? [one, one] : [one]))],
    ['pieces come in another order', (form) => pieces(0, form).reverse()],
  ])('make a chunk damaged when %s, and the next one is right', async (_what, broken) => {
    const { onChunk, taken } = await opened(await offering());
    for (const one of broken(Buffer.from(forms[0] as Buffer))) onChunk(one);
    expect(taken.length).toBeGreaterThan(0);
    expect(taken.every(({ index, intact }) => index === 0 && !intact)).toBe(true);
    for (const one of pieces(1, forms[1] as Buffer)) onChunk(one);
    expect(taken.at(-1)).toMatchObject({ index: 1, intact: true });
    expect(taken.at(-1)?.bytes.equals(chunks[1] as Buffer)).toBe(true);
  });

  it.each<[string, (form: Buffer) => ChunkPiece[]]>([
    ['its content is changed', (form) => pieces(0, Buffer.concat([form.subarray(0, 9), form.subarray(9).reverse()]))],
    [
      'it is of another size',
      (form) => pieces(0, Buffer.concat([form.subarray(0, 2), Buffer.of(0xff), form.subarray(3)])),
    ],
    ['its head is cut off', (form) => pieces(0, form, 5)],
    ['it says that it is longer than the longest chunk', () => [piece(0, 0, Buffer.from('01fffffffffffffff0', 'hex'))]],
    ['it has begun already', (form) => [...pieces(0, form).slice(0, 2), ...pieces(0, form)]],
  ])('make a chunk wrong when %s, and are offered no more', async (_what, broken) => {
    const encodings = await offering();
    const { onChunk, taken, wrong } = await opened(encodings);
    for (const one of broken(Buffer.from(forms[0] as Buffer))) onChunk(one);
    expect(wrong).toEqual([0]);
    expect(taken.every(({ index, intact }) => index === 0 && !intact)).toBe(true);
    // What was asked for before still comes encoded.
    for (const one of pieces(1, forms[1] as Buffer)) onChunk(one);
    expect(taken.at(-1)?.bytes.equals(chunks[1] as Buffer)).toBe(true);
    expect((await opened(encodings)).encodings).toBeUndefined();
  });

  it('make a wrong chunk of one that is encoded though nothing was offered', async () => {
    const { onChunk, taken, wrong } = await opened(new PeerEncodings({ loadZstd, mode: 'off' }));
    for (const one of pieces(0, forms[0] as Buffer)) onChunk(one);
    expect(wrong).toEqual([0]);
    expect(taken.every(({ intact }) => !intact)).toBe(true);
  });

  it('are none for good where nothing can decode them', async () => {
    let loads = 0;
    const load = async (): Promise<never> => {
      loads++;
      throw new Error('no WebAssembly here');
    };
    const encodings = await offering({ loadZstd: load });
    for (let time = 0; time < 3; time++) expect((await opened(encodings)).encodings).toBeUndefined();
    expect(loads).toBe(1);
  });

  it('survive any pieces', async () => {
    const encodings = await offering();
    const any = fc.record({
      index: fc.nat(4),
      offset: fc.oneof(fc.constant(0), fc.nat(30)),
      payload: fc.uint8Array({ minLength: 1, maxLength: 30 }),
      intact: fc.boolean(),
      encoded: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(any, { maxLength: 20 }), async (given) => {
        const { onChunk, taken } = await opened(encodings);
        for (const one of given) onChunk(one);
        expect(taken.filter(({ intact }) => intact).length).toBe(
          given.filter((one) => !one.encoded && one.intact).length,
        );
      }),
    );
  });
});
