import assert from 'node:assert/strict';
import { ModelRtcError } from '@model-rtc/protocol';
import type { Lane } from '../../src/core/lane/lane.ts';

/** How the two sides of a scenario wait for each other, beside the lane. */
export interface Sideline {
  tell(event: string): void;
  told(event: string): Promise<void>;
}

export type Role = (lane: Lane, sideline: Sideline) => Promise<void>;

/** What one side does and what the other does, at the same time; either throws when the lane breaks its contract. */
export interface Scenario {
  readonly left: Role;
  readonly right: Role;
}

/** What a lane must do, as it is said in src/lane.ts; in plain functions, since the sides may be separate processes. */
export const LANE_SCENARIOS: Readonly<Record<string, Scenario>> = {
  'delivers messages of every size whole and in order, in both directions at once': {
    left: async (lane) => {
      await Promise.all([sendVaried(lane, 1, 60), receiveVaried(lane, 2, 60)]);
      await lane.close();
    },
    right: async (lane) => {
      await Promise.all([sendVaried(lane, 2, 60), receiveVaried(lane, 1, 60)]);
      assert.equal(await lane.closed, undefined);
    },
  },
  'delivers 10,000 small messages that were sent without waiting': {
    left: async (lane) => {
      const sends = Array.from({ length: 10_000 }, (_, i) => lane.send(numbered(i)));
      await Promise.all(sends);
      await lane.close();
    },
    right: async (lane) => {
      let expected = 0;
      for await (const message of lane.messages) assert.deepEqual([...message], [...numbered(expected++)]);
      assert.equal(expected, 10_000);
    },
  },
  'takes a message of exactly maxMessageSize and refuses an empty one and one byte more, staying open': {
    left: async (lane) => {
      await assert.rejects(lane.send(new Uint8Array(lane.maxMessageSize + 1)), { code: 'bad_argument' });
      await assert.rejects(lane.send(new Uint8Array(0)), { code: 'bad_argument' });
      await lane.send(new Uint8Array(lane.maxMessageSize).fill(9));
      await lane.close();
    },
    right: async (lane) => {
      const sizes = (await readAll(lane)).map((message) => message.byteLength);
      assert.deepEqual(sizes, [lane.maxMessageSize]);
    },
  },
  'makes the sender wait for a reader that does not read, and goes on when it does': {
    left: async (lane, sideline) => {
      const message = new Uint8Array(lane.maxMessageSize);
      const totalMessages = Math.ceil((16 * 1024 * 1024) / message.byteLength);
      let acceptedMessages = 0;
      const sending = (async () => {
        for (; acceptedMessages < totalMessages; acceptedMessages++) await lane.send(message);
      })();
      // Ends when nothing moves; on a lane without back-pressure all messages would have been accepted by then.
      for (let before = -1; before !== acceptedMessages; ) {
        before = acceptedMessages;
        await new Promise((resolve) => setTimeout(resolve, 250));
      }
      assert.ok(acceptedMessages * message.byteLength < 8 * 1024 * 1024, `${acceptedMessages} messages were accepted`);
      sideline.tell('stuck');
      await sending;
      await lane.close();
    },
    right: async (lane, sideline) => {
      await sideline.told('stuck');
      const receivedBytes = (await readAll(lane)).reduce((sum, message) => sum + message.byteLength, 0);
      assert.ok(receivedBytes >= 16 * 1024 * 1024);
      assert.equal(lane.stats().receivedBytes, receivedBytes);
    },
  },
  'lets the sender reuse its buffer, and the reader keep what it got': {
    left: async (lane) => {
      const buffer = new Uint8Array(1000);
      for (let i = 0; i < 200; i++) {
        await lane.send(buffer.fill(i));
      }
      await lane.close();
    },
    right: async (lane) => {
      const messages = await readAll(lane);
      assert.equal(messages.length, 200);
      messages.forEach((message, i) => {
        assert.ok(message.every((byte) => byte === i % 256));
      });
    },
  },
  'flushes on close all that was sent, also without waiting, and then refuses to send on both sides': {
    left: async (lane) => {
      const size = Math.min(lane.maxMessageSize, 50_000);
      for (let i = 0; i < 100; i++) void lane.send(new Uint8Array(size).fill(i));
      await lane.close();
      assert.equal(await lane.closed, undefined);
      await assert.rejects(lane.send(new Uint8Array(1)), { code: 'network' });
      await lane.close();
    },
    right: async (lane) => {
      const messages = await readAll(lane);
      assert.deepEqual(
        messages.map((message) => message[0]),
        Array.from({ length: 100 }, (_, i) => i),
      );
      assert.equal(await lane.closed, undefined);
      await assert.rejects(lane.send(new Uint8Array(1)), { code: 'network' });
      await lane.close();
    },
  },
  'ends in order when both sides close it at once': {
    left: closeAfter(5),
    right: closeAfter(7),
  },
  'loses nothing when a reader leaves its loop and another goes on': {
    left: async (lane) => {
      for (let i = 0; i < 10; i++) await lane.send(numbered(i));
      await lane.close();
    },
    right: async (lane) => {
      const seen: number[] = [];
      for await (const message of lane.messages) {
        seen.push(message[3] as number);
        if (seen.length === 4) break;
      }
      for await (const message of lane.messages) seen.push(message[3] as number);
      assert.deepEqual(seen, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    },
  },
  'ends at once with the reason when it is aborted, and with an error on the other side': {
    left: async (lane, sideline) => {
      await sideline.told('reading');
      const reason = new ModelRtcError('busy', 'enough');
      lane.abort(reason);
      assert.equal(await lane.closed, reason);
      await assert.rejects(lane.send(new Uint8Array(1)), /enough/);
      await lane.close();
    },
    right: async (lane, sideline) => {
      sideline.tell('reading');
      assert.deepEqual(await readAll(lane), []);
      assert.equal((await lane.closed)?.code, 'network');
    },
  },
};

/** Both have sent all and close; what arrived before can still be read, and the end comes after it. */
function closeAfter(count: number): Role {
  return async (lane, sideline) => {
    for (let i = 0; i < count; i++) await lane.send(numbered(i));
    sideline.tell('sent');
    await sideline.told('sent');
    await lane.close();
    assert.equal(await lane.closed, undefined);
    const received = await readAll(lane);
    for (const [i, message] of received.entries()) assert.deepEqual([...message], [...numbered(i)]);
  };
}

async function readAll(lane: Lane): Promise<Uint8Array[]> {
  const messages: Uint8Array[] = [];
  for await (const message of lane.messages) messages.push(message);
  return messages;
}

function numbered(i: number): Uint8Array {
  return new Uint8Array([i >>> 24, i >>> 16, i >>> 8, i]);
}

async function sendVaried(lane: Lane, seed: number, count: number): Promise<void> {
  for (const message of varied(lane.maxMessageSize, seed, count)) await lane.send(message);
}

async function receiveVaried(lane: Lane, seed: number, count: number): Promise<void> {
  const expected = varied(lane.maxMessageSize, seed, count);
  for await (const message of lane.messages) {
    const next = expected.next();
    assert.ok(!next.done && Buffer.compare(message, next.value) === 0, 'a message differs from what was sent');
    if (--count === 0) return;
  }
  assert.fail('the lane ended early');
}

/** Messages of 1 to `maxSize` bytes, the same on both sides (a linear congruential generator). */
function* varied(maxSize: number, seed: number, count: number): Generator<Uint8Array> {
  let state = seed;
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state;
  };
  for (let i = 0; i < count; i++) {
    const message = new Uint8Array(1 + (next() % maxSize));
    for (let at = 0; at < message.byteLength; at++) message[at] = i + at * seed;
    yield message;
  }
}
