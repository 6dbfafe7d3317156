import { Cursor } from '../../bytes/cursor.ts';
import { readProtobufField } from '../../bytes/protobuf.ts';
import { StructureError } from '../../bytes/structure-error.ts';
import type { ByteReader } from '../../types.ts';

/** The largest vocabularies have some 300,000. */
const MAX_FIELDS = 4_000_000;
/** `pieces` of the model, and of a piece its text. Source: sentencepiece, `sentencepiece_model.proto`. */
const PIECES = 1;
const TEXT = 1;

/**
 * How many pieces a SentencePiece model has.
 * @throws StructureError when it is no such file
 */
export async function countPieces(reader: ByteReader): Promise<number> {
  const cursor = new Cursor(reader, 0);
  let pieces = 0;
  for (let fields = 0; cursor.left > 0; fields++) {
    if (fields > MAX_FIELDS) throw new StructureError('it has too many fields');
    const field = await readProtobufField(cursor);
    if (!field.isBytes) continue;
    if (field.number === PIECES) {
      pieces++;
      await requireText(cursor, field.value);
    } else cursor.skip(field.value);
  }
  if (pieces === 0) throw new StructureError('it has no pieces');
  return pieces;
}

/** A piece begins with its text. */
async function requireText(cursor: Cursor, length: number): Promise<void> {
  const end = cursor.offset + length;
  const text = length === 0 ? undefined : await readProtobufField(cursor);
  if (text?.number !== TEXT || !text.isBytes || cursor.offset + text.value > end) {
    throw new StructureError('a piece has no text');
  }
  cursor.skip(end - cursor.offset);
}

/** Words in base64 with their numbers, a line each, as tiktoken has them; undefined for another file. */
export function countTiktokenLines(text: string): number | undefined {
  let lines = 0;
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    if (!/^[A-Za-z0-9+/]+=* \d{1,9}\r?$/.test(line)) return undefined;
    lines++;
  }
  return lines === 0 ? undefined : lines;
}
