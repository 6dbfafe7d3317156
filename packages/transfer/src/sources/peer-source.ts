import type { Digest } from '@model-rtc/protocol';
import type { ChunkPiece } from '@model-rtc/transport';
import type { ChunkSource, FetchResult } from './source.ts';

/** How a peer is asked for chunks, over a certain lane or over its best. */
export interface ChunkRequestOptions<L> {
  readonly signal?: AbortSignal | undefined;
  readonly onChunk?: ((frame: ChunkPiece) => void) | undefined;
  readonly lane?: L | undefined;
}

/** What is needed of a `Peer` of @model-rtc/transport. */
export interface ChunkPeer<L = unknown> {
  request(
    method: 'get_chunks',
    params: { digest: Digest; chunks: { index: number; digest: Digest }[] },
    options: ChunkRequestOptions<L>,
  ): Promise<FetchResult>;
}

export interface PeerSourceOptions<L> extends Pick<ChunkSource, 'onStall' | 'origin' | 'lane'> {
  /** The connection that the peer is asked over; the best one each time if not given. */
  readonly over?: L | undefined;
}

/** The other agent as a source of one model's chunks. */
export function peerSource<L = never>(
  peer: ChunkPeer<L>,
  modelDigest: Digest,
  name: string,
  { over, ...options }: PeerSourceOptions<L> = {},
): ChunkSource {
  return {
    ...options,
    name,
    kind: 'peer',
    async fetch(chunks, { signal, onPiece }) {
      return await peer.request(
        'get_chunks',
        { digest: modelDigest, chunks: chunks.map(({ index, digest }) => ({ index, digest })) },
        {
          signal,
          onChunk: ({ index, offset, payload, intact }) => onPiece(index, offset, payload, intact),
          ...(over === undefined ? {} : { lane: over }),
        },
      );
    },
  };
}
