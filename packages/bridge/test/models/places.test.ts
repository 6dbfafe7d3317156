import { describe, expect, it } from '@jest/globals';
import { SLOW_CLIENT_MS } from '../../src/limits.ts';
import { createPlaces } from '../../src/models/places.ts';

function scene(most = 3) {
  const clock = { nowMs: 0 };
  const places = createPlaces({ nowMs: () => clock.nowMs, most });
  return { clock, places, taken: Array.from({ length: most }, () => places.take()) };
}

describe('the places of downloads', () => {
  it('are refused when all are taken, and free again when one is left', () => {
    const { places, taken } = scene();
    expect(() => places.take()).toThrow(expect.objectContaining({ code: 'busy' }));
    taken[1]?.leave();
    expect(places.taken).toBe(2);
    expect(places.take().signal.aborted).toBe(false);
  });

  it('are taken from the client that needs longest for its piece, once all are taken', () => {
    const { clock, places, taken } = scene();
    taken[2]?.onWriting(true);
    clock.nowMs = 1_000;
    taken[0]?.onWriting(true);
    clock.nowMs = SLOW_CLIENT_MS + 1_000;
    places.take();
    expect(taken.map(({ signal }) => signal.aborted)).toEqual([false, false, true]);
    places.take();
    expect(taken.map(({ signal }) => signal.aborted)).toEqual([true, false, true]);
    // Leaving a place that went to another takes nothing from that one.
    taken[2]?.leave();
    expect(places.taken).toBe(3);
  });

  it('stay with clients that take their pieces, and with those that wait for bytes', () => {
    const { clock, places, taken } = scene();
    for (const place of taken) place.onWriting(true);
    taken[0]?.onWriting(false);
    clock.nowMs = SLOW_CLIENT_MS - 1;
    taken[1]?.onWriting(false);
    taken[1]?.onWriting(true);
    taken[2]?.onWriting(false);
    taken[2]?.onWriting(true);
    clock.nowMs = SLOW_CLIENT_MS + 1;
    expect(() => places.take()).toThrow(expect.objectContaining({ code: 'busy' }));
  });
});
