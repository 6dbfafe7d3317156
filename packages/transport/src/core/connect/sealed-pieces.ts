import { MAX_SEALED_MESSAGE_BYTES, MAX_SEALED_PIECE_BYTES, ModelRtcError } from '@model-rtc/protocol';

/** What a `request` or `reply` of the exchange carries. */
export interface SealedPiece {
  readonly bytes: Uint8Array;
  /** Another one follows. */
  readonly more?: true | undefined;
}

/** A message in pieces that each fit into an envelope. @throws ModelRtcError `bad_argument` when it needs a connection. */
export function inPieces(message: Uint8Array): SealedPiece[] {
  if (message.length > MAX_SEALED_MESSAGE_BYTES)
    throw new ModelRtcError(
      'bad_argument',
      `This has ${message.length} bytes, and ${MAX_SEALED_MESSAGE_BYTES} may go over a signaling server: it needs a connection.`,
    );
  const pieces: SealedPiece[] = [];
  for (let at = 0; at === 0 || at < message.length; at += MAX_SEALED_PIECE_BYTES) {
    const bytes = message.subarray(at, at + MAX_SEALED_PIECE_BYTES);
    pieces.push(at + MAX_SEALED_PIECE_BYTES < message.length ? { bytes, more: true } : { bytes });
  }
  return pieces;
}

/** Puts the pieces of one message together. */
export class JoinedPieces {
  readonly #pieces: Uint8Array[] = [];
  #bytes = 0;

  /** @returns the message once it is whole. @throws ModelRtcError `malformed_message` when it is too long. */
  add({ bytes, more }: SealedPiece): Uint8Array | undefined {
    this.#bytes += bytes.length;
    const isLong = this.#bytes > MAX_SEALED_MESSAGE_BYTES || (more === true && bytes.length === 0);
    if (isLong)
      throw new ModelRtcError('malformed_message', 'The other side sent more than may go without a connection.');
    this.#pieces.push(bytes);
    if (more === true) return undefined;
    const message = new Uint8Array(this.#bytes);
    let at = 0;
    for (const piece of this.#pieces) {
      message.set(piece, at);
      at += piece.length;
    }
    return message;
  }
}
