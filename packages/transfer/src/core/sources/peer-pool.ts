import type { Digest, ModelRtcError } from '@model-rtc/protocol';
import { type ChunkLane, type LanedPeer, type PeerSourcesOptions, peerSources } from './peer-sources.ts';
import { SourcePool } from './source-pool.ts';

export interface PeerPool {
  readonly pool: SourcePool;
  /** Removes the peer's sources from the pool. */
  stop(): void;
}

/**
 * The pool of a transfer from a single peer, over all its lanes. It ends when the peer is gone, or when its last source was
 * given up.
 */
export function peerPool<L extends ChunkLane>(
  peer: LanedPeer<L> & { readonly closed: Promise<ModelRtcError | undefined> },
  digest: Digest,
  name: string,
  options: PeerSourcesOptions = {},
): PeerPool {
  const pool = new SourcePool();
  const stopListening = pool.onChange((change) => {
    // A lane that was only lost leaves without an error, and another may open in a moment.
    if (change.type === 'removed' && change.error !== undefined && pool.sources.length === 0) pool.end(change.error);
  });
  const stopSources = peerSources(pool, peer, digest, name, options);
  void peer.closed.then((error) => pool.end(error));
  return {
    pool,
    stop() {
      stopListening();
      stopSources();
    },
  };
}
