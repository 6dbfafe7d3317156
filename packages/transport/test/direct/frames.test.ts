import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { END_WORD, type FrameHandlers, FrameReader, HEARD_WORD } from '../../src/direct/frame-reader.ts';
import { FrameWriter } from '../../src/direct/frame-writer.ts';
import { OUT_BUFFER_BYTES } from '../../src/direct/limits.ts';

const messages = fc.array(fc.uint8Array({ minLength: 1, maxLength: 200 }), { maxLength: 30 });

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
  const callbacks: (() => void)[] = [];
  const writer = new FrameWriter({
    write(bytes, callback) {
      writes.push(Uint8Array.from(bytes));
      callbacks.push(() => callback());
      if (!hold) queueMicrotask(release);
    },
  });
  const release = () => callbacks.shift()?.();
  const bytes = () => {
    while (callbacks.length > 0) release();
    return Buffer.concat(writes);
  };
  return { writer, writes, bytes, release };
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
