import { describe, expect, it } from '@jest/globals';
import { BoundedQueue } from '../../src/client/bounded-queue.ts';

describe('a bounded queue', () => {
  it('gives items in order, also to a reader that came first', async () => {
    const queue = new BoundedQueue<number>({ maxItems: 10, maxBytes: 0 });
    const reading = collect(queue);
    for (const item of [1, 2, 3]) queue.push(item);
    queue.finish();
    expect(await reading).toEqual([1, 2, 3]);
  });

  it('gives what is left after its end, and takes nothing more', async () => {
    const queue = new BoundedQueue<number>({ maxItems: 10, maxBytes: 0 });
    queue.push(1);
    queue.finish();
    expect(queue.push(2)).toBe(false);
    expect(await collect(queue)).toEqual([1]);
  });

  it('refuses what is over its bounds, until a reader makes room', async () => {
    const queue = new BoundedQueue<string>({ maxItems: 2, maxBytes: 10 });
    expect([queue.push('a', 6), queue.push('b', 5), queue.push('c', 4), queue.push('d', 0)]).toEqual([
      true,
      false,
      true,
      false,
    ]);
    const reader = queue[Symbol.asyncIterator]();
    expect(await reader.next()).toEqual({ done: false, value: 'a' });
    expect(queue.push('e', 6)).toBe(true);
  });

  it('loses nothing when a reader leaves early', async () => {
    const queue = new BoundedQueue<number>({ maxItems: 10, maxBytes: 0 });
    for (const item of [1, 2, 3]) queue.push(item);
    for await (const item of queue) {
      expect(item).toBe(1);
      break;
    }
    queue.finish();
    expect(await collect(queue)).toEqual([2, 3]);
  });
});

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}
