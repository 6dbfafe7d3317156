import { describe, expect, it } from '@jest/globals';
import { ModelRtcError } from '@model-rtc/protocol';
import { SendQueue } from '../../../src/lanes/relay/send-queue.ts';

const COST = 10 + 64;

/** A queue whose network has room when a test says so. */
function setUp() {
  const handed: Uint8Array[] = [];
  const rooms: (() => void)[] = [];
  const queue = new SendQueue(
    (message) => {
      handed.push(message);
      return new Promise((resolve) => rooms.push(resolve));
    },
    () => 0,
  );
  const giveRoom = async () => {
    rooms.shift()?.();
    await new Promise(setImmediate);
  };
  return { queue, handed, giveRoom };
}

describe('the queue of a relay lane', () => {
  it('hands nothing over without credit, and then as much as is allowed', async () => {
    const { queue, handed, giveRoom } = setUp();
    const sends = [1, 2, 3].map(() => queue.add(new Uint8Array(10)));
    expect(handed).toHaveLength(0);
    queue.allow(2 * COST);
    await giveRoom();
    await Promise.all(sends.slice(0, 2));
    await giveRoom();
    expect(handed).toHaveLength(2);
    queue.allow(COST); // A smaller one takes nothing back.
    queue.allow(3 * COST);
    await sends[2];
    expect([handed.length, queue.isEmpty, queue.acceptedBytes]).toEqual([3, true, 30]);
  });

  it('hands the next one over only when the network has room', async () => {
    const { queue, handed, giveRoom } = setUp();
    queue.allow(100 * COST);
    const sends = [1, 2].map(() => queue.add(new Uint8Array(10)));
    await sends[0];
    expect(handed).toHaveLength(1);
    await giveRoom();
    await sends[1];
    expect(handed).toHaveLength(2);
  });

  it('tells when all is handed over, at once when it is', async () => {
    const { queue, giveRoom } = setUp();
    let told = 0;
    queue.whenEmpty(() => told++);
    expect(told).toBe(1);
    void queue.add(new Uint8Array(10));
    queue.whenEmpty(() => told++);
    expect(told).toBe(1);
    queue.allow(COST);
    await giveRoom();
    expect(told).toBe(2);
  });

  it('fails what waits at its end, and tells nobody that it is empty', async () => {
    const { queue } = setUp();
    const waiting = queue.add(new Uint8Array(10));
    queue.whenEmpty(() => {
      throw new Error('it was not handed over');
    });
    queue.end(new ModelRtcError('network', 'gone'));
    await expect(waiting).rejects.toMatchObject({ code: 'network' });
    queue.allow(COST);
    await new Promise(setImmediate);
  });
});
