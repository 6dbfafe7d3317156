import { describe, expect, it } from '@jest/globals';
import type { Digest, ModelRtcError } from '@model-rtc/protocol';
import { type ChunkLane, type ChunkPeer, type LanedPeer, peerSources, SourcePool } from '../../../src/index.ts';
import { networkError } from '../../support/sources.ts';

const DIGEST = 'a'.repeat(64) as Digest;

interface TestLane extends ChunkLane {
  aborted: ModelRtcError | undefined;
}

function lane(id: number, kind = 'webrtc'): TestLane {
  const made: TestLane = {
    id,
    kind,
    engine: 'native',
    aborted: undefined,
    abort(reason) {
      made.aborted = reason;
    },
  };
  return made;
}

/** A peer that notes over which lane it is asked, and answers with one piece of each chunk. */
class TestPeer implements LanedPeer<TestLane> {
  readonly asked: (TestLane | undefined)[] = [];
  #lanes: TestLane[] = [];
  readonly #listeners = new Set<() => void>();

  get listeners(): number {
    return this.#listeners.size;
  }

  openLanes(): TestLane[] {
    return this.#lanes;
  }

  onLanesChanged(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  setLanes(...lanes: TestLane[]): void {
    this.#lanes = lanes;
    for (const listener of this.#listeners) listener();
  }

  request = (async (_method, { chunks }, { lane: over, onChunk }) => {
    this.asked.push(over);
    for (const { index } of chunks) {
      const frame = { index, offset: 0, payload: new Uint8Array([index]), intact: true };
      onChunk?.({ ...frame, encoded: index === 13 });
    }
    return { missing: [99] };
  }) as ChunkPeer<TestLane>['request'] as LanedPeer<TestLane>['request'];
}

describe('the sources of a peer', () => {
  it('are one for each open lane, and follow the lanes', () => {
    const peer = new TestPeer();
    const pool = new SourcePool();
    const [first, second, third] = [lane(0), lane(1), lane(2, 'direct')];
    peer.setLanes(first);
    peerSources(pool, peer, DIGEST, 'lab', { origin: 'lab key' });
    const [before] = pool.sources;
    peer.setLanes(first, second);
    expect(pool.sources[0]).toBe(before);
    peer.setLanes(second, third);
    expect(pool.sources).toMatchObject([
      { name: 'lab', origin: 'lab key', lane: { id: 1, kind: 'webrtc', engine: 'native' } },
      { name: 'lab', origin: 'lab key', lane: { id: 2, kind: 'direct', engine: 'native' } },
    ]);
  });

  it('are asked over their own lanes, and say what is missing and what is not as it was asked for', async () => {
    const peer = new TestPeer();
    const pool = new SourcePool();
    const lanes = [lane(0), lane(1)];
    peer.setLanes(...lanes);
    peerSources(pool, peer, DIGEST, 'lab');
    const pieces: unknown[] = [];
    for (const source of pool.sources) {
      const result = await source.fetch(
        [7, 13].map((index) => ({ index, digest: DIGEST, size: 1, extents: () => [] })),
        {
          signal: new AbortController().signal,
          onPiece: (index, _offset, _bytes, intact) => pieces.push([index, intact]),
        },
      );
      expect(result).toEqual({ missing: [99] });
    }
    expect(peer.asked).toEqual(lanes);
    expect(pieces.slice(0, 2)).toEqual([
      [7, true],
      [13, false],
    ]);
  });

  it('abort their lane when it stalls, and a lane that was given up is not asked again while it is open', () => {
    const peer = new TestPeer();
    const pool = new SourcePool();
    const [bad, good] = [lane(0), lane(1)];
    peer.setLanes(bad, good);
    peerSources(pool, peer, DIGEST, 'lab');
    const error = networkError();
    const [source] = pool.sources;
    source?.onStall?.(error);
    expect(bad.aborted).toBe(error);
    expect(good.aborted).toBeUndefined();
    if (source !== undefined) pool.remove(source, error);
    peer.setLanes(bad, good);
    expect(pool.sources.map((left) => left.lane?.id)).toEqual([1]);
  });

  it('leave the pool when they are stopped', () => {
    const peer = new TestPeer();
    const pool = new SourcePool();
    peer.setLanes(lane(0));
    const stop = peerSources(pool, peer, DIGEST, 'lab');
    stop();
    expect(peer.listeners).toBe(0);
    peer.setLanes(lane(1));
    expect(pool.sources).toEqual([]);
  });
});
