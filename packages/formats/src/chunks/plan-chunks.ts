import { startsWith } from '../bytes/byte-readers.ts';
import { askFormats } from '../formats.ts';
import { GGUF_HEAD } from '../gguf/gguf.ts';
import type { ByteReader } from '../types.ts';
import { ZIP_HEAD } from '../zip/zip-directory.ts';
import { cutParts, plainCuts } from './cut-parts.ts';

/** The name of these rules in a manifest. It changes whenever the same file would be cut differently. */
export const CHUNKER = 'structure-1';

/** How many of a file's first bytes tell whether it may have structure. */
export const STRUCTURE_HEAD_BYTES = 9;

/** Whether a file that begins like this may be cut on the boundaries of its parts; all others are cut every 1 MiB. */
export function mayHaveStructure(head: Uint8Array): boolean {
  const isSafetensors = head[8] === 0x7b && [4, 5, 6, 7].every((i) => head[i] === 0);
  return isSafetensors || startsWith(head, ZIP_HEAD) || startsWith(head, GGUF_HEAD);
}

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
