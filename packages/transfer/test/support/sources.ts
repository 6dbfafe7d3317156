import { type Digest, ModelRtcError } from '@model-rtc/protocol';
import type { ChunkSource, FetchOptions, WantedChunk } from '../../src/index.ts';
import type { TestModel } from './models.ts';

type Piece = { index: number; offset: number; bytes: Uint8Array; intact: boolean };

export interface MemorySourceOptions {
  readonly name?: string;
  readonly pieceBytes?: number;
  /** What is sent for a chunk, instead of its pieces. */
  readonly alter?: (chunk: WantedChunk, pieces: Piece[], times: number) => Piece[] | Promise<Piece[]>;
  readonly onStall?: (error: ModelRtcError) => void;
}

/** A source in memory that notes what it is asked for. */
export interface MemorySource extends ChunkSource {
  readonly asked: WantedChunk[];
  readonly timesAsked: (digest: Digest | undefined) => number;
}

export function memorySource(model: TestModel, options: MemorySourceOptions = {}): MemorySource {
  const { name = 'memory', pieceBytes = 65_536, alter = (_chunk, pieces) => pieces } = options;
  const asked: WantedChunk[] = [];
  const timesAsked = (digest: Digest | undefined): number => asked.filter((chunk) => chunk.digest === digest).length;
  return {
    name,
    asked,
    timesAsked,
    ...(options.onStall === undefined ? {} : { onStall: options.onStall }),
    async fetch(chunks: readonly WantedChunk[], { signal, onPiece }: FetchOptions): Promise<void> {
      asked.push(...chunks);
      for (const chunk of chunks) {
        await nextTurn();
        signal.throwIfAborted();
        const pieces = cutPieces(chunk.index, model.chunks.get(chunk.digest as Digest) ?? Buffer.alloc(0), pieceBytes);
        const sent = await alter(chunk, pieces, timesAsked(chunk.digest));
        for (const { index, offset, bytes, intact } of sent) onPiece(index, offset, bytes, intact);
      }
    },
  };
}

function cutPieces(index: number, bytes: Buffer, pieceBytes: number): Piece[] {
  const pieces: Piece[] = [];
  for (let offset = 0; offset < bytes.length; offset += pieceBytes) {
    pieces.push({ index, offset, bytes: bytes.subarray(offset, offset + pieceBytes), intact: true });
  }
  return pieces;
}

/** Never settles until the request is aborted. */
export function stalled(name: string, onStall?: (error: ModelRtcError) => void): ChunkSource {
  return {
    name,
    ...(onStall === undefined ? {} : { onStall }),
    fetch: (_chunks, { signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      }),
  };
}

/** Damages the last byte. */
export function damaged(pieces: Piece[]): Piece[] {
  return pieces.map((piece, place) => {
    if (place < pieces.length - 1) return piece;
    const bytes = Buffer.from(piece.bytes);
    bytes[bytes.length - 1] = (bytes.at(-1) as number) ^ 1;
    return { ...piece, bytes };
  });
}

export function networkError(): ModelRtcError {
  return new ModelRtcError('network', 'The connection was lost.');
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
