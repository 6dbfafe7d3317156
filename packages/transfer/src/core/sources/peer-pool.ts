import type { Digest, ModelRtcError } from '@model-rtc/protocol';
import { type ChunkLane, type LanedPeer, type PeerSourcesOptions, peerSources } from './peer-sources.ts';
import { SourcePool } from './source-pool.ts';

export interface PeerPool {
  readonly pool: SourcePool;
  /** Takes the peer's sources out of it. */
  stop(): void;
}

/**
 * The pool of a transfer that one peer alone feeds, over all its lanes: it ends with the peer, or when everything that can
 * be asked of it was given up.
 */
export function peerPool<L extends ChunkLane>(
  peer: LanedPeer<L> & { readonly closed: Promise<ModelRtcError | undefined> },
  digest: Digest,
  name: string,
  options: PeerSourcesOptions = {},
): PeerPool {
  const pool = new SourcePool();
  const stopListening = pool.onChange((change) => {
    // A lane that was merely lost leaves without an error, and another one may be there in a moment.
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
