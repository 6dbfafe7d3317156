import type { Digest, ModelRtcError } from '@model-rtc/protocol';
import type { PeerEncodings } from './peer-encodings.ts';
import { type ChunkPeer, peerSource } from './peer-source.ts';
import type { ChunkSource, SourceLane } from './source.ts';
import type { SourcePool } from './source-pool.ts';

/** What is needed of a `PeerLane` of @model-rtc/transport. */
export interface ChunkLane extends SourceLane {
  /** Ends the connection at once, so that it is replaced. */
  abort(reason: ModelRtcError): void;
}

/** What is needed of a `Peer` of @model-rtc/transport. */
export interface LanedPeer<L extends ChunkLane> extends ChunkPeer<L> {
  openLanes(): readonly L[];
  onLanesChanged(listener: () => void): () => void;
}

export interface PeerSourcesOptions {
  /** Who the peer is, the same over reconnects, and of no other peer: its name and key. The name alone if not given. */
  readonly origin?: string | undefined;
  readonly encodings?: PeerEncodings | undefined;
}

/**
 * Keeps one source for each open lane of the peer in the pool. A lane that fails takes only its own source with it; one
 * that delivers nothing is aborted.
 *
 * @returns what stops it: the peer's sources leave the pool.
 */
export function peerSources<L extends ChunkLane>(
  pool: SourcePool,
  peer: LanedPeer<L>,
  digest: Digest,
  name: string,
  { origin = name, encodings }: PeerSourcesOptions = {},
): () => void {
  // A lane whose source was given up stays in it while it is open: it is not asked again.
  const sources = new Map<L, ChunkSource>();
  const sourceOver = (lane: L): ChunkSource =>
    peerSource(peer, digest, name, {
      origin,
      encodings,
      over: lane,
      lane: { id: lane.id, kind: lane.kind, engine: lane.engine },
      onStall: (error) => lane.abort(error),
    });
  const follow = (): void => {
    const open = new Set(peer.openLanes());
    for (const [lane, source] of sources) {
      if (open.has(lane)) continue;
      sources.delete(lane);
      pool.remove(source);
    }
    for (const lane of open) {
      if (sources.has(lane)) continue;
      const source = sourceOver(lane);
      sources.set(lane, source);
      pool.add(source);
    }
  };
  const stopListening = peer.onLanesChanged(follow);
  follow();
  return () => {
    stopListening();
    for (const source of sources.values()) pool.remove(source);
    sources.clear();
  };
}
