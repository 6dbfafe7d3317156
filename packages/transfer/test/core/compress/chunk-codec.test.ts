import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { MAX_CHUNK_BYTES } from '@model-rtc/protocol';
import fc from 'fast-check';
import { runs } from '../../../../../test/support/runs.ts';
import { ChunkCodec, ENCODED_HEAD_BYTES, readEncodedHead } from '../../../src/core/compress/chunk-codec.ts';
import { loadZstd, nodeZstd, wasmZstd } from '../../../src/node/zstd.ts';
import { makeWeights } from '../../support/weights.ts';

const SIZE = 1024 * 1024;
const wasm = await wasmZstd();
const node = nodeZstd();
const codecs = [wasm, node].flatMap((zstd) => (zstd === undefined ? [] : [[zstd.name, zstd] as const]));

/** An encoded form as a hostile sender makes it. */
function form(transform: number, chunkBytes: number, content: Uint8Array): Buffer {
  const head = Buffer.alloc(ENCODED_HEAD_BYTES);
  head.writeUInt8(transform, 0);
  head.writeUInt32BE(chunkBytes, 1);
  head.writeUInt32BE(ENCODED_HEAD_BYTES + content.length, 5);
  return Buffer.concat([head, content]);
}

describe.each(codecs)('the codec of chunks with the zstd of %s', (_name, zstd) => {
  const codec = new ChunkCodec(zstd);

  it.each([
    ['bf16 weights', makeWeights(SIZE, 2), 2, 0.7],
    ['f32 weights', makeWeights(SIZE, 4), 4, 0.87],
    ['text', Buffer.alloc(SIZE, '{"layer": "model.layers.17.mlp", "dtype": "bf16"}, '), 1, 0.05],
    ['weights of an odd length', makeWeights(SIZE - 6, 2).subarray(0, SIZE - 7), 2, 0.8],
    ['few weights', makeWeights(5000, 2), 2, 0.82],
    ['zeros', Buffer.alloc(SIZE), 1, 0.01],
  ] as const)('writes %s shorter, and gives them back', (_what, chunk, transform, ratio) => {
    const encoded = codec.encode(chunk, new Uint8Array(chunk.length)) as Uint8Array;
    expect(encoded.length).toBeLessThan(chunk.length * ratio);
    expect(readEncodedHead(encoded)).toEqual({ transform, chunkBytes: chunk.length, encodedBytes: encoded.length });
    expect(chunk.equals(codec.decode(Uint8Array.from(encoded), chunk.length) as Uint8Array)).toBe(true);
  });

  it('writes a chunk over itself', () => {
    const chunk = makeWeights(SIZE, 2);
    const memory = Uint8Array.from(chunk);
    const encoded = codec.encode(memory, memory) as Uint8Array;
    expect(encoded.buffer).toBe(memory.buffer);
    expect(chunk.equals(codec.decode(encoded, SIZE) as Uint8Array)).toBe(true);
  });

  it.each([
    ['random bytes', randomBytes(SIZE)],
    ['next to nothing', Buffer.alloc(100)],
    ['random bytes with a compressible start', mostlyRandom()],
  ])('leaves %s as they are', (_what, chunk) => {
    expect(codec.encode(chunk, new Uint8Array(chunk.length))).toBeUndefined();
  });

  it('gives nothing, and takes no more memory than the chunk, for a bomb', () => {
    const zeros = zstd.compress(new Uint8Array(MAX_CHUNK_BYTES));
    expect(codec.decode(form(1, 1000, zeros), 1000)).toBeUndefined();
    expect(codec.decode(form(1, 0xffff_ffff, zeros), 0xffff_ffff)).toBeUndefined();
    expect(
      codec.decode(form(1, 1000, Buffer.concat([zstd.compress(new Uint8Array(1000)), zeros])), 1000),
    ).toBeUndefined();
    // A frame without its size, with one far too long, with a window of 2 GiB, and one that is to be skipped.
    for (const hex of [
      '28b52ffd00580100',
      '28b52ffde0ffffffffffff1f0001',
      '28b52ffd80b0e803000001',
      '502a4d18ffffff7f00',
    ])
      expect(codec.decode(form(1, 1000, Buffer.from(hex, 'hex')), 1000)).toBeUndefined();
    expect(codec.decode(form(1, MAX_CHUNK_BYTES, zeros), MAX_CHUNK_BYTES)).toHaveLength(MAX_CHUNK_BYTES);
  });

  it('gives nothing for garbage', () => {
    fc.assert(
      fc.property(fc.constantFrom(0, 1, 2, 3, 4, 255), fc.uint8Array({ maxLength: 100 }), (transform, junk) => {
        const content = Buffer.concat([Buffer.from('28b52ffd', 'hex'), junk]);
        expect(codec.decode(form(transform, 400, content), 400)?.length ?? 400).toBe(400);
        expect(codec.decode(form(transform, 400, junk), 400)).toBeUndefined();
        expect(codec.decode(junk, 400)).toBeUndefined();
      }),
      { numRuns: runs(300) },
    );
  });

  it('gives nothing or some chunk of the right size for what was damaged, cut off or is of another chunk', () => {
    const chunk = makeWeights(4096, 2);
    const encoded = Buffer.from(codec.encode(chunk, new Uint8Array(4096)) as Uint8Array);
    expect(codec.decode(encoded, 4095)).toBeUndefined();
    expect(codec.decode(encoded.subarray(0, -1), 4096)).toBeUndefined();
    expect(codec.decode(Buffer.concat([encoded, Buffer.of(0)]), 4096)).toBeUndefined();
    fc.assert(
      fc.property(fc.nat(encoded.length - 1), fc.integer({ min: 1, max: 255 }), (at, bits) => {
        const damaged = Buffer.from(encoded);
        damaged[at] = (damaged[at] as number) ^ bits;
        expect(codec.decode(damaged, 4096)?.length ?? 4096).toBe(4096);
      }),
      { numRuns: runs(300) },
    );
  });

  it('reads what each of the others wrote', () => {
    const chunk = makeWeights(SIZE, 4);
    for (const [, other] of codecs) {
      const encoded = new ChunkCodec(other).encode(chunk, new Uint8Array(SIZE)) as Uint8Array;
      expect(chunk.equals(codec.decode(encoded, SIZE) as Uint8Array)).toBe(true);
    }
  });
});

describe('the zstd that is loaded', () => {
  it("is Node's own where it has one, and is loaded once", async () => {
    expect((await loadZstd()).name).toBe(node === undefined ? 'wasm' : 'node');
    expect(loadZstd()).toBe(loadZstd());
  });
});

/** Compressible at its start, middle and end alone. */
function mostlyRandom(): Buffer {
  const chunk = randomBytes(1024 * 1024);
  for (const at of [0, 512 * 1024 - 8192, 1024 * 1024 - 16_384]) chunk.fill('ab', at, at + 2000);
  return chunk;
}
