import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../../../test/support/runs.ts';
import { CHUNK_FRAME_HEADER_BYTES, isFrame, loadFrameCodec, MAX_CHUNK_BYTES, packValue } from '../src/index.ts';
import { orRefused } from './support/outcome.ts';

const codec = await loadFrameCodec();
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const chunkArbitrary = fc.record({
  request: u32,
  index: u32,
  offset: fc.integer({ min: 0, max: MAX_CHUNK_BYTES - 200 }),
  encoded: fc.boolean(),
  payload: fc.uint8Array({ minLength: 1, maxLength: 200 }),
});

describe('a chunk frame', () => {
  it('brings its header and payload back, intact', () => {
    fc.assert(
      fc.property(chunkArbitrary, ({ payload, ...header }) => {
        const frame = codec.encodeChunk(header, payload);
        expect(frame).toHaveLength(CHUNK_FRAME_HEADER_BYTES + payload.length);
        expect(isFrame(frame)).toBe(true);
        expect(codec.decode(frame)).toEqual({ kind: 'chunk', ...header, payload, intact: true });
      }),
    );
  });

  it('whose payload or hash was damaged is told at once', () => {
    fc.assert(
      fc.property(chunkArbitrary, fc.nat(), fc.integer({ min: 1, max: 255 }), ({ payload, ...header }, at, bits) => {
        const frame = codec.encodeChunk(header, payload);
        const place = 20 + (at % (frame.length - 20));
        frame[place] = (frame[place] as number) ^ bits;
        expect(codec.decode(frame)).toMatchObject({ kind: 'chunk', intact: false });
      }),
    );
  });

  it('without its xxh64 is right over a sealed lane alone', () => {
    const payload = Uint8Array.of(7, 8, 9);
    const frame = codec.encodeChunk({ request: 1, index: 2, offset: 3 }, payload, undefined, false);
    expect([...frame.subarray(20, 28)]).toEqual(Array(8).fill(0));
    expect(codec.decode(frame, true)).toMatchObject({ payload, intact: true });
    expect(codec.decode(frame)).toMatchObject({ intact: false });
  });

  it('gives its payload as a view of the bytes that came, without a copy', () => {
    const frame = codec.encodeChunk({ request: 1, index: 2, offset: 3 }, Uint8Array.of(7, 8, 9));
    const { payload } = codec.decode(frame);
    expect([payload.buffer === frame.buffer, payload.byteOffset]).toEqual([true, CHUNK_FRAME_HEADER_BYTES]);
  });

  it('is encoded into memory that is given, also around a payload that is already there', () => {
    const memory = new Uint8Array(100).fill(0xee);
    const header = { request: 1, index: 2, offset: 3 };
    const payload = Uint8Array.from({ length: 40 }, (_, i) => i);
    const copied = codec.encodeChunk(header, payload, memory);
    expect([copied.buffer === memory.buffer, copied.length, memory[CHUNK_FRAME_HEADER_BYTES + 40]]).toEqual([
      true,
      68,
      0xee,
    ]);
    expect(codec.decode(copied)).toMatchObject({ payload, intact: true });

    const place = memory.subarray(CHUNK_FRAME_HEADER_BYTES, CHUNK_FRAME_HEADER_BYTES + 40);
    expect(codec.decode(codec.encodeChunk(header, place, memory))).toMatchObject({ payload, intact: true });

    memory.set(payload, 10);
    const overlapping = codec.encodeChunk(header, memory.subarray(10, 50), memory);
    expect(codec.decode(overlapping)).toMatchObject({ payload, intact: true });
  });

  it('is of the chunk itself where nothing else is said', () => {
    const frame = codec.encodeChunk({ request: 1, index: 2, offset: 3 }, Uint8Array.of(7));
    expect(codec.decode(frame)).toMatchObject({ encoded: false });
  });

  it('reads from the middle of other memory', () => {
    const frame = codec.encodeChunk({ request: 1, index: 2, offset: 3 }, Uint8Array.of(7, 8, 9));
    const around = Buffer.concat([Buffer.from('junk'), frame, Buffer.from('junk')]);
    expect(codec.decode(around.subarray(4, 4 + frame.length))).toMatchObject({
      request: 1,
      index: 2,
      offset: 3,
      intact: true,
    });
  });
});

describe('FrameCodec.decode', () => {
  it('refuses any bytes with a ModelRtcError or gives a frame within the limits', () => {
    const head = fc.constantFrom([0xc1, 1, 0, 0], [0xc1, 2, 0, 0], [0xc1, 1], [0xc1, 2], [0xc1, 3], [0x81]);
    fc.assert(
      fc.property(head, fc.uint8Array({ maxLength: 80 }), (start, rest) => {
        const frame = orRefused(() => codec.decode(Uint8Array.from([...start, ...rest])));
        if (frame !== undefined) expect(frame.offset + frame.payload.length).toBeLessThanOrEqual(2 ** 25);
      }),
      { numRuns: runs(3000) },
    );
  });

  it('refuses frames whose header was damaged, or gives a frame that says what it says', () => {
    fc.assert(
      fc.property(chunkArbitrary, fc.nat(19), fc.integer({ min: 1, max: 255 }), ({ payload, ...header }, at, bits) => {
        const bytes = codec.encodeChunk(header, payload);
        bytes[at] = (bytes[at] as number) ^ bits;
        const frame = orRefused(() => codec.decode(bytes));
        // The low byte of the flags: the one flag that there is may have come or gone.
        if (frame?.kind === 'chunk') expect(at).toBeGreaterThanOrEqual(3);
        if (frame?.kind === 'chunk' && at === 3) expect(frame.encoded).toBe(!header.encoded);
      }),
    );
  });
});

describe('isFrame', () => {
  it('is false for every message and for nothing', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        fc.pre(!JSON.stringify(value).includes('__proto__'));
        expect(isFrame(packValue(value))).toBe(false);
      }),
    );
    expect(isFrame(new Uint8Array())).toBe(false);
  });
});

describe('loadFrameCodec', () => {
  it('compiles once', async () => {
    expect(await loadFrameCodec()).toBe(codec);
  });
});
