import type { Digest } from '@model-rtc/protocol';
import type { ChunkPiece } from '@model-rtc/transport';
import type { ChunkSource } from './source.ts';

/** What is needed of a `Peer` of @model-rtc/transport. */
export interface ChunkPeer {
  request(
    method: 'get_chunks',
    params: { digest: Digest; chunks: { index: number; digest: Digest }[] },
    options: { signal?: AbortSignal | undefined; onChunk?: ((frame: ChunkPiece) => void) | undefined },
  ): Promise<unknown>;
}

/** The other agent as a source of one model's chunks. */
export function peerSource(
  peer: ChunkPeer,
  modelDigest: Digest,
  name: string,
  options: Pick<ChunkSource, 'onStall'> = {},
): ChunkSource {
  return {
    ...options,
    name,
    kind: 'peer',
    async fetch(chunks, { signal, onPiece }) {
      await peer.request(
        'get_chunks',
        { digest: modelDigest, chunks: chunks.map(({ index, digest }) => ({ index, digest })) },
        { signal, onChunk: ({ index, offset, payload, intact }) => onPiece(index, offset, payload, intact) },
      );
    },
  };
}
