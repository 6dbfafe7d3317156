import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  encodeFragments,
  FragmentAssembler,
  type FragmentFrame,
  loadFrameCodec,
  MAX_MESSAGE_BYTES,
  MAX_PARTIAL_MESSAGES,
} from '../src/index.ts';
import { failureOf, orRefused } from './support/outcome.ts';

const codec = await loadFrameCodec();
const messageOf = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 7) & 0x7f);

function fragmentsOf(bytes: Uint8Array, messageId: number, maxMessageSize: number): FragmentFrame[] {
  return [...encodeFragments(bytes, messageId, maxMessageSize)].map((piece) => codec.decode(piece) as FragmentFrame);
}

function fragment(fields: Partial<FragmentFrame>): FragmentFrame {
  return { kind: 'fragment', message: 1, total: 10, offset: 0, payload: messageOf(4), ...fields };
}

describe('encodeFragments', () => {
  it('leaves a message alone that the lane takes at once', () => {
    const message = messageOf(50);
    expect([...encodeFragments(message, 1, 50)]).toEqual([message]);
  });

  it('gives fragments that fit and that join to the message', () => {
    fc.assert(
      fc.property(fc.integer({ min: 60, max: 3000 }), fc.integer({ min: 21, max: 59 }), (length, maxMessageSize) => {
        const message = messageOf(length);
        const pieces = [...encodeFragments(message, 9, maxMessageSize)];
        expect(pieces.every((piece) => piece.length <= maxMessageSize)).toBe(true);
        const assembler = new FragmentAssembler();
        const results = pieces.map((piece) => assembler.add(codec.decode(piece) as FragmentFrame));
        expect(results.pop()).toEqual(message);
        expect(results.every((result) => result === undefined)).toBe(true);
      }),
    );
  });
});

describe('FragmentAssembler', () => {
  it('joins several messages whose fragments come in between each other', () => {
    const assembler = new FragmentAssembler();
    const messages = [messageOf(300), messageOf(200), messageOf(100), messageOf(250)];
    const queues = messages.map((message, id) => fragmentsOf(message, id, 40));
    const joined: (Uint8Array | undefined)[] = [];
    while (queues.some((queue) => queue.length > 0)) {
      for (const [id, queue] of queues.entries()) {
        const next = queue.shift();
        if (next !== undefined) joined[id] = assembler.add(next) ?? joined[id];
      }
    }
    expect(joined).toEqual(messages);
  });

  it('takes a number again once its message is whole', () => {
    const assembler = new FragmentAssembler();
    for (const length of [70, 80, 90]) {
      expect(
        fragmentsOf(messageOf(length), 1, 40)
          .map((piece) => assembler.add(piece))
          .at(-1),
      ).toEqual(messageOf(length));
    }
  });

  it('copies what it is given, since the memory of a lane is used again', () => {
    const assembler = new FragmentAssembler();
    const payload = messageOf(4);
    assembler.add(fragment({ total: 5, payload }));
    payload.fill(0xff);
    expect(assembler.add(fragment({ total: 5, offset: 4, payload: messageOf(1) }))).toEqual(
      Uint8Array.of(...messageOf(4), ...messageOf(1)),
    );
  });

  it.each([
    ['a first fragment that is not the first', [fragment({ offset: 4 })]],
    ['a fragment twice', [fragment({}), fragment({})]],
    ['a gap', [fragment({}), fragment({ offset: 5 })]],
    ['another length than at first', [fragment({}), fragment({ offset: 4, total: 11 })]],
    ['more than the message has', [fragment({}), fragment({ offset: 4, payload: messageOf(7) })]],
    ['a message that is too long', [fragment({ total: MAX_MESSAGE_BYTES + 1 })]],
    ['a frame inside', [fragment({ payload: Uint8Array.of(0xc1, 1, 0, 0) })]],
    ['too many messages', Array.from({ length: MAX_PARTIAL_MESSAGES + 1 }, (_, message) => fragment({ message }))],
  ])('refuses %s', (_, fragments) => {
    const assembler = new FragmentAssembler();
    for (const good of fragments.slice(0, -1)) expect(assembler.add(good)).toBeUndefined();
    expect(failureOf(() => assembler.add(fragments.at(-1) as FragmentFrame)).code).toBe('malformed_message');
  });

  it('takes no memory for what has not come', () => {
    const assembler = new FragmentAssembler();
    const before = process.memoryUsage().arrayBuffers;
    for (let message = 0; message < MAX_PARTIAL_MESSAGES; message++) {
      assembler.add(fragment({ message, total: MAX_MESSAGE_BYTES, payload: messageOf(1) }));
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 * 1024 * 1024);
  });

  it('asks its gate once a message, joins what is admitted, passes over the rest, and gives back what it took', () => {
    const asked: [number, number][] = [];
    let held = 0;
    const assembler = new FragmentAssembler({
      admit: (first, total) => {
        asked.push([first.length, total]);
        const isAdmitted = total !== 10;
        if (isAdmitted) held += total;
        return isAdmitted;
      },
      release: (total) => {
        held -= total;
      },
    });
    assembler.add(fragment({ message: 1, total: 10 }));
    assembler.add(fragment({ message: 2, total: 6 }));
    expect(held).toBe(6);
    expect(assembler.add(fragment({ message: 1, total: 10, offset: 4, payload: messageOf(6) }))).toBeUndefined();
    expect(assembler.add(fragment({ message: 2, total: 6, offset: 4, payload: messageOf(2) }))).toHaveLength(6);
    expect(held).toBe(0);
    assembler.add(fragment({ message: 3, total: 7 }));
    expect([assembler.isWaiting, held]).toEqual([true, 7]);
    assembler.clear();
    expect([assembler.isWaiting, held]).toEqual([false, 0]);
    expect(asked).toEqual([
      [4, 10],
      [4, 6],
      [4, 7],
    ]);
  });

  it('answers any fragments with a ModelRtcError, a message of the said length, or nothing', () => {
    const any = fc.record({
      message: fc.nat(5),
      total: fc.integer({ min: 1, max: 12 }),
      offset: fc.nat(12),
      length: fc.integer({ min: 1, max: 6 }),
    });
    fc.assert(
      fc.property(fc.array(any, { maxLength: 30 }), (pieces) => {
        const assembler = new FragmentAssembler();
        for (const { length, ...fields } of pieces) {
          const joined = orRefused(() => assembler.add(fragment({ ...fields, payload: messageOf(length) })));
          if (joined !== undefined) expect(joined).toHaveLength(fields.total);
        }
      }),
    );
  });
});
