import { LARGE_PIECE_BYTES, MAX_LARGE_PIECES, PIECE_BYTES } from '../limits.ts';

/**
 * Pieces of memory that downloads read into: large ones for a few downloads, which are faster by them, small ones for those beyond.
 * They are used again, since a fresh one for each read costs more than the reading.
 */
export interface Pieces {
  take(): Buffer;
  giveBack(piece: Buffer): void;
  /** For one that may be changed no more: it is not used again. */
  forget(piece: Buffer): void;
}

const MAX_KEPT = 16;

export function createPieces(): Pieces {
  const kept = new Map<number, Buffer[]>([
    [LARGE_PIECE_BYTES, []],
    [PIECE_BYTES, []],
  ]);
  let large = 0;
  const leave = (piece: Buffer): void => {
    if (piece.length === LARGE_PIECE_BYTES) large--;
  };
  return {
    forget: leave,
    take() {
      const size = large < MAX_LARGE_PIECES ? LARGE_PIECE_BYTES : PIECE_BYTES;
      if (size === LARGE_PIECE_BYTES) large++;
      return kept.get(size)?.pop() ?? Buffer.allocUnsafeSlow(size);
    },
    giveBack(piece) {
      leave(piece);
      const free = kept.get(piece.length);
      if (free !== undefined && free.length < MAX_KEPT) free.push(piece);
    },
  };
}
