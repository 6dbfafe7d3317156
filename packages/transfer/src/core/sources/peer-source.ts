import type { Digest } from '@model-rtc/protocol';
import type { ChunkPiece } from '@model-rtc/transport';
import type { PeerEncodings } from './peer-encodings.ts';
import type { ChunkSource, FetchOptions, FetchResult } from './source.ts';

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
    params: { digest: Digest; chunks: { index: number; digest: Digest }[]; encodings?: string[] },
    options: ChunkRequestOptions<L>,
  ): Promise<FetchResult>;
}

export interface PeerSourceOptions<L> extends Pick<ChunkSource, 'onStall' | 'origin' | 'lane'> {
  /** The lane to ask over; each time the best one by default. */
  readonly over?: L | undefined;
  /** Lets chunks come encoded when that is faster; all sources of a transfer share it. */
  readonly encodings?: PeerEncodings | undefined;
}

/** Makes the other agent a source of one model's chunks. */
export function peerSource<L = never>(
  peer: ChunkPeer<L>,
  modelDigest: Digest,
  name: string,
  { over, encodings, ...options }: PeerSourceOptions<L> = {},
): ChunkSource {
  return {
    ...options,
    name,
    needsDigests: true,
    async fetch(chunks, { signal, onPiece, onWrong, onWireBytes }) {
      const how = await encodings?.open(chunks, { onPiece, onWrong, onWireBytes });
      signal.throwIfAborted();
      return await peer.request(
        'get_chunks',
        {
          digest: modelDigest,
          chunks: chunks.flatMap(({ index, digest }) => (digest === undefined ? [] : [{ index, digest }])),
          ...(how?.encodings === undefined ? {} : { encodings: how.encodings }),
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
