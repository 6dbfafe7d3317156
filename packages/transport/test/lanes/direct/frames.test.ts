import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { END_WORD, type FrameHandlers, FrameReader, HEARD_WORD } from '../../../src/lanes/direct/frame-reader.ts';
import { FrameWriter } from '../../../src/lanes/direct/frame-writer.ts';
import { MIN_IN_PLACE_BYTES, OUT_BUFFER_BYTES } from '../../../src/lanes/direct/limits.ts';

const messages = fc.array(fc.uint8Array({ minLength: 1, maxLength: 200 }), { maxLength: 30 });
const LONG = MIN_IN_PLACE_BYTES + 100;

describe('frames', () => {
  it('come out of the reader as they went into the writer, however the bytes are cut on their way', () => {
    fc.assert(
      fc.property(messages, fc.infiniteStream(fc.integer({ min: 1, max: 70 })), (sent, cuts) => {
        const { writer, bytes } = written();
        for (const message of sent) {
          void writer.add(message);
          writer.say(HEARD_WORD);
        }
        writer.finish(END_WORD, () => {});
        expect(read(bytes(), cuts)).toEqual({ received: sent.map((message) => [...message]), ends: 1 });
      }),
    );
  });

  it('are read from any bytes without harm: messages within the limit, or a malformed_message', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 500 }),
        fc.infiniteStream(fc.integer({ min: 1, max: 9 })),
        (bytes, cuts) => {
          try {
            const { received } = read(bytes, cuts);
            expect(received.every(({ length }) => length >= 1 && length <= 256)).toBe(true);
          } catch (error) {
            expect(error).toMatchObject({ code: 'malformed_message' });
          }
        },
      ),
    );
  });

  it('go out in one write when they were given while another was under way', () => {
    const { writer, writes, release } = written({ hold: true });
    for (let i = 0; i < 100; i++) void writer.add(new Uint8Array([i]));
    release();
    expect(writes.map(({ byteLength }) => byteLength)).toEqual([5, 99 * 5]);
  });

  it('wait in the memory of their sender when two buffers are full, and go on in order', async () => {
    const { writer, writes, bytes, release } = written({ hold: true });
    const size = OUT_BUFFER_BYTES - 1_000;
    const sends = [1, 2, 3, 4].map((byte) => writer.add(new Uint8Array(size).fill(byte)));
    expect(sends.map((send) => send === undefined)).toEqual([true, true, false, false]);
    expect(writes).toHaveLength(1);
    while (writes.length < 4) release();
    await Promise.all(sends);
    const { received } = read(bytes(), [16_384][Symbol.iterator](), size);
    expect(received.map((message) => [message[0], message.length])).toEqual([1, 2, 3, 4].map((byte) => [byte, size]));
  });

  it('go out in their order, whether they are copied or sent from where they are', () => {
    const sizes = fc.array(fc.constantFrom(1, 100, MIN_IN_PLACE_BYTES - 1, LONG, OUT_BUFFER_BYTES - 4), {
      maxLength: 12,
    });
    fc.assert(
      fc.property(sizes, fc.boolean(), (lengths, hold) => {
        const { writer, bytes } = written({ hold });
        const sent = lengths.map((length, i) => {
          const memory = new Uint8Array(4 + length).fill(i);
          void writer.add(memory.subarray(4), i % 3 === 0 ? 0 : 4);
          return [i, length];
        });
        writer.finish(END_WORD, () => {});
        const { received, ends } = read(bytes(), [16_384, 70_001][Symbol.iterator](), OUT_BUFFER_BYTES);
        expect(received.map((message) => [message[0], message.length])).toEqual(sent);
        expect(ends).toBe(1);
      }),
      { numRuns: 30 },
    );
  });

  it('go out from where they are when they are long and there is room for a head', async () => {
    const { writer, sources, release } = written({ hold: true });
    const memory = new Uint8Array(4 + LONG);
    let isTaken = false;
    const sending = writer.add(memory.subarray(4), 4)?.then(() => {
      isTaken = true;
    });
    void writer.add(new Uint8Array(LONG), 0);
    void writer.add(memory.subarray(4, 104), 4);
    await Promise.resolve();
    expect(isTaken).toBe(false);
    release();
    await sending;
    release();
    expect(sources.map((buffer) => buffer === memory.buffer)).toEqual([true, false]);
  });

  it('that are with the socket fail when they are dropped, as their memory is not free', async () => {
    const { writer } = written({ hold: true });
    const sending = writer.add(new Uint8Array(4 + LONG).subarray(4), 4);
    const error = Object.assign(new Error('gone'), { code: 'network' });
    writer.drop(error as never);
    await expect(sending).rejects.toBe(error);
  });

  it('that wait fail when they are dropped', async () => {
    const { writer } = written({ hold: true });
    const sends = [1, 2, 3].map(() => writer.add(new Uint8Array(OUT_BUFFER_BYTES - 4)));
    const error = Object.assign(new Error('gone'), { code: 'network' });
    writer.drop(error as never);
    await expect(sends[2]).rejects.toBe(error);
  });
});

/** A writer whose socket takes everything, at once or when it is told to. */
function written({ hold = false } = {}) {
  const writes: Uint8Array[] = [];
  const sources: ArrayBufferLike[] = [];
  const callbacks: (() => void)[] = [];
  const writer = new FrameWriter({
    write(bytes, callback) {
      writes.push(Uint8Array.from(bytes));
      sources.push(bytes.buffer);
      callbacks.push(() => callback());
      if (!hold) queueMicrotask(release);
    },
  });
  const release = () => callbacks.shift()?.();
  const bytes = () => {
    while (callbacks.length > 0) release();
    return Buffer.concat(writes);
  };
  return { writer, writes, sources, bytes, release };
}

function read(bytes: Uint8Array, cuts: Iterator<number> | Iterable<number>, maxMessageBytes = 256) {
  const received: number[][] = [];
  let ends = 0;
  const handlers: FrameHandlers = {
    onMessage: (message) => received.push([...message]),
    onEnd: () => ends++,
  };
  const reader = new FrameReader(maxMessageBytes, handlers);
  const sizes = Symbol.iterator in cuts ? cuts[Symbol.iterator]() : cuts;
  for (let at = 0; at < bytes.byteLength; ) {
    const next = sizes.next();
    const size = next.done === true ? bytes.byteLength : next.value;
    reader.push(bytes.subarray(at, at + size));
    at += size;
  }
  return { received, ends };
}
