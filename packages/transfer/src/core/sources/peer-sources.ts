import type { Digest, ModelRtcError } from '@model-rtc/protocol';
import type { ChunkPiece } from '@model-rtc/transport';
import type { PeerEncodings } from './peer-encodings.ts';
import { type FollowedPeer, PeerHoldings } from './peer-holdings.ts';
import type { ChunkSource, FetchOptions, FetchResult, SourceLane } from './source.ts';
import type { SourcePool } from './source-pool.ts';

/** The part of a `PeerLane` of @model-rtc/transport that a source needs. */
export interface ChunkLane extends SourceLane {
  /** Ends the connection at once, so that it is replaced. */
  abort(reason: ModelRtcError): void;
}

/** The part of a `Peer` of @model-rtc/transport that its sources need. */
export type LanedPeer<L extends ChunkLane> = ChunkPeer<L> &
  FollowedPeer & {
    openLanes(): readonly L[];
    onLanesChanged(listener: () => void): () => void;
  };

export interface PeerSourcesOptions {
  /** Identifies the peer, over reconnects too: its name and key. The name alone by default. */
  readonly origin?: string | undefined;
  readonly encodings?: PeerEncodings | undefined;
  /** Others fetch the model too, and pass on what they have; see `get_chunks`. */
  readonly shared?: boolean | undefined;
}

/**
 * Keeps one source in the pool for each open lane of the peer. A lane that fails takes only its own source with it, and a lane
 * that delivers nothing is aborted.
 *
 * @returns a function that stops this, and removes the peer's sources from the pool
 */
export function peerSources<L extends ChunkLane>(
  pool: SourcePool,
  peer: LanedPeer<L>,
  digest: Digest,
  name: string,
  { origin = name, encodings, shared }: PeerSourcesOptions = {},
): () => void {
  // A lane stays here while it is open, even when its source was given up: it is not asked again.
  const sources = new Map<L, ChunkSource>();
  const holdings = new PeerHoldings(peer, digest);
  const sourceOver = (lane: L): ChunkSource =>
    peerSource(peer, digest, name, {
      origin,
      ...{ encodings, shared, holdings },
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

/** How to ask a peer for chunks: over one lane, or over its best. */
export interface ChunkRequestOptions<L> {
  readonly signal?: AbortSignal | undefined;
  readonly onChunk?: ((frame: ChunkPiece) => void) | undefined;
  readonly lane?: L | undefined;
}

/** The part of a `Peer` of @model-rtc/transport that a source needs. */
export interface ChunkPeer<L = unknown> {
  request(
    method: 'get_chunks',
    params: { digest: Digest; chunks: { index: number; digest: Digest }[]; encodings?: string[]; shared?: boolean },
    options: ChunkRequestOptions<L>,
  ): Promise<FetchResult>;
}

export interface PeerSourceOptions<L> extends Pick<ChunkSource, 'onStall' | 'origin' | 'lane' | 'holdings'> {
  /** The lane to ask over; each time the best one by default. */
  readonly over?: L | undefined;
  /** Lets chunks come encoded when that is faster; all sources of a transfer share it. */
  readonly encodings?: PeerEncodings | undefined;
  readonly shared?: boolean | undefined;
}

/** Makes the other agent a source of one model's chunks. */
export function peerSource<L = never>(
  peer: ChunkPeer<L>,
  modelDigest: Digest,
  name: string,
  { over, encodings, shared, ...options }: PeerSourceOptions<L> = {},
): ChunkSource {
  return {
    ...options,
    name,
    needsDigests: true,
    givesWay: shared,
    async fetch(chunks, { signal, onPiece, onWrong, onWireBytes }) {
      const how = await encodings?.open(chunks, { onPiece, onWrong, onWireBytes });
      signal.throwIfAborted();
      return await peer.request(
        'get_chunks',
        {
          digest: modelDigest,
          chunks: chunks.flatMap(({ index, digest }) => (digest === undefined ? [] : [{ index, digest }])),
          ...(how?.encodings === undefined ? {} : { encodings: how.encodings }),
          ...(shared ? { shared } : {}),
        },
        {
          signal,
          onChunk: how?.onChunk ?? plainPieces({ onPiece, onWrong }),
          ...(over === undefined ? {} : { lane: over }),
        },
      );
    },
  };
}

/** No encoding was offered, so an encoded chunk is wrong. */
function plainPieces({ onPiece, onWrong }: Pick<FetchOptions, 'onPiece' | 'onWrong'>): (piece: ChunkPiece) => void {
  return ({ index, offset, payload, intact, encoded }) => {
    if (intact && encoded && onWrong !== undefined) onWrong(index);
    else onPiece(index, offset, payload, intact && !encoded);
  };
}
