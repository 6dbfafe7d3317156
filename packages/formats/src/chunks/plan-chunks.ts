import { askFormats } from '../formats.ts';
import type { ByteReader } from '../types.ts';
import { cutParts, plainCuts } from './cut-parts.ts';

/** The name of these rules in a manifest. It changes whenever the same file would be cut differently. */
export const CHUNKER = 'structure-1';

/**
 * The sizes of a file's chunks, in order; none for an empty file. Each is 1 byte to 1 MiB. Safetensors, GGUF and torch
 * files are cut on their tensors' boundaries; any other file, and one with a broken or oversized structure, every
 * 1 MiB.
 * @param _path reserved for hints: the formats are told by content, so that a wrong name costs nothing.
 * @throws only what the reader throws.
 */
export async function planChunks(reader: ByteReader, _path: string): Promise<number[]> {
  const cuts = await askFormats(async (format) => {
    const parts = await format.parts?.(reader);
    return parts && cutParts(reader.size, parts);
  });
  return cuts ?? plainCuts(reader.size);
}
